/** What kinds of records a connection works with, and what each needs. Pure. */
import { z } from 'zod';
import type { JsonValue } from '../framework.js';
import { textOf } from '../json.js';

interface ObjectType {
  readonly read: string;
  readonly write: string;
  /** Properties by which a person recognises a record. */
  readonly title: readonly string[];
  /** Has pipelines and stages. */
  readonly pipelines?: boolean;
  /** Two records can be merged into one. */
  readonly merge?: boolean;
}

function scoped(name: string): Pick<ObjectType, 'read' | 'write'> {
  return { read: `crm.objects.${name}.read`, write: `crm.objects.${name}.write` };
}

/**
 * Scopes: `security` of HubSpot's public specs dated 2026-09 (contacts.json, notes.json …); engagements go by the
 * scopes of contacts there, tickets have one scope for everything. Merging is in the specs of four types only.
 */
const OBJECT_TYPES = {
  contacts: { ...scoped('contacts'), title: ['firstname', 'lastname', 'email'], merge: true },
  companies: { ...scoped('companies'), title: ['name', 'domain'], merge: true },
  deals: { ...scoped('deals'), title: ['dealname', 'amount'], pipelines: true, merge: true },
  tickets: { read: 'tickets', write: 'tickets', title: ['subject'], pipelines: true, merge: true },
  notes: { ...scoped('contacts'), title: ['hs_note_body'] },
  tasks: { ...scoped('contacts'), title: ['hs_task_subject'] },
  calls: { ...scoped('contacts'), title: ['hs_call_title'] },
  meetings: { ...scoped('contacts'), title: ['hs_meeting_title'] },
  leads: { ...scoped('leads'), title: ['hs_lead_name'], pipelines: true },
} as const satisfies Record<string, ObjectType>;

export type TypeName = keyof typeof OBJECT_TYPES;

export const TYPE_NAMES = Object.keys(OBJECT_TYPES).filter(isTypeName);

function isTypeName(name: string): name is TypeName {
  return Object.hasOwn(OBJECT_TYPES, name);
}

const namesIn = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[\s,;]+/)
    .filter((name) => name !== '');

/** The config field: names with commas between them. */
export const objectTypes = z
  .string()
  .overwrite((text) => [...new Set(namesIn(text))].join(', '))
  .refine((text) => namesIn(text).length > 0 && namesIn(text).every(isTypeName), {
    error: `must name some of ${TYPE_NAMES.join(', ')}`,
  })
  .default('contacts');

/** The types of a connection, in the order of the table; contacts where nothing is set. */
export function typesOf(config: Readonly<Record<string, JsonValue>>): readonly TypeName[] {
  const named = namesIn(textOf(config.object_types) || 'contacts');
  return TYPE_NAMES.filter((type) => named.includes(type));
}

export function withPipelines(types: readonly TypeName[]): readonly TypeName[] {
  return types.filter((type) => typeNamed(type).pipelines);
}

export function withMerge(types: readonly TypeName[]): readonly TypeName[] {
  return types.filter((type) => typeNamed(type).merge);
}

export function titleProperties(type: TypeName): readonly string[] {
  return typeNamed(type).title;
}

/** Least scopes that read records of all these types. */
export function readScopes(types: readonly TypeName[]): readonly string[] {
  return [...new Set(types.map((type) => typeNamed(type).read))];
}

/** Least scopes that change records of all these types and show them before. */
export function writeScopes(types: readonly TypeName[]): readonly string[] {
  return [...new Set(types.flatMap((type) => [typeNamed(type).read, typeNamed(type).write]))];
}

function typeNamed(type: TypeName): ObjectType {
  return OBJECT_TYPES[type];
}
