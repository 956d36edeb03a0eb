/** Bodies of several parts. Nothing that is put into one can end its part. */
import { createHash } from 'node:crypto';
import type { FileContent, UpstreamRequest } from './framework.js';
import type { JsonObject } from './json.js';

type Body = Required<Pick<UpstreamRequest, 'body' | 'headers'>>;

export type FormEntries = readonly (readonly [string, string | number | boolean | FileContent | undefined])[];

/** `multipart/form-data` as the platform itself writes it (RFC 7578); what is undefined is left out. */
export async function formBody(entries: FormEntries): Promise<Body> {
  const form = new FormData();
  for (const [name, value] of entries) {
    if (value === undefined) continue;
    if (typeof value !== 'object') form.append(name, String(value));
    else form.append(name, new File([Buffer.from(value.bytes)], value.name, { type: value.type }));
  }
  const encoded = new Response(form);
  return {
    headers: { 'content-type': encoded.headers.get('content-type') ?? '' },
    body: new Uint8Array(await encoded.arrayBuffer()),
  };
}

/** `multipart/related` (RFC 2387): metadata, then the content that it describes. */
export function relatedBody(
  metadata: JsonObject,
  { type, bytes }: Pick<FileContent, 'type' | 'bytes'>,
): Body {
  const description = JSON.stringify(metadata);
  // A hash of what stands between the boundaries: no content can hold it.
  const boundary = createHash('sha256').update(description).update(bytes).digest('hex');
  const part = (partType: string): string => `--${boundary}\r\ncontent-type: ${partType}\r\n\r\n`;
  return {
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body: Buffer.concat([
      Buffer.from(`${part('application/json')}${description}\r\n${part(type)}`),
      bytes,
      Buffer.from(`\r\n--${boundary}--`),
    ]),
  };
}
