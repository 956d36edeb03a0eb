/** One call of a Google API, and what its refusals mean. Paths and scopes: the vendor's client types (@googleapis/*). */
import { UpstreamError } from '../../errors.js';
import type { CallContext, UpstreamRequest, UpstreamResponse } from '../framework.js';
import { type JsonObject, objectOf } from '../json.js';
import { beforeWriting, expectOk, upstreamMessage } from '../upstream.js';

/**
 * One request as it stands; Google's two special meanings of 403 are told apart.
 * @throws UpstreamError definite for a GET: it changes nothing, so its failure is, also where it prepares a write
 */
export function sendGoogle(
  context: CallContext,
  systemName: string,
  request: UpstreamRequest,
): Promise<UpstreamResponse> {
  return knowingReads(request, async () => {
    const response = await context.fetch(request);
    refuseGoogle403(response, systemName);
    return expectOk(response, systemName);
  });
}

/** One request, its answer as an object; `{}` for an empty answer. @throws UpstreamError as `sendGoogle` */
export function callGoogle(
  context: CallContext,
  systemName: string,
  request: UpstreamRequest,
): Promise<JsonObject> {
  return knowingReads(request, async () => {
    const response = await sendGoogle(context, systemName, request);
    return response.body.byteLength === 0 ? {} : objectOf(response.json());
  });
}

function knowingReads<Result>({ method }: UpstreamRequest, act: () => Promise<Result>): Promise<Result> {
  return method === 'GET' ? beforeWriting(act) : act();
}

/** Google says two other things with 403: "slower" and "that scope was not granted" (google.rpc.ErrorInfo). */
function refuseGoogle403(response: UpstreamResponse, systemName: string): void {
  if (response.status !== 403) return;
  const text = response.text();
  const details = { definite: true, status: 403 };
  if (/"(rateLimitExceeded|userRateLimitExceeded|dailyLimitExceeded|quotaExceeded)"/.test(text)) {
    throw new UpstreamError(
      'rate_limited',
      `${systemName} asks for fewer calls: ${upstreamMessage(response)}`,
      details,
    );
  }
  if (
    /ACCESS_TOKEN_SCOPE_INSUFFICIENT|insufficientPermissions|insufficient authentication scopes/i.test(text)
  ) {
    throw new UpstreamError(
      'needs_more_scopes',
      `${systemName} was not granted the scope that this function needs.`,
      details,
    );
  }
}
