/** `http_request`: any path below the base URL. Off until an admin turns it on, then it asks. */
import { z } from 'zod';
import {
  type Arguments,
  defineFunction,
  type FunctionDefinition,
  type UpstreamRequest,
  zodInput,
} from '../framework.js';
import { ANSWER, answerOf } from './answer.js';
import { type RestTarget, requestCard, requestIssue, send } from './functions.js';
import { RAW_REQUEST } from './import-operations.js';
import { HTTP_METHODS, isMethodOverride } from './operation.js';
import { BadArgument, belowBase, headerValue } from './request.js';

/** The only headers that a caller may set here. */
const ALLOWED_HEADERS = [
  'accept',
  'accept-language',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'prefer',
];
const LARGEST_BODY = 256 * 1024;

const rawInput = z.strictObject({
  method: z.enum(HTTP_METHODS).describe('The HTTP method.'),
  path: z
    .string()
    .min(1)
    .max(2_048)
    .startsWith('/')
    .describe('Path below the base URL of the connection, percent-encoded, without a query: /tickets/7'),
  query: z.exactOptional(
    z.record(
      z.string().min(1).max(256),
      z.union([z.string().max(8_192), z.array(z.string().max(8_192)).max(100)]),
    ),
  ),
  headers: z
    .exactOptional(z.record(z.string().min(1).max(256), z.string().max(8_192)))
    .describe(`Only ${ALLOWED_HEADERS.join(', ')}.`),
  body: z.exactOptional(z.json()).describe('Sent as JSON, at most 256 KB. Not with GET or HEAD.'),
});

const checked = zodInput(rawInput);

export function rawRequestFunction(target: RestTarget): FunctionDefinition {
  const { host } = new URL(target.baseUrl);
  return defineFunction({
    name: RAW_REQUEST,
    title: 'Send any HTTP request',
    description: 'Sends a request of your own to a path below the base URL of this connection.',
    risk: 'destructive',
    riskOf: (args) => {
      if (args.method === 'GET' || args.method === 'HEAD') return 'read';
      return args.method === 'DELETE' ? 'destructive' : 'write';
    },
    approval: 'off',
    scopes: [],
    idempotency: 'none',
    input: {
      jsonSchema: checked.jsonSchema,
      parse(value) {
        const parsed = checked.parse(value);
        if (!parsed.ok) return parsed;
        const issue = requestIssue(() => rawRequest(target, parsed.value));
        return issue === undefined ? parsed : { ok: false, issues: [issue] };
      },
    },
    output: ANSWER,
    signature: `* ${target.baseUrl}/*`,
    observe: { none: 'It reaches any path, and nothing says how what is there would be read.' },
    card: (args) => {
      const { method, path, query, headers, body } = rawInput.parse(args);
      const { baseUrl } = target;
      return requestCard({ method, baseUrl, path, query: query ?? {}, headers: headers ?? {}, body });
    },
    run: async (context, args) => answerOf(context, await send(context, rawRequest(target, args), host)),
  });
}

/** @throws BadArgument */
function rawRequest(target: RestTarget, args: Arguments): UpstreamRequest {
  const { method, path, query, headers, body } = rawInput.parse(args);
  if (/[?#\\]|\/\/|%(2e|2f|5c|00)/i.test(path) || /(^|\/)\.{1,2}(\/|$)/.test(path)) {
    throw new BadArgument(
      '/path',
      'must be a plain path: no query, "//", "..", "\\" or an encoded form of them',
    );
  }
  for (const name of Object.keys(query ?? {})) {
    const credential =
      target.credential?.in === 'query' && name.toLowerCase() === target.credential.name.toLowerCase();
    if (credential || isMethodOverride(name))
      throw new BadArgument(`/query/${name}`, 'may not be set by a caller');
  }
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const credential =
      target.credential?.in === 'header' && name.toLowerCase() === target.credential.name.toLowerCase();
    if (credential || !ALLOWED_HEADERS.includes(name.toLowerCase())) {
      throw new BadArgument(
        `/headers/${name}`,
        `may not be set by a caller; allowed are ${ALLOWED_HEADERS.join(', ')}`,
      );
    }
    sent[name.toLowerCase()] = headerValue(`/headers/${name}`, name, value);
  }
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
    throw new BadArgument('/body', `is not sent with ${method}`);
  }
  if (body !== undefined && Buffer.byteLength(JSON.stringify(body)) > LARGEST_BODY) {
    throw new BadArgument('/body', 'must not be larger than 256 KB');
  }
  return {
    method,
    url: belowBase(target.baseUrl, path, '/path'),
    ...(query !== undefined && { query }),
    ...(Object.keys(sent).length > 0 && { headers: sent }),
    ...(body !== undefined && { json: body }),
  };
}
