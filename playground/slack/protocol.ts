/** Shapes of Slack's protocol as this workspace keeps and sends them. */

/** A JSON object whose keys are checked where they are read. */
export type Fields = Record<string, unknown>;

export interface Block extends Fields {
  type: string;
  /** Always present in the workspace: Slack makes one up where the app gave none. */
  block_id: string;
}

export type StateValues = Record<string, Record<string, Fields>>;

export interface User {
  readonly id: string;
  name: string;
  real_name: string;
  role: 'admin' | 'approver' | 'member' | 'auditor' | 'app';
  color: string;
  tz: string;
  email: string;
  /** Whom the profile names as manager. */
  manager?: string;
  is_bot: boolean;
  is_admin: boolean;
  is_owner: boolean;
  /** A multi-channel guest. */
  is_restricted: boolean;
  /** A single-channel guest. */
  is_ultra_restricted: boolean;
  /** Somebody of another company, seen through a shared channel. */
  is_stranger: boolean;
  deleted: boolean;
}

export interface Channel {
  readonly id: string;
  name: string;
  kind: 'channel' | 'im';
  topic: string;
  members: string[];
  is_private: boolean;
  is_archived: boolean;
}

export interface UserGroup {
  readonly id: string;
  handle: string;
  name: string;
  users: string[];
  deleted: boolean;
}

/** What a message shows of a file. */
export interface SharedFile {
  readonly id: string;
  readonly name: string;
  readonly title: string;
}

export interface Message {
  readonly channel: string;
  readonly ts: string;
  readonly user: string;
  readonly text: string;
  readonly blocks?: Block[];
  readonly attachments?: unknown[];
  readonly files?: SharedFile[];
  readonly metadata?: unknown;
  readonly thread_ts?: string;
  readonly edited?: true;
  readonly ephemeral?: true;
  /** The only person who sees it, when it is ephemeral. */
  readonly visible_to?: string;
}

export interface View extends Fields {
  id: string;
  type: 'modal' | 'home';
  hash: string;
  blocks: Block[];
  callback_id: string;
  external_id: string;
  private_metadata: string;
  state: { values: StateValues };
  root_view_id: string;
  previous_view_id: string | null;
}

export function isView(shown: Message | View): shown is View {
  return 'root_view_id' in shown;
}

/** A finding of the Block Kit validator. */
export interface Finding {
  readonly pointer: string;
  readonly message: string;
  readonly constraint: string;
}

/** Something the app sent that Slack refuses, or that this workspace holds against it (blocks without `text`). */
export interface Violation extends Finding {
  at: number;
  /** The Web API method, `ack:<kind>` or `response_url`. */
  where: string;
  refused: boolean;
  payload: unknown;
}

export interface ApiRequest {
  readonly at: number;
  readonly method: string;
  /** Arguments without the token. */
  readonly args: Fields;
  status: number;
  error?: string;
  retry_after?: number;
  /** The request arrived inside a Retry-After window that the app had been told about. */
  too_early?: true;
}

export type DeliveryKind = 'slash_commands' | 'interactive' | 'events_api';

/** One delivery to the app, as it went. */
export interface DeliveryRecord {
  readonly at: number;
  readonly kind: DeliveryKind;
  /** `payload.type`, the event's type or the command. */
  readonly what: string;
  /** Envelope id or, for events, the event id. */
  readonly id: string;
  readonly attempt: number;
  readonly duplicate: boolean;
  ack_ms?: number;
  error?: string;
  ack?: unknown;
}

/** An error answer of Slack: `{ok: false, error}` plus what goes with it. */
export class SlackError extends Error {
  readonly code: string;
  readonly details: Fields;

  constructor(code: string, details: Fields = {}) {
    super(code);
    this.name = 'SlackError';
    this.code = code;
    this.details = details;
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at hand, or an empty one: for reading optional parts of a payload. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

export function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
