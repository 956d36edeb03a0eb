/** Arguments, card lines and results that several HubSpot functions share. Limits: shared/CONNECTORS.md, 4.6. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { long, oneLine, plainCard, short } from '../fields.js';
import type { CallContext, CardField, FunctionDefinition, Observation, ObservedField } from '../framework.js';
import { compact, type JsonObject, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { callHubspot, PATHS } from './api.js';
import { type TypeName, titleProperties } from './object-types.js';

export const recordId = z.string().regex(/^\d{1,20}$/, 'is not the id of a record');
export const propertyName = z.string().regex(/^[A-Za-z]\w{0,249}$/, 'is not the name of a property');
export const uniqueValue = oneLine(512);
export const page = z
  .exactOptional(z.string().regex(/^[\w=+/.-]{1,512}$/, 'is not a page token'))
  .describe('next_page_token of the page before.');

export function typeIn(types: readonly TypeName[]) {
  return z.enum(types).describe('Kind of record; which ones is a setting of this connection.');
}

export const properties = z
  .array(propertyName)
  .max(100)
  .default([])
  .describe('Names of properties to read, as list_properties names them; left out, a few usual ones.');

/** HubSpot keeps every value as a text; an empty one clears the property. */
export const values = z
  .record(propertyName, z.union([z.string().max(64 * 1_024), z.number(), z.boolean()]))
  .refine((given) => Object.keys(given).length <= 100, 'holds more than 100 properties')
  .describe('Values by property name, as list_properties names them. An empty text clears a property.');

export function texts(given: Readonly<Record<string, string | number | boolean>>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
}

export function valuesCard(given: Readonly<Record<string, string | number | boolean>>): CardField[] {
  return Object.entries(texts(given)).flatMap(([name, value]) =>
    /\n/.test(value) || value.length > 200 ? long(name, value) : short(name, value),
  );
}

/** Properties under their own names, because an account makes up its own. */
export function recordOf(record: JsonObject): JsonObject {
  return compact({
    id: textOf(record.id),
    properties: objectOf(record.properties),
    created_at: textOrNull(record.createdAt),
    updated_at: textOrNull(record.updatedAt),
    archived: record.archived === true,
    url: textOrNull(record.url) ?? undefined,
    associations:
      record.associations === undefined ? undefined : associationsOf(objectOf(record.associations)),
  });
}

/** `{companies: {results: [{id, type}]}}` as `{companies: [id]}`; one record may be tied by several labels. */
function associationsOf(associations: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(associations).map(([type, found]) => [
      type,
      [...new Set(objectsIn(objectOf(found).results).map(({ id }) => textOf(id)))],
    ]),
  );
}

export function fetchRecord(
  context: CallContext,
  type: TypeName,
  id: string,
  read: { properties?: readonly string[]; associations?: readonly string[]; idProperty?: string } = {},
): Promise<JsonObject> {
  const query = {
    properties: read.properties?.length ? read.properties : undefined,
    associations: read.associations?.length ? read.associations : undefined,
    idProperty: read.idProperty,
  };
  return callHubspot(context, 'GET', PATHS.objects(type), [id], { query });
}

/** `contacts 101: Cleo Marchetti cleo@siesta.example`. */
export function recordLine(type: TypeName, record: JsonObject): string {
  const held = objectOf(record.properties);
  const title = titleProperties(type).map((name) => textOf(held[name]));
  return `${type} ${textOf(record.id)}: ${title.filter((part) => part !== '').join(' ')}`;
}

/** A record as an approver recognises it, and its properties before and after. */
export async function observeRecord(
  context: CallContext,
  type: TypeName,
  id: string,
  change: Readonly<Record<string, string | number | boolean>> = {},
  label = 'Record',
): Promise<Observation> {
  const names = [...new Set([...titleProperties(type), ...Object.keys(change)])];
  const record = await fetchRecord(context, type, id, { properties: names });
  return {
    fields: [...short(label, recordLine(type, record)), ...changedFields(record, change)],
    version: '',
  };
}

export function changedFields(
  record: JsonObject,
  change: Readonly<Record<string, string | number | boolean>>,
): ObservedField[] {
  const held = objectOf(record.properties);
  return Object.entries(texts(change)).map(([name, after]): ObservedField => {
    const value = textOf(held[name]);
    const isLong = /\n/.test(value + after) || Math.max(value.length, after.length) > 200;
    return { label: name, value, after, kind: isLong ? 'long' : 'short' };
  });
}

/** Null for a record that is not there. @throws UpstreamError */
export async function orMissing(look: Promise<JsonObject>): Promise<JsonObject | null> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof UpstreamError && error.status === 404) return null;
    throw error;
  }
}

export const READ = {
  risk: 'read',
  approval: 'auto',
  idempotency: 'natural',
  card: plainCard,
} as const satisfies Partial<FunctionDefinition>;

export const WRITE = { risk: 'write', approval: 'ask' } as const satisfies Partial<FunctionDefinition>;

/** Nothing brings it back: off until an admin turns it on, and then asked about every time. */
export const IRREVERSIBLE = {
  risk: 'destructive',
  approval: 'off',
  askEveryTime: true,
} as const satisfies Partial<FunctionDefinition>;
