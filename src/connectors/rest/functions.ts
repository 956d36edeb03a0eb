/** The functions of a REST connection: one per picked operation. */
import { UpstreamError } from '../../errors.js';
import type {
  Arguments,
  CallContext,
  CardField,
  FunctionDefinition,
  Idempotency,
  InputIssue,
  InputSchema,
  JsonValue,
  UpstreamRequest,
  UpstreamResponse,
} from '../framework.js';
import { defineFunction } from '../framework.js';
import { readableLines } from '../lines.js';
import { expectOk } from '../upstream.js';
import { ANSWER, answerOf, askingForJson } from './answer.js';
import { schemaIssues } from './check.js';
import { observeTarget } from './observe.js';
import type { ImportedOperation } from './operation.js';
import { BadArgument, buildRequest, renderPath } from './request.js';

/** What of the connection's config the functions depend on. */
export interface RestTarget {
  readonly baseUrl: string;
  /** Where an API key goes; callers may not set it. */
  readonly credential: { readonly in: 'header' | 'query'; readonly name: string } | undefined;
  /** Header in which the system looks for a key that makes repeats harmless. */
  readonly idempotencyHeader: string | undefined;
}

export function operationFunction(imported: ImportedOperation, target: RestTarget): FunctionDefinition {
  const operation = withoutCredential(imported, target);
  const { host } = new URL(target.baseUrl);
  return defineFunction({
    name: operation.name,
    title: operation.title,
    description: operation.description || operation.title,
    risk: operation.risk,
    approval: operation.risk === 'read' ? 'auto' : 'ask',
    scopes: [],
    idempotency: idempotencyOf(operation, target),
    input: operationInput(operation, target.baseUrl),
    output: ANSWER,
    signature: `${operation.method} ${target.baseUrl}${operation.path} ${JSON.stringify([operation.parameters, operation.body ?? null])}`,
    card: (args) => operationCard(operation, target.baseUrl, args),
    ...(operation.risk !== 'read' && { observe: observeTarget(operation, target) }),
    run: async (context, args) =>
      answerOf(context, await send(context, request(operation, target, context, args), host)),
  });
}

/** Where the credential goes is not for callers, whatever the document declares. */
function withoutCredential(
  operation: ImportedOperation,
  { credential, idempotencyHeader }: RestTarget,
): ImportedOperation {
  const reserved = operation.parameters.filter(
    (parameter) =>
      (parameter.in === credential?.in && parameter.name.toLowerCase() === credential.name.toLowerCase()) ||
      (parameter.in === 'header' && parameter.name.toLowerCase() === idempotencyHeader?.toLowerCase()),
  );
  if (reserved.length === 0) return operation;
  const names = new Set(reserved.map((parameter) => parameter.argument));
  const { properties, required, ...schema } = operation.inputSchema;
  return {
    ...operation,
    parameters: operation.parameters.filter((parameter) => !names.has(parameter.argument)),
    inputSchema: {
      ...schema,
      properties: Object.fromEntries(Object.entries(properties ?? {}).filter(([name]) => !names.has(name))),
      ...(Array.isArray(required) && { required: required.filter((name) => !names.has(String(name))) }),
    },
  };
}

function idempotencyOf(operation: ImportedOperation, target: RestTarget): Idempotency {
  if (operation.idempotent) return 'natural';
  return target.idempotencyHeader === undefined ? 'none' : 'key';
}

function operationInput(operation: ImportedOperation, baseUrl: string): InputSchema {
  return {
    jsonSchema: operation.inputSchema,
    parse(value) {
      const issues = schemaIssues(operation.inputSchema, value);
      if (issues.length > 0) return { ok: false, issues };
      const args = value as Arguments;
      const issue = requestIssue(() => buildRequest(operation, baseUrl, args));
      return issue === undefined ? { ok: true, value: args } : { ok: false, issues: [issue] };
    },
  };
}

/** The problem of a request that could not be built. */
export function requestIssue(build: () => UpstreamRequest): InputIssue | undefined {
  try {
    build();
    return undefined;
  } catch (error) {
    if (error instanceof BadArgument) return error.issue;
    throw error;
  }
}

function request(
  operation: ImportedOperation,
  target: RestTarget,
  context: CallContext,
  args: Arguments,
): UpstreamRequest {
  const built = buildRequest(operation, target.baseUrl, args);
  const own = Object.keys(built.headers ?? {}).map((name) => name.toLowerCase());
  const headers = {
    ...built.headers,
    // What the caller set itself is what was approved.
    ...(context.condition !== undefined && !own.includes('if-match') && { 'If-Match': context.condition }),
    ...(target.idempotencyHeader !== undefined &&
      !operation.idempotent && { [target.idempotencyHeader]: context.executionId }),
  };
  return Object.keys(headers).length === 0 ? built : { ...built, headers };
}

/** @throws UpstreamError; `target_changed` where the condition of the call no longer holds (RFC 9110, 15.5.13) */
export async function send(
  context: CallContext,
  wanted: UpstreamRequest,
  host: string,
): Promise<UpstreamResponse> {
  const response = await context.fetch(askingForJson(wanted));
  if (response.status === 412 && context.condition !== undefined) {
    throw new UpstreamError('target_changed', 'What the call would change was changed since it was read.', {
      definite: true,
      status: 412,
    });
  }
  return expectOk(response, host);
}

function operationCard(operation: ImportedOperation, baseUrl: string, args: Arguments): CardField[] {
  const argumentsIn = (place: 'query' | 'header'): Arguments =>
    Object.fromEntries(
      operation.parameters
        .filter((parameter) => parameter.in === place && args[parameter.argument] !== undefined)
        .map((parameter) => [parameter.name, args[parameter.argument] ?? null]),
    );
  const bodyNames =
    operation.body === undefined
      ? []
      : operation.body.kind === 'whole'
        ? [operation.body.argument]
        : operation.body.arguments;
  const body = Object.fromEntries(
    bodyNames.filter((name) => args[name] !== undefined).map((name) => [name, args[name] ?? null]),
  );
  const whole = operation.body?.kind === 'whole' ? body[operation.body.argument] : body;
  return requestCard({
    method: operation.method,
    baseUrl,
    path: shownPath(operation, args),
    query: argumentsIn('query'),
    headers: argumentsIn('header'),
    body: bodyNames.length > 0 ? whole : undefined,
  });
}

/** The template stands where the arguments do not make a path: a card must be drawable for any arguments. */
function shownPath(operation: ImportedOperation, args: Arguments): string {
  try {
    return renderPath(operation, args);
  } catch (error) {
    if (error instanceof BadArgument) return operation.path;
    throw error;
  }
}

/** One layout for every REST call: method, host, path, then what travels along. */
export function requestCard(call: {
  readonly method: string;
  readonly baseUrl: string;
  /** Below the base URL. */
  readonly path: string;
  readonly query: Arguments;
  readonly headers: Arguments;
  readonly body: JsonValue | undefined;
}): CardField[] {
  const lines = (label: string, value: JsonValue | undefined): CardField[] => {
    const empty =
      value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
    return empty ? [] : [{ label, value: readableLines(value).join('\n'), kind: 'long' }];
  };
  const { host, pathname } = new URL(call.baseUrl);
  const path = `${pathname.replace(/\/+$/, '')}${call.path}`;
  return [
    { label: 'Method', value: call.method, kind: 'short' },
    { label: 'Host', value: host, kind: 'short' },
    { label: 'Path', value: path, kind: path.length > 40 ? 'long' : 'short' },
    ...lines('Query', call.query),
    ...lines('Headers', call.headers),
    ...lines('Body', call.body),
  ];
}
