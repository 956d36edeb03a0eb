/** One call of the OpenAI API, and what its refusals mean. Paths: openai 6.49 (spec 2.3.0 of 2026-08). */
import { UpstreamError } from '../../errors.js';
import type { CallContext, UpstreamRequest, UpstreamResponse } from '../framework.js';
import { type JsonObject, objectOf, textOf } from '../json.js';
import { expectOk } from '../upstream.js';

const SYSTEM = 'OpenAI';

export interface OpenAiRequest extends Omit<UpstreamRequest, 'url'> {
  /** Segments below the base URL; each is encoded. */
  readonly path: readonly string[];
}

/** @throws UpstreamError */
export async function sendOpenAi(context: CallContext, request: OpenAiRequest): Promise<UpstreamResponse> {
  const { path, ...rest } = request;
  const url = `${context.baseUrl}/${path.map(encodeURIComponent).join('/')}`;
  // A model may think for long before its first byte.
  const response = await context.fetch({ patienceMs: 58_000, ...rest, url });
  refuse(response);
  return expectOk(response, SYSTEM);
}

/** The answer as an object. @throws UpstreamError */
export async function callOpenAi(context: CallContext, request: OpenAiRequest): Promise<JsonObject> {
  return objectOf((await sendOpenAi(context, request)).json());
}

/** Two refusals that the general table would misread: a 401 quotes part of the key, and no credit is no hurry. */
function refuse(response: UpstreamResponse): void {
  const details = { definite: true, status: response.status };
  if (response.status === 401) {
    throw new UpstreamError('needs_reauth', `${SYSTEM} no longer accepts the API key.`, details);
  }
  if (response.status === 429 && codeOf(response) === 'insufficient_quota') {
    throw new UpstreamError(
      'forbidden_upstream',
      `The ${SYSTEM} account has no credit left, or has reached its limit.`,
      details,
    );
  }
}

function codeOf(response: UpstreamResponse): string {
  try {
    return textOf(objectOf(objectOf(response.json()).error).code);
  } catch {
    return '';
  }
}

/** Unix seconds → ISO 8601. */
export function isoTime(seconds: unknown): string | null {
  return typeof seconds === 'number' ? new Date(seconds * 1_000).toISOString() : null;
}
