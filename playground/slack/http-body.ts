import type { IncomingMessage, ServerResponse } from 'node:http';
import { SlackError } from './protocol.js';

/** Larger than any message or view that could be valid. */
const BODY_BYTES = 1_000_000;

/** The body as text. Error: `request_too_large`. */
export async function readBody(req: IncomingMessage): Promise<string> {
  return (await readBytes(req, BODY_BYTES)).toString('utf8');
}

/** The body as it came. Error: `request_too_large`. */
export async function readBytes(req: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > most) throw new SlackError('request_too_large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

export function answerJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  res.end(JSON.stringify(body));
}
