/** Any HTTP API that describes itself with OpenAPI: an import names the operations, an admin picks the functions. */
import { z } from 'zod';
import { defineConnector, type FunctionDefinition, type JsonValue } from '../framework.js';
import { auth, DEFAULT_KEY_HEADER, endpointProblem, keyPlace } from './auth.js';
import { baseUrlProblem } from './base-url.js';
import { operationFunction, type RestTarget } from './functions.js';
import { importedOperation, isForbiddenHeader, isHeaderName } from './operation.js';
import { rawRequestFunction } from './raw.js';

export { missingSetting } from './auth.js';
export { parseBaseUrl } from './base-url.js';
export { importOpenApi } from './import.js';
export type { ImportedOperation, ImportResult, SuggestedAuthentication } from './operation.js';

type Config = Readonly<Record<string, JsonValue>>;

const keyName = z
  .string()
  .refine(isHeaderName, 'is not a name for a header or query parameter')
  .refine(
    (name) => !isForbiddenHeader(name) || name.toLowerCase() === 'authorization',
    'is set by the transport itself',
  );

const endpoint = z
  .string()
  .max(2_048)
  .refine((text) => endpointProblem(text) === undefined, {
    error: (issue) => endpointProblem(String(issue.input)) ?? 'is not an address',
  });

const config = z
  .strictObject({
    base_url: z.string().refine((text) => baseUrlProblem(text) === undefined, {
      error: (issue) => baseUrlProblem(String(issue.input)) ?? 'is not a base URL',
    }),
    /** The picked operations only, each with all that a call needs. */
    operations: z.array(importedOperation).max(500),
    document_hash: z.exactOptional(z.string().regex(/^[0-9a-f]{64}$/)),
    /** Where the document was read from, to be read again; absent when it was pasted. */
    document_url: z.exactOptional(endpoint),
    api_key_in: z.exactOptional(z.enum(['header', 'query'])),
    api_key_name: z.exactOptional(keyName),
    idempotency_header: z.exactOptional(
      keyName.refine((name) => !isForbiddenHeader(name), 'cannot carry a key'),
    ),
    authorize_url: z.exactOptional(endpoint),
    token_url: z.exactOptional(endpoint),
    revoke_url: z.exactOptional(endpoint),
    /** RFC 6749, 3.3: printable ASCII with spaces between. */
    scopes: z.exactOptional(
      z
        .string()
        .max(2_000)
        .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/, 'has a character that no scope can have'),
    ),
    client_auth: z.exactOptional(z.enum(['post', 'basic'])),
    pkce: z.exactOptional(z.enum(['on', 'off'])),
  })
  .refine(
    ({ operations }) => new Set(operations.map(({ name }) => name)).size === operations.length,
    'two operations have the same name',
  );

function baseUrlOf(values: Config): string {
  return String(values.base_url).replace(/\/+$/, '');
}

export const restConnector = defineConnector({
  id: 'rest',
  title: 'REST API',
  description: 'Any HTTP API with an OpenAPI document. You pick which operations become functions.',
  identities: ['shared', 'private'],
  auth,
  fields: [
    {
      name: 'openapi',
      label: 'OpenAPI document',
      kind: 'multiline',
      hint: 'Its address, or the document itself (JSON or YAML, OpenAPI 3.0 or 3.1).',
      placeholder: 'https://api.example.com/openapi.json',
    },
    {
      name: 'base_url',
      label: 'Base URL',
      kind: 'url',
      optional: true,
      hint: 'Left empty, the first server of the document is used.',
      placeholder: 'https://api.example.com/v1',
    },
    {
      name: 'api_key_in',
      label: 'Where the API key goes',
      kind: 'select',
      auth: ['api_key'],
      optional: true,
      hint: 'Left empty, where the document says, else in a header.',
      options: [
        { value: 'header', label: 'In a header' },
        { value: 'query', label: 'In the query' },
      ],
    },
    {
      name: 'api_key_name',
      label: 'Name of the API key header or parameter',
      kind: 'text',
      auth: ['api_key'],
      optional: true,
      placeholder: DEFAULT_KEY_HEADER,
    },
    {
      name: 'idempotency_header',
      label: 'Idempotency header',
      kind: 'text',
      optional: true,
      hint: 'If the API drops repeats of a key in a header, name it here. Only then is a POST ever sent again.',
      placeholder: 'Idempotency-Key',
    },
    {
      name: 'authorize_url',
      label: 'Authorization URL',
      kind: 'url',
      auth: ['oauth'],
      optional: true,
      hint: 'Where people sign in. Left empty, the one that the document names.',
      placeholder: 'https://login.example.com/oauth/authorize',
    },
    {
      name: 'token_url',
      label: 'Token URL',
      kind: 'url',
      auth: ['oauth', 'client_credentials'],
      optional: true,
      hint: 'Left empty, the one that the document names.',
      placeholder: 'https://login.example.com/oauth/token',
    },
    {
      name: 'revoke_url',
      label: 'Revocation URL',
      kind: 'url',
      auth: ['oauth'],
      optional: true,
      hint: 'Where a token is given back when somebody disconnects (RFC 7009), if the server has that.',
    },
    {
      name: 'scopes',
      label: 'Scopes',
      kind: 'text',
      auth: ['oauth', 'client_credentials'],
      optional: true,
      hint: 'With spaces between. Left empty, what the document asks for the functions that you pick.',
    },
    {
      name: 'client_auth',
      label: 'How the client proves itself',
      kind: 'select',
      auth: ['oauth', 'client_credentials'],
      optional: true,
      initial: 'post',
      options: [
        { value: 'post', label: 'Id and secret in the request' },
        { value: 'basic', label: 'Id and secret as user name and password' },
      ],
    },
    {
      name: 'pkce',
      label: 'Proof key (PKCE)',
      kind: 'select',
      auth: ['oauth'],
      optional: true,
      initial: 'on',
      hint: 'Off only for a server that refuses it.',
      options: [
        { value: 'on', label: 'On' },
        { value: 'off', label: 'Off' },
      ],
    },
  ],
  config,
  egress(values) {
    const url = new URL(baseUrlOf(values));
    return [{ origin: url.origin, pathPrefix: `${url.pathname.replace(/\/+$/, '')}/` }];
  },
  functions: (values) => functionsOf(config.parse(values)),
  proposedName: (values) =>
    URL.canParse(baseUrlOf(values)) ? `${new URL(baseUrlOf(values)).host} API` : 'REST API',
});

function functionsOf(values: z.infer<typeof config>): readonly FunctionDefinition[] {
  const target: RestTarget = {
    baseUrl: baseUrlOf(values),
    credential: keyPlace(values),
    idempotencyHeader: values.idempotency_header,
  };
  return [
    ...values.operations.map((operation) => operationFunction(operation, target)),
    rawRequestFunction(target),
  ];
}
