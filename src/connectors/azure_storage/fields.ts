/** Arguments and card lines that several functions share. */
import { z } from 'zod';
import { hasControls, long, short } from '../fields.js';
import type { CardField, FunctionDefinition } from '../framework.js';
import { readableLines } from '../lines.js';

/** Our mark on what a call created: the execution's id. */
export const MARKER = 'siestaexecution';

/** Microsoft, "Naming and referencing containers, blobs, and metadata". */
const CONTAINER = /^[a-z0-9](?:-?[a-z0-9]){2,62}$/;
export const newContainer = z
  .string()
  .max(63)
  .regex(CONTAINER, 'must be 3 to 63 small letters, digits and single hyphens');
export const container = z
  .string()
  .max(63)
  .refine(
    (name) => /^\$(?:root|web|logs)$/.test(name) || CONTAINER.test(name),
    'is not the name of a container',
  );

/** Names that cannot be said in a path which every parser reads alike (src/net/request-guard.ts) are refused here. */
export const blobName = z
  .string()
  .min(1)
  .max(1_024)
  .refine((name) => !hasControls(name) && !/\p{Cs}/u.test(name), 'must not contain control characters')
  .refine((name) => !name.includes('\\'), 'must not contain a backslash; folders are separated by /')
  .refine(
    (name) => name.split('/').every((segment) => segment !== ''),
    'must not begin or end with / or contain //',
  )
  .refine(
    (name) => !name.split('/').some((segment) => /^\.{1,2}(?:;|$)/.test(segment)),
    'must not contain a folder "." or ".."',
  )
  .refine(
    (name) => !/%(?:25)*(?:2f|5c|00|2e)/i.test(name),
    'must not contain an encoded slash, backslash or dot such as %2F',
  )
  .describe('With its folders: reports/2026/may.csv');

export const prefix = z
  .string()
  .min(1)
  .max(1_024)
  .refine((text) => !hasControls(text), 'must not contain control characters');

/** As Azure gives it: `"0x8D…"`, quotes included. */
export const etag = z
  .string()
  .max(80)
  .regex(/^"[\x21\x23-\x7e]+"$/, 'is not an etag such as "0x8DC…" (with its quotes)');

/** Headers carry it, so small names and printable ASCII; 8 KiB in all (Microsoft, "Set Blob Metadata"). */
export const metadata = z
  .record(
    z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be small letters, digits and underscores'),
    z
      .string()
      .max(2_048)
      .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'must be printable ASCII without spaces around it'),
  )
  .refine((pairs) => !(MARKER in pairs), `must not contain ${MARKER}`)
  .refine((pairs) => JSON.stringify(pairs).length <= 8 * 1_024, 'must be 8 KiB at most in all');

/** At most 10, these characters only (Microsoft, "Set Blob Tags"); none of them means anything in XML. */
export const tags = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9 +\-./:=_]{1,128}$/, 'must be 1 to 128 letters, digits, spaces and + - . / : = _'),
    z.string().regex(/^[A-Za-z0-9 +\-./:=_]{0,256}$/, 'must be letters, digits, spaces and + - . / : = _'),
  )
  .refine((pairs) => Object.keys(pairs).length <= 10, 'must be 10 at most');

/** `name: value` lines, sorted; "none" where there is nothing. */
export function pairLines(pairs: Readonly<Record<string, string>>): string {
  const sorted = Object.fromEntries(Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1)));
  return Object.keys(sorted).length === 0 ? 'none' : readableLines(sorted).join('\n');
}

export function blobCard(args: { container: string; name: string }): CardField[] {
  return [...short('Container', args.container), ...short('Blob', args.name)];
}

export function pairsCard(label: string, pairs: Readonly<Record<string, string>> | undefined): CardField[] {
  return pairs === undefined ? [] : long(label, pairLines(pairs));
}

/** What may be done again to the same end, unless a function says otherwise. */
export const WRITE = {
  risk: 'write',
  approval: 'ask',
  scopes: [],
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;
