/** HubSpot functions that tie records together, merge them, and forget a person. */
import { z } from 'zod';
import { input, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { callHubspot, PATHS } from './api.js';
import {
  fetchRecord,
  IRREVERSIBLE,
  observeRecord,
  recordId,
  recordLine,
  recordOf,
  typeIn,
  WRITE,
} from './fields.js';
import { type TypeName, titleProperties, withMerge, writeScopes } from './object-types.js';
import { associationLabel, labelBody, labelText } from './writing.js';

async function lineOf(context: CallContext, type: TypeName, id: string): Promise<string> {
  return recordLine(type, await fetchRecord(context, type, id, { properties: titleProperties(type) }));
}

/** Two records as an approver recognises them. */
async function observePair(
  context: CallContext,
  [oneLabel, oneType, oneId]: readonly [string, TypeName, string],
  [otherLabel, otherType, otherId]: readonly [string, TypeName, string],
) {
  const [one, other] = await Promise.all([
    lineOf(context, oneType, oneId),
    lineOf(context, otherType, otherId),
  ]);
  return { fields: [...short(oneLabel, one), ...short(otherLabel, other)], version: '' };
}

function associationFunctions(types: readonly TypeName[]): readonly FunctionDefinition[] {
  const type = typeIn(types);
  const scopes = writeScopes(types);
  const pair = { from_type: type, from_id: recordId, to_type: type, to_id: recordId };
  const tie = input(
    z.strictObject({
      ...pair,
      labels: z
        .array(associationLabel)
        .max(10)
        .default([])
        .describe('How they are tied, as list_associations shows it; left out, without a label.'),
    }),
  );
  const untie = input(z.strictObject(pair));
  return [
    defineFunction({
      ...WRITE,
      name: 'associate_records',
      title: 'Tie two records',
      description: 'Ties two records together, for example a contact to a company.',
      scopes,
      idempotency: 'natural',
      input: tie.schema,
      output: '{from_id, to_id}',
      card: (args) => {
        const { from_type: from, from_id: fromId, to_type: to, to_id: toId, labels } = tie.read(args);
        return [
          ...short('From', `${from} ${fromId}`),
          ...short('To', `${to} ${toId}`),
          ...short('Labels', labels.map(labelText)),
        ];
      },
      observe: {
        read: (context, args) => {
          const { from_type: from, from_id: fromId, to_type: to, to_id: toId } = tie.read(args);
          return observePair(context, ['From', from, fromId], ['To', to, toId]);
        },
        condition: null,
      },
      async run(context, args) {
        const { from_type: from, from_id: fromId, to_type: to, to_id: toId, labels } = tie.read(args);
        const path = [fromId, 'associations', ...(labels.length > 0 ? [] : ['default']), to, toId];
        const body = labels.length > 0 ? { json: labels.map(labelBody) } : {};
        await callHubspot(context, 'PUT', PATHS.objects(from), path, body);
        return { from_id: fromId, to_id: toId };
      },
    }),
    defineFunction({
      risk: 'destructive',
      approval: 'ask',
      name: 'remove_association',
      title: 'Untie two records',
      description: 'Takes away every tie between two records. The records stay.',
      scopes,
      idempotency: 'natural',
      input: untie.schema,
      output: '{from_id, to_id}',
      card: (args) => {
        const { from_type: from, from_id: fromId, to_type: to, to_id: toId } = untie.read(args);
        return [...short('From', `${from} ${fromId}`), ...short('To', `${to} ${toId}`)];
      },
      observe: {
        read: (context, args) => {
          const { from_type: from, from_id: fromId, to_type: to, to_id: toId } = untie.read(args);
          return observePair(context, ['From', from, fromId], ['To', to, toId]);
        },
        condition: null,
      },
      async run(context, args) {
        const { from_type: from, from_id: fromId, to_type: to, to_id: toId } = untie.read(args);
        await callHubspot(context, 'DELETE', PATHS.objects(from), [fromId, 'associations', to, toId]);
        return { from_id: fromId, to_id: toId };
      },
    }),
  ];
}

function mergeFunction(types: readonly TypeName[]): FunctionDefinition {
  const merge = input(
    z
      .strictObject({
        object_type: typeIn(types),
        keep_id: recordId.describe('Its values win where both have one.'),
        merge_id: recordId.describe('Goes into the other and ends.'),
      })
      .refine((pair) => pair.keep_id !== pair.merge_id, 'names the same record twice'),
  );
  return defineFunction({
    ...IRREVERSIBLE,
    name: 'merge_records',
    title: 'Merge two records',
    description: `Merges two records (${types.join(', ')}) into one, for good.`,
    scopes: writeScopes(types),
    idempotency: 'none',
    input: merge.schema,
    output: '{id, properties, created_at, updated_at, archived, url?}: the record that is left',
    card: (args) => {
      const { object_type: kind, keep_id: keep, merge_id: other } = merge.read(args);
      return [...short('Stays', `${kind} ${keep}`), ...short('Goes into it', `${kind} ${other}`)];
    },
    observe: {
      read: (context, args) => {
        const { object_type: kind, keep_id: keep, merge_id: other } = merge.read(args);
        return observePair(context, ['Stays', kind, keep], ['Goes into it', kind, other]);
      },
      condition: null,
    },
    async run(context, args) {
      const { object_type: kind, keep_id: primaryObjectId, merge_id: objectIdToMerge } = merge.read(args);
      const json = { primaryObjectId, objectIdToMerge };
      return recordOf(await callHubspot(context, 'POST', PATHS.objects(kind), ['merge'], { json }));
    },
  });
}

function forgetFunction(): FunctionDefinition {
  const forgotten = input(z.strictObject({ id: recordId }));
  return defineFunction({
    ...IRREVERSIBLE,
    name: 'gdpr_delete_contact',
    title: 'Delete a contact for good (GDPR)',
    description: 'Deletes a contact and everything about it, for good, as the GDPR asks.',
    scopes: writeScopes(['contacts']),
    idempotency: 'natural',
    input: forgotten.schema,
    output: '{deleted}: the id',
    card: (args) => short('Contact', forgotten.read(args).id),
    observe: {
      read: (context, args) => observeRecord(context, 'contacts', forgotten.read(args).id, {}, 'Contact'),
      condition: null,
    },
    async run(context, args) {
      const { id: objectId } = forgotten.read(args);
      await callHubspot(context, 'POST', PATHS.objects('contacts'), ['gdpr-delete'], { json: { objectId } });
      return { deleted: objectId };
    },
  });
}

export function relationFunctions(types: readonly TypeName[]): readonly FunctionDefinition[] {
  const mergeable = withMerge(types);
  return [
    ...associationFunctions(types),
    ...(mergeable.length > 0 ? [mergeFunction(mergeable)] : []),
    ...(types.includes('contacts') ? [forgetFunction()] : []),
  ];
}
