/** A blob as callers and approvers see it, from the headers of HEAD and GET. */
import { UpstreamError } from '../../errors.js';
import { short } from '../fields.js';
import type { CallContext, Observation, ObservedField } from '../framework.js';
import type { JsonObject } from '../json.js';
import { callAzure, refusalOf } from './api.js';
import { MARKER } from './fields.js';

type Headers = Readonly<Record<string, string>>;
interface BlobAddress {
  readonly container: string;
  readonly name: string;
}

/** The condition of a write whose target did not exist when it was looked at. */
export const ABSENT = 'absent';

/** RFC 1123 → ISO 8601; null for what is not a date. */
export function isoDate(text: string | undefined): string | null {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/** What callers set themselves; our own mark is not theirs. */
export function metadataOf(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith('x-ms-meta-') && name !== `x-ms-meta-${MARKER}`)
      .map(([name, value]) => [name.slice('x-ms-meta-'.length), value]),
  );
}

/** `{container, name, size, content_type, etag, last_modified, created_at, …, metadata}` */
export function propertiesOf({ container, name }: BlobAddress, headers: Headers): JsonObject {
  return {
    container,
    name,
    size: Number(headers['content-length'] ?? 0),
    content_type: headers['content-type'] ?? '',
    etag: headers.etag ?? '',
    last_modified: isoDate(headers['last-modified']),
    created_at: isoDate(headers['x-ms-creation-time']),
    blob_type: headers['x-ms-blob-type'] ?? '',
    access_tier: headers['x-ms-access-tier'] ?? null,
    lease_state: headers['x-ms-lease-state'] ?? null,
    copy_status: headers['x-ms-copy-status'] ?? null,
    tag_count: Number(headers['x-ms-tag-count'] ?? 0),
    metadata: metadataOf(headers),
  };
}

/** As they go onto a request. */
export function metadataHeaders(pairs: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(pairs).map(([name, value]) => [`x-ms-meta-${name}`, value]));
}

/** `{container, name, etag, last_modified}` of a blob that was just written. */
export function written({ container, name }: BlobAddress, headers: Headers): JsonObject {
  return {
    container,
    name,
    etag: headers.etag ?? '',
    last_modified: isoDate(headers['last-modified']),
  };
}

/** The headers of a blob. @throws UpstreamError */
export async function headOf(context: CallContext, { container, name }: BlobAddress): Promise<Headers> {
  return (await callAzure(context, { method: 'HEAD', container, name })).headers;
}

/** The headers of a blob, null where there is none. @throws UpstreamError */
export async function headIfAny(context: CallContext, address: BlobAddress): Promise<Headers | null> {
  try {
    return await headOf(context, address);
  } catch (error) {
    if (refusalOf(error) === 'BlobNotFound') return null;
    throw error;
  }
}

/** What an approver is told of a blob. */
export function blobFields(headers: Headers): ObservedField[] {
  return [
    ...short('Size', `${headers['content-length'] ?? 0} bytes`),
    ...short('Type', headers['content-type'] ?? ''),
    ...short('Last changed', isoDate(headers['last-modified']) ?? ''),
  ];
}

/** A blob that has to be there. @throws UpstreamError */
export async function observeBlob(context: CallContext, address: BlobAddress): Promise<Observation> {
  return observation(await headOf(context, address));
}

/**
 * A blob that is written: there or not yet. An etag of the caller's own goes out as it was approved, so no condition of
 * ours can. @throws UpstreamError
 */
export async function observeTarget(
  context: CallContext,
  { etag, ...address }: BlobAddress & { readonly etag?: string | undefined },
): Promise<Observation> {
  const headers = await headIfAny(context, address);
  const { condition, ...seen } = headers
    ? observation(headers)
    : { fields: short('There now', 'Nothing; it is new'), version: '', condition: ABSENT };
  return condition === undefined || etag !== undefined ? seen : { ...seen, condition };
}

function observation(headers: Headers): Observation {
  const version = headers.etag ?? '';
  return { fields: blobFields(headers), version, ...(version !== '' && { condition: version }) };
}

/** What a write of a blob demands of its target: what the caller itself asked for, or what the approver saw. */
export function targetCondition(
  condition: string | undefined,
  { overwrite, etag }: { readonly overwrite: boolean; readonly etag?: string | undefined },
): Record<string, string> {
  if (etag !== undefined) return { 'if-match': etag };
  if (!overwrite || condition === ABSENT) return { 'if-none-match': '*' };
  return condition === undefined ? {} : { 'if-match': condition };
}

/** The caller's own etag is old, and no second look makes it newer. Returns the error to throw. */
export function sinceAsked(error: unknown, etag: string | undefined): unknown {
  if (etag === undefined || refusalOf(error) !== 'ConditionNotMet') return error;
  const message =
    'The blob no longer has the etag that was asked for, so nothing was done. Look at it again.';
  return new UpstreamError('upstream_rejected', message, { definite: true, status: 412, cause: error });
}

/** What the approver saw as new is not new any more: that is a change too. Returns the error to throw. */
export function sinceSeen(error: unknown, condition: string | undefined, overwrite: boolean): unknown {
  if (condition !== ABSENT || !overwrite || refusalOf(error) !== 'BlobAlreadyExists') return error;
  return new UpstreamError('target_changed', 'There is a blob of that name by now, so nothing was done.', {
    definite: true,
    status: 409,
    cause: error,
  });
}

/** Whether this very execution left its mark: its answer was lost, not its effect. */
export function isOurs(context: CallContext, headers: Headers | null): headers is Headers {
  return headers !== null && headers[`x-ms-meta-${MARKER}`] === context.executionId;
}
