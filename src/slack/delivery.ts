/**
 * Delivers the outbox: draws each row's current state and posts or updates it, one message per second and channel,
 * never inside a Retry-After, and again until Slack has it (G11).
 */
import type { KnownBlock, View } from '@slack/types';
import { WebAPIPlatformError, WebAPIRateLimitedError, type WebClient } from '@slack/web-api';
import type { OutboxDocument } from '../../models/types.js';
import { crashAt } from '../kill-points.js';
import type { Dependencies } from '../services/dependencies.js';
import { HOME_EVERY_MS } from '../services/home-rows.js';
import type { OutboxService } from '../services/outbox.js';
import { type Picture, sharePicture } from './picture.js';

export interface Drawing {
  readonly text: string;
  readonly blocks: KnownBlock[];
  /** Version of the subject that was drawn. */
  readonly version: number;
  /** Follows the message once, where Slack takes it. */
  readonly picture?: Picture;
}

/** Draws a row's subject as it is now. Null when there is nothing to show (yet). */
export type Drawer = (row: OutboxDocument) => Promise<Drawing | null>;

/** A message for each view; a Home is no message. */
export type Drawers = Readonly<Record<Exclude<OutboxDocument['view'], 'home'>, Drawer>>;

/** Slack: 100 a minute and workspace (`views.publish`, tier 4). */
const PUBLISH_INTERVAL_MS = 600;
/** Slack: about one message per second and channel (`chat.postMessage`). */
const CHANNEL_INTERVAL_MS = 1_000;
/** More than a post takes on a busy machine; who died with a turn holds its channel up no longer. */
const TURN_MS = 3 * CHANNEL_INTERVAL_MS;
const POLL_MS = 1_000;
const WORKERS = 4;
const LONGEST_BACKOFF_MS = 60_000;
/** No use trying again. */
const HOPELESS = new Set([
  'channel_not_found',
  'not_in_channel',
  'is_archived',
  'user_not_found',
  'user_disabled',
  'cannot_dm_bot',
  'invalid_blocks',
  'msg_too_long',
  'messages_tab_disabled',
  'restricted_action',
  'cant_update_message',
  'message_not_found',
]);

function methodOf(row: OutboxDocument): 'chat.postMessage' | 'chat.update' | 'views.publish' {
  if (row.view === 'home') return 'views.publish';
  return row.ts === null ? 'chat.postMessage' : 'chat.update';
}

/** A surplus copy that we only learned of from a click: if it is not there, nothing is missing (abuse case 22). */
function isAdopted({ _id, view, subjectId, channel, ts }: OutboxDocument): boolean {
  return _id === `${view}:${subjectId}:${channel}:${ts}`;
}

