/**
 * Slack over Socket Mode, with a reconnect of our own: the client's leaves a five-second gap at every refresh and
 * ends the process when `apps.connections.open` fails (shared/SLACK.md §5). Here a lost socket is replaced at once,
 * a failing one after a growing pause, and nothing that Slack sends can end the process.
 */
import type { App, Receiver } from '@slack/bolt';
import { SocketModeClient } from '@slack/socket-mode';
import type { SlackConfig } from '../../config.js';
import type { Logger } from '../../log.js';
import { clientOptions, PATIENT_TIMEOUT_MS } from '../clients.js';
import type { DeliveryLog } from '../delivery-log.js';
import { withoutForeignAddresses } from './response-url.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** No use trying again: a person has to act. */
const FATAL = ['invalid_auth', 'not_authed', 'account_inactive', 'token_revoked', 'not_allowed_token_type'];

export interface SocketOptions {
  readonly slack: SlackConfig & { readonly appToken: string };
  readonly deliveries: DeliveryLog;
  readonly log: Logger;
  /** Hears of a payload whose answer would have gone elsewhere than to Slack. */
  readonly foreignAddress: (payload: Record<string, unknown>) => void;
  /** Slack refuses the app's token: work stops cleanly. */
  readonly onFatal: (reason: string) => void;
}

interface Envelope {
  readonly ack: (response?: Record<string, unknown>) => Promise<void>;
  readonly body: Record<string, unknown>;
  readonly envelope_id: string;
  readonly retry_num?: number;
  readonly retry_reason?: string;
}

export class SlackSocketReceiver implements Receiver {
  private app: App | undefined;
  private client: SocketModeClient | undefined;
  private stopped = false;
  private pause = FIRST_PAUSE_MS;
  connected = false;

  constructor(private readonly options: SocketOptions) {}

  init(app: App): void {
    this.app = app;
  }

  /** Resolves once the first socket is up. @throws Error when Slack refuses the token */
  async start(): Promise<void> {
    this.stopped = false;
    await this.connect();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.connected = false;
    await this.client?.disconnect().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const { slack, log } = this.options;
    const client = new SocketModeClient({
      appToken: slack.appToken,
      autoReconnectEnabled: false,
      clientOptions: clientOptions(slack, PATIENT_TIMEOUT_MS),
      logger: quietLogger(log),
    });
    this.client = client;
    client.on('slack_event', (envelope: Envelope) => {
      this.receive(envelope).catch((error: unknown) =>
        log.error({ err: error }, 'Slack payload not processed'),
      );
    });
    await client.start();
    this.connected = true;
    this.pause = FIRST_PAUSE_MS;
    client.once('disconnected', () => {
      this.connected = false;
      void this.reconnect(0);
    });
  }

  private async reconnect(wait: number): Promise<void> {
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait).unref());
    if (this.stopped) return;
    try {
      await this.connect();
      this.options.log.info({}, 'Slack socket connected again');
    } catch (error) {
      const reason = reasonOf(error);
      if (FATAL.includes(reason)) {
        this.options.onFatal(reason);
        return;
      }
      this.options.log.warn({ reason, nextTryMs: this.pause }, 'Slack socket lost');
      const next = this.pause;
      this.pause = Math.min(LONGEST_PAUSE_MS, this.pause * 2);
      await this.reconnect(next);
    }
  }

  /** Slack may send an envelope again, on this socket or another: it is acked, without a second effect. */
  private async receive(envelope: Envelope): Promise<void> {
    const { deliveries, slack, foreignAddress } = this.options;
    if (!(await deliveries.isNew(`socket:${envelope.envelope_id}`))) {
      await envelope.ack();
      return;
    }
    await this.app?.processEvent({
      body: withoutForeignAddresses(envelope.body, slack.apiUrl, foreignAddress),
      ack: async (response?: unknown) => {
        await envelope.ack(toAckPayload(response));
      },
      ...(envelope.retry_num === undefined ? {} : { retryNum: envelope.retry_num }),
      ...(envelope.retry_reason === undefined ? {} : { retryReason: envelope.retry_reason }),
    });
  }
}

/** A command may be acked with a bare text; the socket wants an object. */
function toAckPayload(response: unknown): Record<string, unknown> | undefined {
  if (typeof response === 'string') return response === '' ? undefined : { text: response };
  return response && typeof response === 'object' ? { ...response } : undefined;
}

function reasonOf(error: unknown): string {
  const data = (error as { data?: { error?: unknown } } | undefined)?.data;
  if (typeof data?.error === 'string') return data.error;
  return error instanceof Error ? error.message : 'closed';
}

/** The client logs whole payloads at debug level; only its complaints are of interest. */
function quietLogger(log: Logger) {
  const nothing = (): void => undefined;
  return {
    debug: nothing,
    info: nothing,
    warn: (...parts: unknown[]) => log.warn({}, parts.map(String).join(' ')),
    error: (...parts: unknown[]) => log.warn({}, parts.map(String).join(' ')),
    setLevel: nothing,
    getLevel: () => 'error' as never,
    setName: nothing,
  };
}
