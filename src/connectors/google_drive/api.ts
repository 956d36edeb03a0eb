/**
 * Calls of the Google Drive API v3. Paths, scopes and limits: the vendor's client types (@googleapis/drive 22) and
 * shared/CONNECTORS.md, 4.3.
 */
import { UpstreamError } from '../../errors.js';
import type { CallContext, FileContent, UpstreamRequest, UpstreamResponse } from '../framework.js';
import { callGoogle, sendGoogle } from '../google/api.js';
import type { JsonObject } from '../json.js';
import { relatedBody } from '../multipart.js';
import { upstreamMessage } from '../upstream.js';

export const SYSTEM = 'Google Drive';
export const DRIVE_PATH = '/drive/v3/';
export const UPLOAD_PATH = '/upload/drive/v3/';

const scope = (name: string): string => `https://www.googleapis.com/auth/${name}`;
export const SCOPES = {
  /** Everything the account can reach. */
  all: scope('drive'),
  /** Only what this app created, or was given to open. */
  own: scope('drive.file'),
  read: scope('drive.readonly'),
  metadata: scope('drive.metadata.readonly'),
} as const;

/** Sent wherever the API knows it: without it, items of shared drives do not exist. */
export const ALL_DRIVES = { supportsAllDrives: 'true' } as const;

/** A multipart upload holds at most 5 MB (Drive guide, "Upload file data"). */
export const MOST_UPLOADED = 5_000_000;

type More = Pick<UpstreamRequest, 'query' | 'json'>;

/**
 * One call below `/drive/v3/`.
 * @param path segments; each is encoded
 * @returns the answer's object, `{}` for an empty answer
 * @throws UpstreamError
 */
export async function callDrive(
  context: CallContext,
  method: UpstreamRequest['method'],
  path: readonly string[],
  more: More = {},
): Promise<JsonObject> {
  return objectIn(context, { method, url: urlOf(context, DRIVE_PATH, path), ...more });
}

/** The bytes of a file or of an export, wherever Drive keeps them. @throws UpstreamError */
export function download(
  context: CallContext,
  path: readonly string[],
  query: NonNullable<UpstreamRequest['query']>,
  maxBytes: number,
): Promise<UpstreamResponse> {
  const url = urlOf(context, DRIVE_PATH, path);
  const request = { method: 'GET', url, query, maxBytes, downloadRedirect: true } as const;
  return sendGoogle(withDrive403(context), SYSTEM, request);
}

/** New content for a file that exists (`uploadType=media`). @throws UpstreamError */
export function uploadContent(
  context: CallContext,
  id: string,
  query: NonNullable<UpstreamRequest['query']>,
  { type, bytes }: Pick<FileContent, 'type' | 'bytes'>,
): Promise<JsonObject> {
  return objectIn(context, {
    method: 'PATCH',
    url: urlOf(context, UPLOAD_PATH, ['files', id]),
    query: { ...query, uploadType: 'media' },
    headers: { 'content-type': type },
    body: bytes,
  });
}

/** A new file with its content, in one request (`uploadType=multipart`, RFC 2387). @throws UpstreamError */
export function uploadNew(
  context: CallContext,
  metadata: JsonObject,
  query: NonNullable<UpstreamRequest['query']>,
  content: Pick<FileContent, 'type' | 'bytes'>,
): Promise<JsonObject> {
  return objectIn(context, {
    method: 'POST',
    url: urlOf(context, UPLOAD_PATH, ['files']),
    query: { ...query, uploadType: 'multipart' },
    ...relatedBody(metadata, content),
  });
}

function urlOf(context: CallContext, prefix: string, path: readonly string[]): string {
  return `${context.baseUrl}${prefix}${path.map(encodeURIComponent).join('/')}`;
}

function objectIn(context: CallContext, request: UpstreamRequest): Promise<JsonObject> {
  return callGoogle(withDrive403(context), SYSTEM, request);
}

function withDrive403(context: CallContext): CallContext {
  return { ...context, fetch: async (request) => refuseDrive403(await context.fetch(request)) };
}

/** What Drive says with 403 that is no matter of permission (Drive guide, "Resolve errors"). */
const SLOWER = /"sharingRateLimitExceeded"/;
const REFUSED =
  /"(exportSizeLimitExceeded|fileNotDownloadable|fileNotExportable|cannotDownloadAbusiveFile|storageQuotaExceeded|teamDriveFileLimitExceeded|numChildrenInNonRootLimitExceeded|sortingNotSupported)"/;

function refuseDrive403(response: UpstreamResponse): UpstreamResponse {
  if (response.status !== 403) return response;
  const text = response.text();
  const details = { definite: true, status: 403 };
  if (SLOWER.test(text)) {
    const message = `${SYSTEM} asks for fewer shares: ${upstreamMessage(response)}`;
    throw new UpstreamError('rate_limited', message, details);
  }
  if (REFUSED.test(text)) {
    const message = `${SYSTEM} refused the call: ${upstreamMessage(response)}`;
    throw new UpstreamError('upstream_rejected', message, details);
  }
  return response;
}
