/** HubSpot's CRM: records of the kinds that the connection is set up for. */
import { z } from 'zod';
import { type AuthMethod, defineConnector, type FunctionDefinition } from '../framework.js';
import { numberOf } from '../json.js';
import { callHubspot, PATHS } from './api.js';
import { lookUpFunctions } from './looking-up.js';
import { objectTypes, TYPE_NAMES, type TypeName, typesOf, withPipelines } from './object-types.js';
import { readingFunctions } from './reading.js';
import { relationFunctions } from './relations.js';
import { writingFunctions } from './writing.js';

const auth: readonly AuthMethod[] = [
  {
    id: 'oauth',
    kind: 'oauth',
    title: 'Sign in with HubSpot',
    provider: 'hubspot',
    baseScopes: ['oauth'],
    recommended: { identity: 'private', why: 'each member allows it herself and can take it back' },
  },
  {
    id: 'bearer',
    kind: 'secret',
    title: 'Private app token',
    identities: ['shared'],
    recommended: { identity: 'shared', why: 'it belongs to the account, not to a person who may leave' },
    hint: 'The app needs the scopes that the functions of this connection name, and no others.',
    fields: [
      { name: 'token', label: 'Access token', kind: 'secret', hint: 'Settings, Integrations, Private Apps.' },
    ],
    apply: (request, secret) => ({
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${secret.token ?? ''}` },
    }),
  },
];

/** Building the schemas takes milliseconds, and there are few sets of types. */
const built = new Map<string, readonly FunctionDefinition[]>();

function functionsOf(types: readonly TypeName[]): readonly FunctionDefinition[] {
  const cacheKey = types.join();
  const known = built.get(cacheKey) ?? [
    ...readingFunctions(types),
    ...lookUpFunctions(types),
    ...writingFunctions(types),
    ...relationFunctions(types),
  ];
  built.set(cacheKey, known);
  return known;
}

export const hubspotConnector = defineConnector({
  id: 'hubspot',
  title: 'HubSpot',
  description: 'Find, read and write contacts, companies, deals, tickets and their notes and tasks.',
  identities: ['shared', 'private'],
  auth,
  fields: [
    {
      name: 'object_types',
      label: 'Kinds of records',
      kind: 'text',
      optional: true,
      initial: 'contacts',
      hint: `Only these can be reached, and only their scopes are asked for: ${TYPE_NAMES.join(', ')}.`,
      placeholder: 'contacts, companies, deals',
    },
  ],
  baseUrl: 'https://api.hubapi.com',
  config: z.strictObject({ object_types: objectTypes }),
  egress(config, baseUrl) {
    const { origin, pathname } = new URL(baseUrl);
    const prefix = pathname.replace(/\/+$/, '');
    const types = typesOf(config);
    const paths = [
      ...types.map(PATHS.objects),
      ...types.map(PATHS.properties),
      ...withPipelines(types).map(PATHS.pipelines),
      ...types.flatMap((from) => types.map((to) => PATHS.associations(from, to))),
      PATHS.owners,
      PATHS.account,
    ];
    return paths.map((path) => ({ origin, pathPrefix: `${prefix}${path}` }));
  },
  functions: (config) => functionsOf(typesOf(config)),
  account: async (context) => {
    const { portalId } = await callHubspot(context, 'GET', PATHS.account);
    return `HubSpot account ${numberOf(portalId) ?? ''}`.trim();
  },
  proposedName: () => 'HubSpot',
});
