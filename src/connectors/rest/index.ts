/** Any HTTP API that describes itself with OpenAPI: an import names the operations, an admin picks the functions. */
import { z } from 'zod';
import {
  type AuthMethod,
  defineConnector,
  type FunctionDefinition,
  type JsonValue,
  type UpstreamRequest,
} from '../framework.js';
import { baseUrlProblem } from './base-url.js';
import { operationFunction, type RestTarget } from './functions.js';
import { importedOperation, isForbiddenHeader, isHeaderName } from './operation.js';
import { rawRequestFunction } from './raw.js';

export { parseBaseUrl } from './base-url.js';
export { importOpenApi } from './import.js';
export type { ImportedOperation, ImportResult, SuggestedAuthentication } from './operation.js';

type Config = Readonly<Record<string, JsonValue>>;

const DEFAULT_KEY_HEADER = 'X-API-Key';
const keyName = z
  .string()
  .refine(isHeaderName, 'is not a name for a header or query parameter')
  .refine(
    (name) => !isForbiddenHeader(name) || name.toLowerCase() === 'authorization',
    'is set by the transport itself',
  );

const config = z
  .strictObject({
    base_url: z.string().refine((text) => baseUrlProblem(text) === undefined, {
      error: (issue) => baseUrlProblem(String(issue.input)) ?? 'is not a base URL',
    }),
    /** The picked operations only, each with all that a call needs. */
    operations: z.array(importedOperation).max(500),
    document_hash: z.exactOptional(z.string().regex(/^[0-9a-f]{64}$/)),
    api_key_in: z.exactOptional(z.enum(['header', 'query'])),
    api_key_name: z.exactOptional(keyName),
    idempotency_header: z.exactOptional(
      keyName.refine((name) => !isForbiddenHeader(name), 'cannot carry a key'),
    ),
  })
  .refine(
    ({ operations }) => new Set(operations.map(({ name }) => name)).size === operations.length,
    'two operations have the same name',
  );

function keyPlace(values: Config): { in: 'header' | 'query'; name: string } {
  const name = typeof values.api_key_name === 'string' ? values.api_key_name : DEFAULT_KEY_HEADER;
  return { in: values.api_key_in === 'query' ? 'query' : 'header', name };
}

function baseUrlOf(values: Config): string {
  return String(values.base_url).replace(/\/+$/, '');
}

function withHeader(request: UpstreamRequest, name: string, value: string): UpstreamRequest {
  const others = Object.entries(request.headers ?? {}).filter(
    ([known]) => known.toLowerCase() !== name.toLowerCase(),
  );
  return { ...request, headers: { ...Object.fromEntries(others), [name]: value } };
}

const auth: readonly AuthMethod[] = [
  {
    id: 'api_key',
    kind: 'secret',
    title: 'API key',
    fields: [{ name: 'api_key', label: 'API key', kind: 'secret' }],
    apply(request, secret, values) {
      const place = keyPlace(values);
      const key = secret.api_key ?? '';
      if (place.in === 'header') return withHeader(request, place.name, key);
      return { ...request, query: { ...request.query, [place.name]: key } };
    },
  },
  {
    id: 'bearer',
    kind: 'secret',
    title: 'Bearer token',
    fields: [{ name: 'token', label: 'Bearer token', kind: 'secret' }],
    apply: (request, secret) => withHeader(request, 'Authorization', `Bearer ${secret.token ?? ''}`),
  },
  {
    id: 'basic',
    kind: 'secret',
    title: 'User name and password',
    fields: [
      { name: 'username', label: 'User name', kind: 'text' },
      { name: 'password', label: 'Password', kind: 'secret' },
    ],
    apply(request, secret) {
      const pair = Buffer.from(`${secret.username ?? ''}:${secret.password ?? ''}`).toString('base64');
      return withHeader(request, 'Authorization', `Basic ${pair}`);
    },
  },
  { id: 'none', kind: 'none', title: 'No sign-in' },
];

export const restConnector = defineConnector({
  id: 'rest',
  title: 'REST API',
  description: 'Any HTTP API with an OpenAPI document. You pick which operations become functions.',
  identities: ['shared'],
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
      label: 'Where an API key goes',
      kind: 'select',
      optional: true,
      initial: 'header',
      options: [
        { value: 'header', label: 'In a header' },
        { value: 'query', label: 'In the query' },
      ],
    },
    {
      name: 'api_key_name',
      label: 'Name of the API key header or parameter',
      kind: 'text',
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
