/**
 * Web addresses that are handed to another system, which then opens them: only what everybody could open. Pure: names
 * are not resolved, so this keeps honest callers from sending addresses of the company's own network elsewhere. What
 * this process itself connects to is guarded where it connects (src/net).
 */
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isPublicAddress } from '../public-address.js';

/** Names that mean something inside one network only (RFC 6761, 6762, 7686, 8375, 9476; ICANN's `.internal`). */
const LOCAL_NAME =
  /(^|\.)(localhost|local|internal|intranet|private|corp|home|lan|home\.arpa|test|invalid|alt|onion)$/;
const LONGEST = 2_048;

/** What is wrong with an address, in words; undefined when everybody could open it. */
export function publicUrlProblem(text: string): string | undefined {
  if (text.length > LONGEST || /[\s\p{Cc}\\]/u.test(text) || !URL.canParse(text))
    return 'is not a complete address such as https://example.com/page';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https:// or http://';
  if (url.username !== '' || url.password !== '') return 'must not carry a user name or password';
  return isPublicHost(url.hostname) ? undefined : 'must be on the public internet';
}

/** @param host as URLs have it: lower case, IPv4 in its usual form, IPv6 in brackets */
function isPublicHost(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (ipaddr.isValid(name)) return isPublicAddress(name);
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(name) && !LOCAL_NAME.test(name);
}

/** An argument that is such an address; it stays as it was written. */
export const publicUrl = z
  .string()
  .max(LONGEST)
  .refine((text) => publicUrlProblem(text) === undefined, {
    error: (issue) => publicUrlProblem(String(issue.input)) ?? 'is not an address',
  })
  .describe('A complete address on the public internet: https://example.com/page');