export class Delivery {
  private readonly dms = new Map<string, string>();
  private readonly blocked = new Map<string, Date>();
  /** Whose turn is taken, as far as this process knows: what waits for them is left alone, instead of looked at every second. */
  private readonly busy = new Map<string, Date>();
  private readonly workers = new Set<Promise<void>>();
  private sharing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly deps: Pick<Dependencies, 'clock' | 'log' | 'signals'>,
    private readonly outbox: OutboxService,
    private readonly client: WebClient,
    private readonly drawers: Drawers,
    private readonly home: (userId: string) => Promise<View>,
  ) {}

  start(): void {
    this.deps.signals.on('outbox', this.kick);
    this.timer = setInterval(this.kick, POLL_MS);
    this.timer.unref();
    this.kick();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    this.deps.signals.off('outbox', this.kick);
    await Promise.all(this.workers);
  }

  private readonly kick = (): void => {
    if (this.stopped || this.workers.size >= WORKERS) return;
    const worker = this.work()
      .catch((error: unknown) => this.deps.log.warn({ err: error }, 'outbox not reachable'))
      .finally(() => this.workers.delete(worker));
    this.workers.add(worker);
  };

  private async work(): Promise<void> {
    const next = () => this.outbox.claim(this.busyNow());
    for (let row = await next(); row && !this.stopped; row = await next()) {
      try {
        await this.deliver(row);
      } catch (error) {
        await this.failed(row, error);
      }
    }
  }

  private busyNow(): string[] {
    const now = this.deps.clock.now();
    for (const [to, until] of this.busy) if (until <= now) this.busy.delete(to);
    return [...this.busy.keys()];
  }

  private async deliver(row: OutboxDocument): Promise<void> {
    const now = this.deps.clock.now();
    if (row.deadline && row.deadline <= now && row.ts === null) {
      await this.outbox.giveUp(row, 'its time was over before it could be delivered');
      return;
    }
    if (await this.isHeldBack(row)) return;
    if (row.view === 'home') return this.publish(row);
    const channel = row.channel ?? (await this.channelOf(row));
    if (channel === null) return;
    if (row.ts === null) await this.post(row, channel);
    else await this.update(row, channel, row.ts);
  }

  /** Homes have a lane of their own: no card waits for them. */
  private async publish(row: OutboxDocument): Promise<void> {
    if (await this.outbox.takeTurn('lane:views.publish', PUBLISH_INTERVAL_MS)) {
      await this.outbox.postpone(row, this.after(HOME_EVERY_MS), false);
      return;
    }
    const view = await this.home(row.to);
    if (await this.isHeldBack(row)) return;
    await this.client.views.publish({ user_id: row.to, view });
    await this.outbox.delivered(row, 0);
  }

  /** While the channel is busy nothing is drawn: what waits for it would be drawn again every second. */
  private async post(row: OutboxDocument, channel: string): Promise<void> {
    const turn = `channel:${channel}`;
    const busy = await this.outbox.blockedUntil(turn);
    if (busy) return this.waitForTurn(row, busy);
    const drawing = await this.draw(row);
    if (!drawing) return;
    const held = this.after(TURN_MS);
    const taken = await this.outbox.holdTurn(turn, held);
    if (taken) return this.waitForTurn(row, taken);
    const place = await this.send(row, channel, drawing).finally(() => {
      // From when Slack took it, not from when the turn was taken: in between the process may have been slow.
      const next = this.after(CHANNEL_INTERVAL_MS);
      this.leaveAlone(row.to, next);
      return this.outbox.endTurn(turn, held, next);
    });
    if (place === null) return;
    await this.outbox.delivered(row, drawing.version);
    if (drawing.picture) this.share(row, place, drawing.picture);
  }

  /** Where it is now. Null when Slack has asked for patience meanwhile: drawing takes a while, and another process may know. */
  private async send(row: OutboxDocument, channel: string, drawing: Drawing): Promise<string | null> {
    if (await this.isHeldBack(row)) return null;
    crashAt('before_card_post');
    const answer = await this.client.chat.postMessage({
      channel,
      text: drawing.text,
      blocks: drawing.blocks,
      unfurl_links: false,
      unfurl_media: false,
    });
    crashAt('after_card_post');
    const place = answer.channel ?? channel;
    // First of all, because a message that we do not know of is posted again and never brought up to date.
    await this.outbox.posted(row, place, answer.ts ?? '');
    return place;
  }

  /** Whoever has the channel may be done long before the moment that is for the dead. */
  private async waitForTurn(row: OutboxDocument, busyUntil: Date): Promise<void> {
    const again = new Date(Math.min(busyUntil.getTime(), this.after(CHANNEL_INTERVAL_MS).getTime()));
    this.leaveAlone(row.to, again);
    await this.outbox.postpone(row, again, false);
  }

  private leaveAlone(to: string, until: Date): void {
    this.busy.set(to, until);
    this.kickAt(until);
  }

  /**
   * One after the other, and apart from the workers: no card waits for a picture. The message says the same in words, so
   * one that does not get through is not tried again.
   */
  private share(row: OutboxDocument, channel: string, picture: Picture): void {
    this.sharing = this.sharing.then(async () => {
      if (this.stopped) return;
      await sharePicture(this.client, channel, picture).catch((error: unknown) => {
        this.deps.log.warn({ err: error, outbox: row._id }, 'picture not shared');
      });
    });
  }

  private async update(row: OutboxDocument, channel: string, ts: string): Promise<void> {
    const drawing = await this.draw(row);
    if (!drawing) return;
    crashAt('before_card_update');
    await this.client.chat.update({ channel, ts, text: drawing.text, blocks: drawing.blocks });
    await this.outbox.delivered(row, drawing.version);
  }

  private async draw(row: OutboxDocument): Promise<Drawing | null> {
    const drawing = row.view === 'home' ? null : await this.drawers[row.view](row);
    if (!drawing) await this.outbox.giveUp(row, 'there is nothing to show');
    return drawing;
  }

  /** Puts the row off while Slack's Retry-After for its method lasts. */
  private async isHeldBack(row: OutboxDocument): Promise<boolean> {
    const until = await this.blockedUntil(methodOf(row));
    if (until) await this.outbox.postpone(row, until, false);
    return until !== null;
  }

  private async failed(row: OutboxDocument, error: unknown): Promise<void> {
    const now = this.deps.clock.now().getTime();
    const method = methodOf(row);
    if (error instanceof WebAPIRateLimitedError) {
      const until = new Date(now + error.retryAfter * 1_000);
      this.blocked.set(method, until);
      await this.outbox.block(method, until);
      await this.outbox.postpone(row, until, false);
      this.kickAt(until);
      return;
    }
    const reason = error instanceof WebAPIPlatformError ? error.data.error : String(error);
    if (reason === 'message_not_found' && !isAdopted(row)) {
      await this.outbox.forgetMessage(row);
      await this.outbox.postpone(row, new Date(now + 1_000), true);
      return;
    }
    if (HOPELESS.has(reason)) {
      this.deps.log.error({ outbox: row._id, to: row.to, reason }, 'message cannot be delivered');
      await this.outbox.giveUp(row, reason);
      return;
    }
    const pause = Math.min(LONGEST_BACKOFF_MS, 500 * 2 ** row.attempts);
    this.deps.log.warn({ outbox: row._id, reason, nextTryMs: pause }, 'message not delivered yet');
    await this.outbox.postpone(row, new Date(now + pause), true);
    this.kickAt(new Date(now + pause));
  }

  private async blockedUntil(method: string): Promise<Date | null> {
    const known = this.blocked.get(method);
    if (known && known > this.deps.clock.now()) return known;
    return this.outbox.blockedUntil(method);
  }

  /** Null when Slack has asked for patience meanwhile: what follows is a post, so its Retry-After holds for this, too. */
  private async channelOf(row: OutboxDocument): Promise<string | null> {
    const { to } = row;
    if (!/^[UW]/.test(to)) return to;
    const known = this.dms.get(to);
    if (known) return known;
    if (await this.isHeldBack(row)) return null;
    const answer = await this.client.conversations.open({ users: to });
    const channel = answer.channel?.id;
    if (!channel) throw new Error('conversations.open gave no channel');
    this.dms.set(to, channel);
    return channel;
  }

  private after(milliseconds: number): Date {
    return new Date(this.deps.clock.now().getTime() + milliseconds);
  }

  private kickAt(when: Date): void {
    setTimeout(this.kick, Math.max(0, when.getTime() - this.deps.clock.now().getTime()) + 5).unref();
  }
}
