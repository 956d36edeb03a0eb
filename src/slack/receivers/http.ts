/**
 * Slack over HTTP: verifies, refuses what Bolt lets through (replays, timestamps of the future), hands the payload to
 * Bolt and answers with what the handler acks. It is a route of the app's one server, not a server of its own.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { App, Receiver } from '@slack/bolt';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../../log.js';
import type { DeliveryLog } from '../delivery-log.js';
import { SLACK_EVENTS_PATH } from '../manifest.js';
import { withoutForeignAddresses } from './response-url.js';

/** Slack's own window, in both directions; Bolt checks the past only. */
const MAX_SKEW_SECONDS = 300;
/** Slack gives up after 3 s. */
const ACK_TIMEOUT_MS = 3_000;
/** Slack's payloads are well under 1 MB; anything larger is refused before it is hashed (abuse case 7). */
const BODY_LIMIT = 1024 * 1024;
/** Every listener is done and none has acked: a payload of no type of ours, or of another workspace. */
const NOBODY = Symbol('nobody acked');

export interface SlackHttpOptions {
  readonly signingSecret: string;
  readonly apiUrl: string;
  readonly server: FastifyInstance;
  readonly deliveries: DeliveryLog;
  readonly log: Logger;
  /** Hears of a payload whose answer would have gone elsewhere than to Slack. */
  readonly foreignAddress: (payload: Record<string, unknown>) => void;
  readonly now: () => number;
}

/** True for a body that Slack signed with our secret within the last (or next) five minutes. */
export function isFromSlack(
  secret: string,
  headers: { timestamp: string | undefined; signature: string | undefined },
  body: Buffer,
  nowSeconds: number,
): boolean {
  const { timestamp, signature } = headers;
  if (!timestamp || !signature || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(nowSeconds - Number(timestamp)) > MAX_SKEW_SECONDS) return false;
  const expected = Buffer.from(
    `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`,
  );
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/**
 * Interactions come as a form with a JSON `payload`, commands as a plain form, events as JSON. Null for what is none of
 * them.
 */
function parseSlackBody(contentType: string, body: string): Record<string, unknown> | null {
  if (contentType.toLowerCase().startsWith('application/json')) return parseObject(body);
  const form = new URLSearchParams(body);
  const payload = form.get('payload');
  if (payload !== null) return parseObject(payload);
  return form.has('command') || form.has('ssl_check') ? Object.fromEntries(form) : null;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

export class SlackHttpReceiver implements Receiver {
  private app: App | undefined;

  constructor(private readonly options: SlackHttpOptions) {}

  init(app: App): void {
    this.app = app;
    const { server, signingSecret, apiUrl, deliveries, log, foreignAddress, now } = this.options;
    server.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) =>
        done(null, body),
      );
      scope.post(SLACK_EVENTS_PATH, { bodyLimit: BODY_LIMIT }, async (request, reply) => {
        const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const timestamp = header(request.headers['x-slack-request-timestamp']);
        const signature = header(request.headers['x-slack-signature']);
        if (!isFromSlack(signingSecret, { timestamp, signature }, raw, now() / 1_000)) {
          log.warn({ from: request.ip }, 'Slack request refused: signature or timestamp');
          return reply.code(401).send();
        }
        const body = parseSlackBody(request.headers['content-type'] ?? '', raw.toString('utf8'));
        if (body === null) return reply.code(400).send();
        if (body.ssl_check !== undefined) return reply.code(200).send();
        if (body.type === 'url_verification') return reply.send({ challenge: body.challenge });
        // The very same signed bytes again: a replay, or Slack's own retry. Acked, without a second effect.
        if (!(await deliveries.isNew(`http:${signature}`))) return reply.code(200).send();
        const safe = withoutForeignAddresses(body, apiUrl, foreignAddress);
        const answer = await this.process(safe, request.headers);
        if (answer === NOBODY) return reply.code(404).send();
        if (answer === undefined || answer === '') return reply.code(200).send();
        return reply
          .code(200)
          .type(typeof answer === 'string' ? 'text/plain' : 'application/json')
          .send(answer);
      });
    });
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  /** Resolves with what the handler acked, or `NOBODY`; rejects after Slack has given up anyway. */
  private process(body: Record<string, unknown>, headers: NodeJS.Dict<string | string[]>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('not acknowledged within 3 s')), ACK_TIMEOUT_MS);
      const retryNum = Number(header(headers['x-slack-retry-num']) ?? Number.NaN);
      const retryReason = header(headers['x-slack-retry-reason']);
      const event = {
        body,
        ack: async (answer?: unknown) => {
          clearTimeout(timer);
          resolve(answer);
        },
        ...(Number.isNaN(retryNum) ? {} : { retryNum }),
        ...(retryReason === undefined ? {} : { retryReason }),
      };
      const done = this.app?.processEvent(event) ?? Promise.resolve();
      done
        .then(() => resolve(NOBODY))
        .catch((error: unknown) => {
          this.options.log.error({ err: error }, 'Slack payload not processed');
          reject(error instanceof Error ? error : new Error(String(error)));
        })
        .finally(() => clearTimeout(timer));
    });
  }
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
