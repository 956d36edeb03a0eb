/** HubSpot functions that look up what a call on records needs: properties, pipelines, owners. */
import { z } from 'zod';
import { input, oneLine, pageSize } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf } from '../json.js';
import { callHubspot, nextPage, PATHS } from './api.js';
import { page, READ, typeIn } from './fields.js';
import { readScopes, type TypeName, withPipelines } from './object-types.js';

/** Choices of one property; some (countries, owners) have hundreds. */
const MOST_OPTIONS = 100;

const owners = input(
  z.strictObject({ email: z.exactOptional(z.email().max(254)), limit: pageSize(100), page_token: page }),
);

function propertyOf(property: JsonObject): JsonObject {
  const options = objectsIn(property.options).filter(({ hidden }) => hidden !== true);
  return {
    name: textOf(property.name),
    label: textOf(property.label),
    group: textOf(property.groupName),
    type: textOf(property.type),
    field_type: textOf(property.fieldType),
    description: textOf(property.description),
    unique: property.hasUniqueValue === true,
    read_only: objectOf(property.modificationMetadata).readOnlyValue === true,
    options: options
      .slice(0, MOST_OPTIONS)
      .map(({ value, label }) => ({ value: textOf(value), label: textOf(label) })),
    truncated: options.length > MOST_OPTIONS,
  };
}

function pipelinesFunction(types: readonly TypeName[]): FunctionDefinition {
  const schema = input(z.strictObject({ object_type: typeIn(types) }));
  return defineFunction({
    ...READ,
    name: 'list_pipelines',
    title: 'List pipelines',
    description: `Lists the pipelines of ${types.join(', ')} and their stages.`,
    scopes: readScopes(types),
    input: schema.schema,
    output: '{pipelines: [{id, label, stages: [{id, label}]}]}',
    async run(context, args) {
      const answer = await callHubspot(context, 'GET', PATHS.pipelines(schema.read(args).object_type));
      return {
        pipelines: objectsIn(answer.results).map((pipeline) => ({
          id: textOf(pipeline.id),
          label: textOf(pipeline.label),
          stages: objectsIn(pipeline.stages).map(({ id, label }) => ({
            id: textOf(id),
            label: textOf(label),
          })),
        })),
      };
    },
  });
}

export function lookUpFunctions(types: readonly TypeName[]): readonly FunctionDefinition[] {
  const named = input(
    z.strictObject({
      object_type: typeIn(types),
      query: z.exactOptional(oneLine(200)).describe('Only properties with this in their name or label.'),
    }),
  );
  const piped = withPipelines(types);
  return [
    defineFunction({
      ...READ,
      name: 'list_properties',
      title: 'List properties',
      description: 'Lists the properties that records of one kind have, with the values they take.',
      scopes: readScopes(types),
      input: named.schema,
      output:
        '{properties: [{name, label, group, type, field_type, description, unique, read_only, options: [{value, label}], truncated}]}',
      async run(context, args) {
        const { object_type: type, query = '' } = named.read(args);
        const answer = await callHubspot(context, 'GET', PATHS.properties(type));
        const wanted = query.toLowerCase();
        const found = objectsIn(answer.results)
          .map(propertyOf)
          .filter(({ name, label }) => `${textOf(name)}\n${textOf(label)}`.toLowerCase().includes(wanted));
        return { properties: found };
      },
    }),
    ...(piped.length > 0 ? [pipelinesFunction(piped)] : []),
    defineFunction({
      ...READ,
      name: 'list_owners',
      title: 'List owners',
      description: 'Lists the people of the account to whom records can belong.',
      scopes: ['crm.objects.owners.read'],
      input: owners.schema,
      output: '{owners: [{id, email, name, teams: [name]}], next_page_token}',
      async run(context, args) {
        const { email, limit, page_token: after } = owners.read(args);
        const answer = await callHubspot(context, 'GET', PATHS.owners, [], {
          query: { email, limit: String(limit), after },
        });
        return {
          owners: objectsIn(answer.results).map((owner) => ({
            id: textOf(owner.id),
            email: textOf(owner.email),
            name: `${textOf(owner.firstName)} ${textOf(owner.lastName)}`.trim(),
            teams: objectsIn(owner.teams).map(({ name }) => textOf(name)),
          })),
          next_page_token: nextPage(answer),
        };
      },
    }),
  ];
}
