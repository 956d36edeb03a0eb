/** Upstream answers: one size limit before and after decompression, text and JSON on demand. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import type { JsonValue, UpstreamResponse } from '../connectors/framework.js';
import { UpstreamError } from '../errors.js';

/** Largest answer unless a request says otherwise (shared/CONNECTORS.md 5.1). */
export const DEFAULT_MAX_BYTES = 10 * 1024 * 1024;

/** The encodings worth asking for, as the value of accept-encoding. */
export const ACCEPTED_ENCODINGS = 'gzip, br';

/** An answer as it came off the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

const DECODERS = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
]);

/**
 * Decompresses and wraps an answer. Cookies are dropped: nothing here keeps a session.
 * @throws UpstreamError, not definite: the answer is larger than `maxBytes` unpacked, or cannot be unpacked
 */
export async function toUpstreamResponse(
  answer: RawAnswer,
  maxBytes: number,
  host: string,
): Promise<UpstreamResponse> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && name !== 'set-cookie')
      headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || answer.body.length === 0)
    return upstreamResponse(answer.status, headers, answer.body);
  const body = await decompress(answer, encoding, maxBytes, host);
  const { 'content-encoding': _encoding, 'content-length': _length, ...kept } = headers;
  return upstreamResponse(answer.status, kept, body);
}

/** An `UpstreamResponse` around a body that is not compressed. */
export function upstreamResponse(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): UpstreamResponse {
  const text = (): string => new TextDecoder().decode(body);
  return { status, headers, body, text, json: () => parseAnswer(text(), status) };
}

export function tooLarge(host: string, maxBytes: number, status: number): UpstreamError {
  const message = `The answer of ${host} is larger than ${maxBytes} bytes; it was cut off.`;
  return new UpstreamError('upstream_unavailable', message, { definite: false, status });
}

async function decompress(
  answer: RawAnswer,
  encoding: string,
  maxBytes: number,
  host: string,
): Promise<Buffer> {
  const decode = DECODERS.get(encoding);
  try {
    if (decode) return await decode(answer.body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(host, maxBytes, answer.status);
  }
  const message = `The answer of ${host} could not be unpacked.`;
  throw new UpstreamError('upstream_unavailable', message, { definite: false, status: answer.status });
}

function parseAnswer(text: string, status: number): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    const definite = status >= 400 && status < 500;
    throw new UpstreamError('upstream_rejected', `The answer (HTTP ${status}) is not JSON.`, {
      definite,
      status,
    });
  }
}
