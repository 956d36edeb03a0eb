/** A mail that came as an upload (RFC 2387), as the JSON that the stand-in understands. */
import { z } from 'zod';
import { type ApiCall, GMAIL } from './google-routes.js';
import type { ReceivedRequest } from './loopback.js';

const anyObject = z.record(z.string(), z.unknown());

/** The same call without `/upload`, the mail as `raw` where that call expects it. */
export function mailAsJson(call: ApiCall, request: ReceivedRequest): ReceivedRequest {
  const boundary = /boundary="?([^";]+)"?/i.exec(request.headers['content-type'] ?? '')?.[1] ?? '';
  const [, first = '', second = ''] = Buffer.from(request.bytes).toString('latin1').split(`--${boundary}`);
  const metadata = anyObject.parse(JSON.parse(Buffer.from(contentOf(first), 'latin1').toString('utf8')));
  const raw = Buffer.from(contentOf(second), 'latin1').toString('base64url');
  const isDraft = call.path.startsWith('drafts');
  const message = isDraft ? anyObject.parse(metadata.message ?? {}) : metadata;
  const body = JSON.stringify(isDraft ? { ...metadata, message: { ...message, raw } } : { ...message, raw });
  return {
    ...request,
    url: `${GMAIL}${call.path}`,
    headers: { ...request.headers, 'content-type': 'application/json' },
    body,
    bytes: Buffer.from(body),
  };
}

/** What follows the empty line of a part, without the line break that belongs to the boundary. */
function contentOf(part: string): string {
  return part.slice(part.indexOf('\r\n\r\n') + 4).replace(/\r\n$/, '');
}
