import { randomBytes } from 'node:crypto';
import type { StoredFile } from './files.js';
import type { AppManifest } from './manifest.js';
import {
  type ApiRequest,
  type Channel,
  type DeliveryRecord,
  type Message,
  SlackError,
  type User,
  type UserGroup,
  type View,
  type Violation,
} from './protocol.js';
import { APP, type Seed, TEAM } from './seed.js';

/** "You have three seconds": the life of a trigger id (docs.slack.dev, handling user interaction). */
export const TRIGGER_LIFE_MS = 3_000;
/** A response_url takes five answers in thirty minutes. */
export const RESPONSE_URL_USES = 5;
export const RESPONSE_URL_LIFE_MS = 30 * 60_000;

/** How much of each log (requests, deliveries, violations) a workspace that runs for days keeps. */
const LOG_ENTRIES = 5_000;

export interface Trigger {
  readonly user: string;
  readonly expires: number;
  /** The view in which it arose, if any: only such a trigger may push. */
  readonly view_id: string | null;
  used: boolean;
}

export interface ResponseUrl {
  readonly user: string;
  readonly channel: string;
  /** The message that was acted on; null for a command. */
  readonly ts: string | null;
  readonly expires: number;
  uses: number;
}

/**
 * Everything this workspace knows. The maps are open for inspection; messages are immutable and replaced on update,
 * views carry the state that their reader has entered so far. `changed()` tells everybody who waits or watches.
 */
export class Workspace {
  readonly team = TEAM;
  readonly app = APP;
  readonly manifest: AppManifest;
  readonly clock: () => number;
  readonly users = new Map<string, User>();
  readonly channels = new Map<string, Channel>();
  readonly groups = new Map<string, UserGroup>();
  readonly messages = new Map<string, Message[]>();
  /** Open modals of each person, top last. */
  readonly stacks = new Map<string, View[]>();
  readonly homes = new Map<string, View>();
  readonly files = new Map<string, StoredFile>();
  /** Where everything lives, as the app reaches it. */
  origin: () => string = () => '';
  readonly requests: ApiRequest[] = [];
  readonly deliveries: DeliveryRecord[] = [];
  readonly violations: Violation[] = [];
  readonly triggers = new Map<string, Trigger>();
  readonly responseUrls = new Map<string, ResponseUrl>();
  /** What Slack shows a person after their last action failed. */
  readonly lastErrors = new Map<string, string>();
  readonly lastRead = new Map<string, string>();
  /** Set when the app was uninstalled: its bot token answers with this error from then on. */
  revoked: 'account_inactive' | 'token_revoked' | null = null;
  private readonly listeners = new Set<() => void>();
  private lastTs = 0;

  constructor(seed: Seed, manifest: AppManifest, clock: () => number) {
    this.manifest = manifest;
    this.clock = clock;
    for (const user of seed.users) this.users.set(user.id, user);
    for (const channel of seed.channels) this.channels.set(channel.id, channel);
    for (const group of seed.groups) this.groups.set(group.id, group);
  }

  /** A timestamp that is also an id: seconds with six decimals, never twice the same. */
  nextTs(): string {
    this.lastTs = Math.max(this.clock() * 1000, this.lastTs + 1);
    return `${Math.floor(this.lastTs / 1e6)}.${String(this.lastTs % 1e6).padStart(6, '0')}`;
  }

  /** Writes to one of the logs, dropping its oldest half when it has grown too long. */
  log<T>(list: T[], entry: T): void {
    if (list.length >= LOG_ENTRIES) list.splice(0, LOG_ENTRIES / 2);
    list.push(entry);
  }

  id(prefix: string): string {
    return `${prefix}${randomBytes(8).toString('hex').slice(0, 10).toUpperCase()}`;
  }

