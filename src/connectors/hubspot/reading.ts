/** HubSpot functions that read records. */
import { z } from 'zod';
import { input, pageSize } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { compact, type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { batchErrors, callHubspot, nextPage, PATHS } from './api.js';
import {
  fetchRecord,
  page,
  properties,
  propertyName,
  READ,
  recordId,
  recordOf,
  typeIn,
  uniqueValue,
} from './fields.js';
import { readScopes, type TypeName } from './object-types.js';

const text = z.string().min(1).max(3_000);
/** Operators: `Filter` of objects.json, 2026-09. */
const filter = z
  .strictObject({
    property: propertyName,
    operator: z.enum([
      'EQ',
      'NEQ',
      'LT',
      'LTE',
      'GT',
      'GTE',
      'BETWEEN',
      'IN',
      'NOT_IN',
      'HAS_PROPERTY',
      'NOT_HAS_PROPERTY',
      'CONTAINS_TOKEN',
      'NOT_CONTAINS_TOKEN',
    ]),
    value: z.exactOptional(text),
    values: z.exactOptional(z.array(text).min(1).max(100)).describe('For IN and NOT_IN.'),
    high_value: z.exactOptional(text).describe('For BETWEEN, the upper end; value is the lower one.'),
  })
  .refine(({ operator, value, values, high_value: high }) => {
    if (/IN$/.test(operator)) return values !== undefined && value === undefined;
    if (/HAS_PROPERTY$/.test(operator)) return value === undefined && values === undefined;
    return value !== undefined && values === undefined && (operator === 'BETWEEN') === (high !== undefined);
  }, 'has not the values that its operator takes');

/** HubSpot takes no more filters than this in one search (its documentation on search limits). */
const MOST_FILTERS = 18;

export function readingFunctions(types: readonly TypeName[]): readonly FunctionDefinition[] {
  const type = typeIn(types);
  const scopes = readScopes(types);
  const associations = z
    .array(type)
    .max(10)
    .default([])
    .describe('Also lists ids of records of these kinds that are tied to it.');
  const search = input(
    z
      .strictObject({
        object_type: type,
        query: z.exactOptional(text).describe('Words, looked for in the usual text properties.'),
        filter_groups: z
          .array(z.array(filter).min(1).max(6))
          .max(6)
          .default([])
          .describe('A record is found if all filters of any one group fit it.'),
        sort: z
          .exactOptional(z.string().regex(/^-?[A-Za-z]\w{0,249}$/, 'is not the name of a property'))
          .describe('Property to sort by; a minus in front sorts downwards: -createdate'),
        properties,
        limit: pageSize(100),
        page_token: page,
      })
      .refine(
        ({ filter_groups: groups }) => groups.flat().length <= MOST_FILTERS,
        `holds more than ${MOST_FILTERS} filters`,
      ),
  );
  const list = input(
    z.strictObject({ object_type: type, properties, associations, limit: pageSize(100), page_token: page }),
  );
  const one = input(
    z.strictObject({
      object_type: type,
      id: uniqueValue.describe('Id of the record, or a value of id_property.'),
      id_property: z
        .exactOptional(propertyName)
        .describe('A property with unique values, for example email.'),
      properties,
      associations,
    }),
  );
  const batch = input(
    z.strictObject({
      object_type: type,
      ids: z.array(uniqueValue).min(1).max(100),
      id_property: z
        .exactOptional(propertyName)
        .describe('The ids are values of this property, for example email.'),
      properties,
    }),
  );
  const tied = input(
    z.strictObject({
      from_type: type,
      id: recordId,
      to_type: type,
      page_token: page,
    }),
  );

  return [
    defineFunction({
      ...READ,
      name: 'search_records',
      title: 'Search records',
      description: `Finds records (${types.join(', ')}) by words and by filters on their properties.`,
      scopes,
      input: search.schema,
      output: '{records: [{id, properties, created_at, updated_at, archived, url?}], total, next_page_token}',
      async run(context, args) {
        const {
          object_type: asked,
          query,
          filter_groups: groups,
          sort,
          properties: names,
          limit,
          page_token: after,
        } = search.read(args);
        const filterGroups = groups.map((filters) => ({
          filters: filters.map((each) =>
            compact({
              propertyName: each.property,
              operator: each.operator,
              value: each.value,
              values: each.values,
              highValue: each.high_value,
            }),
          ),
        }));
        const answer = await callHubspot(context, 'POST', PATHS.objects(asked), ['search'], {
          json: compact({
            query,
            filterGroups,
            sorts: sort === undefined ? [] : [sort],
            properties: names,
            limit,
            after: after ?? '0',
          }),
        });
        return {
          records: objectsIn(answer.results).map(recordOf),
          total: numberOf(answer.total) ?? 0,
          next_page_token: nextPage(answer),
        };
      },
    }),
    defineFunction({
      ...READ,
      name: 'list_records',
      title: 'List records',
      description: `Lists records of one kind (${types.join(', ')}).`,
      scopes,
      input: list.schema,
      output:
        '{records: [{id, properties, created_at, updated_at, archived, url?, associations?}], next_page_token}',
      async run(context, args) {
        const {
          object_type: asked,
          properties: names,
          associations: tiedTypes,
          limit,
          page_token: after,
        } = list.read(args);
        const answer = await callHubspot(context, 'GET', PATHS.objects(asked), [], {
          query: {
            limit: String(limit),
            after,
            properties: names.length > 0 ? names : undefined,
            associations: tiedTypes.length > 0 ? tiedTypes : undefined,
          },
        });
        return { records: objectsIn(answer.results).map(recordOf), next_page_token: nextPage(answer) };
      },
    }),
    defineFunction({
      ...READ,
      name: 'get_record',
      title: 'Read a record',
      description: `Reads one record (${types.join(', ')}) by its id or by a property with unique values.`,
      scopes,
      input: one.schema,
      output: '{id, properties, created_at, updated_at, archived, url?, associations?}',
      async run(context, args) {
        const { object_type: asked, id, id_property: idProperty, ...read } = one.read(args);
        return recordOf(
          await fetchRecord(context, asked, id, { ...read, ...(idProperty !== undefined && { idProperty }) }),
        );
      },
    }),
    defineFunction({
      ...READ,
      name: 'batch_get_records',
      title: 'Read several records',
      description: 'Reads up to 100 records of one kind. Ids that are not there are named in missing.',
      scopes,
      input: batch.schema,
      output: '{records: [{id, properties, created_at, updated_at, archived, url?}], missing: [id]}',
      async run(context, args) {
        const { object_type: asked, ids, id_property: idProperty, properties: names } = batch.read(args);
        const answer = await callHubspot(context, 'POST', PATHS.objects(asked), ['batch', 'read'], {
          json: compact({
            inputs: ids.map((id) => ({ id })),
            idProperty,
            properties: names,
            propertiesWithHistory: [],
          }),
        });
        return {
          records: objectsIn(answer.results).map(recordOf),
          missing: batchErrors(answer).flatMap((error) => error.ids),
        };
      },
    }),
    defineFunction({
      ...READ,
      name: 'list_associations',
      title: 'List associations',
      description: 'Lists the records of one kind that are tied to a record, and by which labels.',
      scopes,
      input: tied.schema,
      output: '{associations: [{id, labels: [{category, type_id, label}]}], next_page_token}',
      async run(context, args) {
        const { from_type: from, id, to_type: to, page_token: after } = tied.read(args);
        const answer = await callHubspot(context, 'POST', PATHS.associations(from, to), ['batch', 'read'], {
          json: { inputs: [compact({ id, after })] },
        });
        const [found = {}] = objectsIn(answer.results);
        return { associations: objectsIn(found.to).map(associationOf), next_page_token: nextPage(found) };
      },
    }),
  ];
}

function associationOf(tie: JsonObject): JsonObject {
  return {
    id: textOf(tie.toObjectId) || String(numberOf(tie.toObjectId) ?? ''),
    labels: objectsIn(tie.associationTypes).map((kind) => ({
      category: textOf(objectOf(kind).category),
      type_id: numberOf(kind.typeId),
      label: textOrNull(kind.label),
    })),
  };
}
