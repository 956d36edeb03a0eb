/** What a caller gets of an answer. */
import { UpstreamError } from '../../errors.js';
import type { CallContext, JsonValue, UpstreamRequest, UpstreamResponse } from '../framework.js';
import type { JsonObject } from '../json.js';

export const ANSWER =
  '{status, body, file?, headers?}: the HTTP status and the body, parsed if it is JSON; of what is no text, body is null and file a reference. headers: etag, last-modified, link (other pages) and location (what was created), where the system sent them.';

/** Those with which a caller goes on: RFC 8288 (pages), RFC 9110, 8.8 and 10.2.2. */
const TOLD = ['etag', 'last-modified', 'link', 'location'] as const;

/** Some systems answer with a web page, or with XML, unless they are asked for JSON. */
export function askingForJson(request: UpstreamRequest): UpstreamRequest {
  return { ...request, headers: { accept: 'application/json, */*;q=0.5', ...request.headers } };
}

/** `ANSWER`; a body that says it is JSON and is not comes as text. */
export async function answerOf(context: CallContext, response: UpstreamResponse): Promise<JsonValue> {
  const told = TOLD.flatMap((name): [string, JsonValue][] => {
    const value = response.headers[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    status: response.status,
    ...(await bodyOf(context, response)),
    ...(told.length > 0 && { headers: Object.fromEntries(told) }),
  };
}

export function isJson({ headers, body }: UpstreamResponse): boolean {
  return /[/+]json\s*(;|$)/i.test(headers['content-type'] ?? '') && body.byteLength > 0;
}

async function bodyOf(context: CallContext, response: UpstreamResponse): Promise<JsonObject> {
  if (response.body.byteLength === 0) return { body: null };
  try {
    if (isJson(response)) return { body: response.json() };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
  }
  const text = decoded(response);
  return text === null ? { body: null, ...(await kept(context, response)) } : { body: text };
}

/** Null for bytes that are not a text of the charset they claim; UTF-8 where they claim none. */
function decoded({ headers, body }: UpstreamResponse): string | null {
  const charset = /;\s*charset="?([\w.:-]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch {
    return null;
  }
}

/** The call is made and cannot be taken back, so bytes that cannot be kept are no reason to call it failed. */
async function kept(context: CallContext, { headers, body }: UpstreamResponse): Promise<JsonObject> {
  const claimed = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const type = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(claimed) ? claimed : 'application/octet-stream';
  try {
    return { file: await context.files.save({ name: 'answer', type, bytes: body }) };
  } catch {
    return { left_out: 'The body is no text, and it could not be kept.' };
  }
}