  /** `listener` runs after each change; returns how to stop it. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed(): void {
    for (const listener of [...this.listeners]) listener();
  }

  /**
   * Resolves with the first value of `look` that is not null, undefined or false, looking again after every change.
   * Rejects after `ms` with `what()`.
   */
  until<T>(look: () => T | null | undefined | false, ms: number, what: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      let stop = (): void => {};
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`waited ${ms} ms: ${what()}`));
      }, ms);
      const settle = (): void => {
        try {
          const found = look();
          if (found === null || found === undefined || found === false) return;
          resolve(found);
        } catch (error) {
          reject(error);
        }
        clearTimeout(timer);
        stop();
      };
      stop = this.onChange(settle);
      settle();
    });
  }

  user(id: string): User {
    const user = this.users.get(id);
    if (!user) throw new SlackError('user_not_found');
    return user;
  }

  /** A channel by id or `#name`. */
  channel(id: string): Channel {
    const name = id.startsWith('#') ? id.slice(1) : null;
    const found =
      this.channels.get(id) ??
      [...this.channels.values()].find((c) => c.kind === 'channel' && c.name === name);
    if (!found) throw new SlackError('channel_not_found');
    return found;
  }

  /** The conversation between the bot and a person, made on first use. */
  dmOf(userId: string): Channel {
    this.user(userId);
    const id = `D${userId.slice(1)}`;
    const existing = this.channels.get(id);
    if (existing) return existing;
    const dm: Channel = {
      id,
      name: 'directmessage',
      kind: 'im',
      topic: '',
      members: [userId, APP.bot_user],
      is_private: true,
      is_archived: false,
    };
    this.channels.set(id, dm);
    return dm;
  }

  maySee(userId: string, channel: Channel): boolean {
    return channel.members.includes(userId) || (channel.kind === 'channel' && !channel.is_private);
  }

  /** Messages of a channel as one person sees them: without the ephemeral ones of others. */
  messagesFor(userId: string, channelId: string): Message[] {
    return (this.messages.get(channelId) ?? []).filter(
      (message) => message.visible_to === undefined || message.visible_to === userId,
    );
  }

  message(channelId: string, ts: string): Message | null {
    return this.messages.get(channelId)?.find((message) => message.ts === ts) ?? null;
  }

  addMessage(given: Omit<Message, 'ts'>): Message {
    const message = { ...given, ts: this.nextTs() };
    this.messages.set(message.channel, [...(this.messages.get(message.channel) ?? []), message]);
    this.changed();
    return message;
  }

  replaceMessage(message: Message): void {
    const list = this.messages.get(message.channel) ?? [];
    this.messages.set(
      message.channel,
      list.map((other) => (other.ts === message.ts ? message : other)),
    );
    this.changed();
  }

  removeMessage(channelId: string, ts: string): void {
    const list = this.messages.get(channelId) ?? [];
    this.messages.set(
      channelId,
      list.filter((message) => message.ts !== ts),
    );
    this.changed();
  }

  unread(userId: string, channelId: string): number {
    const read = this.lastRead.get(`${userId} ${channelId}`) ?? '';
    return this.messagesFor(userId, channelId).filter((m) => m.user !== userId && m.ts > read).length;
  }

  newTrigger(userId: string, viewId: string | null): string {
    const trigger_id = `${this.nextTs()}.${randomBytes(16).toString('hex')}`;
    const now = this.clock();
    // Kept for a while after its end, so that a late call hears `expired` rather than `invalid`.
    for (const [old, { expires }] of this.triggers) if (expires + 60_000 < now) this.triggers.delete(old);
    const expires = now + TRIGGER_LIFE_MS;
    this.triggers.set(trigger_id, { user: userId, expires, view_id: viewId, used: false });
    return trigger_id;
  }

  /**
   * Uses up a trigger id.
   * Errors: `invalid_trigger_id` (unknown), `expired_trigger_id` (older than 3 s), `exchanged_trigger_id` (second use).
   */
  useTrigger(trigger_id: unknown): Trigger {
    const trigger = typeof trigger_id === 'string' ? this.triggers.get(trigger_id) : undefined;
    if (!trigger) throw new SlackError('invalid_trigger_id');
    if (this.clock() > trigger.expires) throw new SlackError('expired_trigger_id');
    if (trigger.used) throw new SlackError('exchanged_trigger_id');
    trigger.used = true;
    return trigger;
  }

  newResponseUrl(userId: string, channelId: string, ts: string | null): string {
    const id = randomBytes(12).toString('hex');
    const now = this.clock();
    for (const [old, url] of this.responseUrls) if (url.expires < now) this.responseUrls.delete(old);
    const expires = now + RESPONSE_URL_LIFE_MS;
    this.responseUrls.set(id, { user: userId, channel: channelId, ts, expires, uses: 0 });
    return id;
  }

  fail(userId: string, error: string | null): void {
    if (error === null) this.lastErrors.delete(userId);
    else this.lastErrors.set(userId, error);
    this.changed();
  }
}
