/** One call of the Blob service (REST), and what its refusals mean. Error codes: Microsoft, "Blob service error codes". */
import { type ErrorCode, UpstreamError } from '../../errors.js';
import type { CallContext, UpstreamRequest, UpstreamResponse } from '../framework.js';
import { expectOk } from '../upstream.js';
import { elementText, parseXml } from './xml.js';

/** Of the REST protocol; the newest that Azurite 3.35 speaks too. */
export const API_VERSION = '2025-11-05';

export interface BlobRequest extends Pick<UpstreamRequest, 'query' | 'headers' | 'body' | 'maxBytes'> {
  readonly method: UpstreamRequest['method'];
  readonly container?: string;
  readonly name?: string;
}

/** Checked names only (fields.ts): each segment is encoded, the slashes between them stay. */
export function urlOf(context: CallContext, container = '', name?: string): string {
  const segments = [container, ...(name?.split('/') ?? [])];
  return `${context.baseUrl}/${segments.map(encodeSegment).join('/')}`;
}

/** With the quote, which the signature holds encoded in links of the vendor's own client. */
function encodeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll("'", '%27');
}

/** @throws UpstreamError */
export async function callAzure(context: CallContext, request: BlobRequest): Promise<UpstreamResponse> {
  const { container, name, headers, ...rest } = request;
  const response = await context.fetch({
    ...rest,
    url: urlOf(context, container, name),
    headers: {
      'x-ms-version': API_VERSION,
      // So that the account's own logs name our execution.
      'x-ms-client-request-id': context.executionId,
      ...headers,
    },
  });
  refuse(response);
  return expectOk(response, 'Azure Storage');
}

/** What a refusal was called; `''` for other errors. */
export function refusalOf(error: unknown): string {
  return error instanceof BlobRefusal ? error.reason : '';
}

/** Carries Azure's own name of the reason besides our code. */
class BlobRefusal extends UpstreamError {
  constructor(
    code: ErrorCode,
    readonly reason: string,
    status: number,
    said: string,
  ) {
    super(code, `${SENTENCES[code] ?? 'Azure Storage refused the call'} (${status} ${reason})${said}`, {
      definite: true,
      status,
    });
  }
}

const SENTENCES: { readonly [Code in ErrorCode]?: string } = {
  needs_reauth: 'Azure Storage no longer accepts the credential',
  forbidden_upstream: 'Azure Storage does not allow this with the credential in use',
  target_changed: 'It was changed since it was last looked at, so nothing was done',
};

/** A wrong signature is a 403 here; so is a missing permission. */
const BAD_CREDENTIAL = new Set([
  'AuthenticationFailed',
  'InvalidAuthenticationInfo',
  'NoAuthenticationInformation',
  'AccountIsDisabled',
  'KeyBasedAuthenticationNotPermitted',
]);
/** Other 412s are about leases. */
const CHANGED = new Set(['ConditionNotMet', 'TargetConditionNotMet', 'SourceConditionNotMet']);

function refuse(response: UpstreamResponse): void {
  const { status } = response;
  if (status < 400 || status >= 500 || status === 408 || status === 429) return;
  const reason = /^\w{1,80}$/.exec(response.headers['x-ms-error-code'] ?? '')?.[0] ?? '';
  if (reason === '') return;
  throw new BlobRefusal(codeOf(status, reason), reason, status, messageOf(response));
}

function codeOf(status: number, reason: string): ErrorCode {
  if (status === 401 || BAD_CREDENTIAL.has(reason)) return 'needs_reauth';
  if (status === 403) return 'forbidden_upstream';
  return CHANGED.has(reason) ? 'target_changed' : 'upstream_rejected';
}

/** The first line: request id and time stand in the others. Never `AuthenticationErrorDetail`. */
function messageOf(response: UpstreamResponse): string {
  if (response.body.byteLength === 0 || response.body.byteLength > 64 * 1024) return '.';
  try {
    const [line = ''] = elementText(parseXml(response.text()).Message).split('\n');
    const said = line
      .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
      .trim()
      .slice(0, 300);
    return said === '' ? '.' : `: ${said}`;
  } catch {
    return '.';
  }
}
