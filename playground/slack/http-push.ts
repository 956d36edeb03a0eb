import { createHmac } from 'node:crypto';
import { type Fields, stringOf } from './protocol.js';
import { ACK_LIMIT_MS, type Ack, type Outgoing, type Transport } from './transport.js';

/** `v0=` + HMAC-SHA256 over `v0:{timestamp}:{body}` (docs: verifying requests from Slack). */
export function sign(secret: string, timestamp: number, body: string): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
}

function bodyOf({ kind, payload }: Outgoing): { type: string; body: string } {
  if (kind === 'events_api') return { type: 'application/json', body: JSON.stringify(payload) };
  const fields: Fields = kind === 'slash_commands' ? payload : { payload: JSON.stringify(payload) };
  const form = new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return { type: 'application/x-www-form-urlencoded', body: form.toString() };
}

/** Signed HTTP deliveries. Several addresses are several processes of one app: each delivery goes to the next. */
export class HttpPush implements Transport {
  private readonly urls: readonly string[];
  private readonly secret: string;
  private readonly ackLimitMs: number;
  private turn = 0;

  constructor(urls: readonly string[], secret: string, ackLimitMs = ACK_LIMIT_MS) {
    this.urls = urls;
    this.secret = secret;
    this.ackLimitMs = ackLimitMs;
  }

  async send(out: Outgoing): Promise<Ack> {
    const url = this.urls[out.via ?? this.turn++ % this.urls.length];
    if (!url)
      return { ok: false, error: 'dispatch_failed', reason: 'connection_failed', detail: 'no address' };
    const { type, body } = bodyOf(out);
    // The app compares with its own wall clock, whatever the workspace's clock says.
    const timestamp = Math.floor(Date.now() / 1000);
    const headers: Record<string, string> = {
      'content-type': type,
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      'x-slack-request-timestamp': String(timestamp),
      'x-slack-signature': sign(this.secret, timestamp, body),
    };
    if (out.retry) {
      const reason = out.retry.reason === 'timeout' ? 'http_timeout' : out.retry.reason;
      headers['x-slack-retry-num'] = String(out.retry.num);
      headers['x-slack-retry-reason'] = reason;
    }
    try {
      const signal = AbortSignal.timeout(this.ackLimitMs);
      const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
      const text = await response.text();
      const noRetry = response.headers.get('x-slack-no-retry') === '1' ? { noRetry: true as const } : {};
      if (response.ok) return { ok: true, body: parsed(text), ...noRetry };
      const detail = `HTTP ${response.status}`;
      return { ok: false, error: 'dispatch_failed', reason: 'http_error', detail, ...noRetry };
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') {
        return { ok: false, error: 'operation_timeout', reason: 'timeout' };
      }
      const detail = stringOf(error instanceof Error ? error.message : '');
      return { ok: false, error: 'dispatch_failed', reason: 'connection_failed', detail };
    }
  }
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
