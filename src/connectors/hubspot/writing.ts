/** HubSpot functions that create, change and archive records. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, short } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { type JsonObject, objectsIn } from '../json.js';
import { batchErrors, callHubspot, PATHS } from './api.js';
import {
  changedFields,
  fetchRecord,
  observeRecord,
  orMissing,
  propertyName,
  recordId,
  recordLine,
  recordOf,
  texts,
  typeIn,
  uniqueValue,
  values,
  valuesCard,
  WRITE,
} from './fields.js';
import { type TypeName, titleProperties, writeScopes } from './object-types.js';

const RECORD = '{id, properties, created_at, updated_at, archived, url?}';

/** How two records are tied: `AssociationSpec` of objects.json, 2026-09. */
export const associationLabel = z.strictObject({
  type_id: z.int().min(1).max(1_000_000_000),
  category: z
    .enum(['HUBSPOT_DEFINED', 'USER_DEFINED', 'INTEGRATOR_DEFINED', 'WORK'])
    .default('HUBSPOT_DEFINED'),
});

/** What a type's number means depends on whose type it is. */
export function labelText({ type_id: type, category }: z.output<typeof associationLabel>): string {
  return `${category === 'HUBSPOT_DEFINED' ? '' : `${category} `}type ${type}`;
}

export function labelBody(label: z.output<typeof associationLabel>): JsonObject {
  return { associationCategory: label.category, associationTypeId: label.type_id };
}

export function writingFunctions(types: readonly TypeName[]): readonly FunctionDefinition[] {
  const type = typeIn(types);
  const scopes = writeScopes(types);
  const some = values.refine((given) => Object.keys(given).length > 0, 'names no property');
  const created = input(
    z.strictObject({
      object_type: type,
      properties: some,
      associations: z
        .array(z.strictObject({ to_id: recordId, ...associationLabel.shape }))
        .max(100)
        .default([])
        .describe('Records to tie it to. type_id says how, for example 202 for a note of a contact.'),
    }),
  );
  const upserted = input(
    z.strictObject({
      object_type: type,
      id_property: propertyName.describe('A property with unique values, for example email.'),
      id: uniqueValue.describe('Its value: the record that has it is changed, else one is created.'),
      properties: some,
    }),
  );
  const updated = input(z.strictObject({ object_type: type, id: recordId, properties: some }));
  const archived = input(z.strictObject({ object_type: type, id: recordId }));

  return [
    defineFunction({
      ...WRITE,
      name: 'create_record',
      title: 'Create a record',
      description: `Creates a record (${types.join(', ')}). Where a property is unique, upsert_record is safer.`,
      scopes,
      idempotency: 'none',
      input: created.schema,
      output: RECORD,
      card: (args) => {
        const { object_type: kind, properties, associations } = created.read(args);
        return [
          ...short('Kind', kind),
          ...valuesCard(properties),
          ...short(
            'Tied to',
            associations.map((tie) => `${tie.to_id} (${labelText(tie)})`),
          ),
        ];
      },
      observe: { none: 'It creates something new; there is no target yet.' },
      async run(context, args) {
        const { object_type: kind, properties, associations } = created.read(args);
        const ties = associations.map((tie) => ({ to: { id: tie.to_id }, types: [labelBody(tie)] }));
        const json = { properties: texts(properties), associations: ties };
        return recordOf(await callHubspot(context, 'POST', PATHS.objects(kind), [], { json }));
      },
    }),
    defineFunction({
      ...WRITE,
      name: 'upsert_record',
      title: 'Create or change a record',
      description: `Changes the record (${types.join(', ')}) with a unique value, or creates it. Repeating it creates no second one.`,
      scopes,
      idempotency: 'key',
      input: upserted.schema,
      output: '{id, properties, created_at, updated_at, archived, url?, created}: created tells a new one',
      card: (args) => {
        const { object_type: kind, id_property: name, id, properties } = upserted.read(args);
        return [...short('Kind', kind), ...short('Where', `${name} is ${id}`), ...valuesCard(properties)];
      },
      observe: {
        async read(context, args) {
          const { object_type: kind, id_property: idProperty, id, properties } = upserted.read(args);
          const names = [...new Set([...titleProperties(kind), ...Object.keys(properties)])];
          const record = await orMissing(fetchRecord(context, kind, id, { properties: names, idProperty }));
          const line = record ? recordLine(kind, record) : 'None yet; it is created';
          return {
            fields: [...short('Record', line), ...changedFields(record ?? {}, properties)],
            version: '',
          };
        },
        condition: null,
      },
      async run(context, args) {
        const { object_type: kind, id_property: idProperty, id, properties } = upserted.read(args);
        const answer = await callHubspot(context, 'POST', PATHS.objects(kind), ['batch', 'upsert'], {
          json: { inputs: [{ id, idProperty, properties: texts(properties) }] },
        });
        const [record] = objectsIn(answer.results);
        if (record) return { ...recordOf(record), created: record.new === true };
        const [refused] = batchErrors(answer);
        const said = refused ? `refused the call: ${refused.message.slice(0, 300)}` : 'named no record.';
        throw new UpstreamError('upstream_rejected', `HubSpot ${said}`, { definite: refused !== undefined });
      },
    }),
    defineFunction({
      ...WRITE,
      name: 'update_record',
      title: 'Change a record',
      description: `Changes properties of a record (${types.join(', ')}). What is not named stays as it is.`,
      scopes,
      idempotency: 'natural',
      input: updated.schema,
      output: RECORD,
      card: (args) => {
        const { object_type: kind, id, properties } = updated.read(args);
        return [...short('Record', `${kind} ${id}`), ...valuesCard(properties)];
      },
      observe: {
        read: (context, args) => {
          const { object_type: kind, id, properties } = updated.read(args);
          return observeRecord(context, kind, id, properties);
        },
        condition: null,
      },
      async run(context, args) {
        const { object_type: kind, id, properties } = updated.read(args);
        const json = { properties: texts(properties) };
        return recordOf(await callHubspot(context, 'PATCH', PATHS.objects(kind), [id], { json }));
      },
    }),
    defineFunction({
      risk: 'destructive',
      approval: 'ask',
      name: 'archive_record',
      title: 'Archive a record',
      description: `Puts a record (${types.join(', ')}) into the recycle bin, with its ties to other records.`,
      scopes,
      idempotency: 'natural',
      input: archived.schema,
      output: '{archived}: the id',
      card: (args) => {
        const { object_type: kind, id } = archived.read(args);
        return short('Record', `${kind} ${id}`);
      },
      observe: {
        read: (context, args) => {
          const { object_type: kind, id } = archived.read(args);
          return observeRecord(context, kind, id);
        },
        condition: null,
      },
      async run(context, args) {
        const { object_type: kind, id } = archived.read(args);
        await callHubspot(context, 'DELETE', PATHS.objects(kind), [id]);
        return { archived: id };
      },
    }),
  ];
}
