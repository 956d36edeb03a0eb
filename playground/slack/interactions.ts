import type { Delivery } from './delivery.js';
import { findElement, foreignOption, inputErrors, STATE_FIELDS } from './elements.js';
import { inspectOptions } from './inspection.js';
import type { Payloads } from './payloads.js';
import {
  type Block,
  type Channel,
  type Fields,
  fieldsOf,
  type Message,
  SlackError,
  type StateValues,
  stringOf,
  type User,
  type View,
} from './protocol.js';
import { postAnswer } from './response-url.js';
import { applySubmission, responseChannels } from './submission.js';
import type { Ack } from './transport.js';
import { closeView, enterState, stackOf, viewFor } from './views.js';
import type { Workspace } from './workspace.js';

/** Where an element stands. `seen` is an old copy of the message, for a click made before the update arrived. */
export type Container =
  | { readonly type: 'message'; readonly channel: string; readonly ts: string; readonly seen?: Message }
  | { readonly type: 'view'; readonly view_id: string };

export interface Outcome {
  readonly ok: boolean;
  readonly error?: string;
  readonly ack?: unknown;
}

export interface Clicked {
  readonly container: Container;
  readonly block_id: string;
  readonly action: Fields;
  readonly values?: unknown;
}

const TROUBLE = 'We had some trouble connecting. Try again?';

/**
 * What people do in the workspace: each method plays the Slack client and server for one gesture, delivers the payload
 * and applies the app's answer. Impossible gestures (a button that is not there, a private channel of others) throw a
 * SlackError; an app that does not answer gives `{ok: false, error}` and the words Slack would show.
 */
export class Interactions {
  private readonly workspace: Workspace;
  private readonly delivery: Delivery;
  private readonly payloads: Payloads;

  constructor(workspace: Workspace, delivery: Delivery, payloads: Payloads) {
    this.workspace = workspace;
    this.delivery = delivery;
    this.payloads = payloads;
  }

  /** Types a slash command. The ack's text or blocks appear as the app's answer, ephemeral unless in_channel. */
  async command(userId: string, channelId: string, text: string, via?: number): Promise<Outcome> {
    const { user, channel } = this.at(userId, channelId);
    const [name = '', rest = ''] = text.trim().split(/\s+([\s\S]*)/);
    if (!this.workspace.manifest.commands.some(({ command }) => command === name)) {
      const error = `${name} is not a valid command. In Slack, all messages that start with the "/" character are interpreted as commands.`;
      this.workspace.fail(userId, error);
      return { ok: false, error: 'invalid_command' };
    }
    this.workspace.fail(userId, null);
    const ack = await this.delivery.interact(
      'slash_commands',
      this.payloads.command(user, channel, name, rest),
      via,
    );
    const failed = (error: string): Outcome => {
      this.workspace.fail(userId, `${name} failed with the error "${error}"`);
      return { ok: false, error };
    };
    if (!ack.ok) return failed(ack.error);
    const answer = typeof ack.body === 'string' ? { text: ack.body } : fieldsOf(ack.body);
    if (!answer.text && !answer.blocks) return { ok: true, ack: ack.body };
    try {
      postAnswer(this.workspace, 'ack:slash_commands', { user: userId, channel: channel.id }, answer);
    } catch (error) {
      if (error instanceof SlackError) return failed('dispatch_failed');
      throw error;
    }
    return { ok: true, ack: ack.body };
  }

  /** Clicks a button, picks an option, presses enter in an input that dispatches. */
  async action(userId: string, clicked: Clicked, via?: number): Promise<Outcome> {
    const user = this.actor(userId);
    const place = this.place(userId, clicked.container);
    const action = this.actionOf(place.blocks, clicked);
    this.workspace.fail(userId, null);
    let payload: Fields;
    if (place.view) {
      enterState(place.view, clicked.values);
      this.remember(place.view, clicked, action);
      payload = this.payloads.viewAction(user, place.view, action);
    } else {
      const entered = withEntry(fieldsOf(clicked.values), clicked.block_id, action);
      payload = this.payloads.messageAction(user, place.channel, place.message, action, entered);
    }
    return this.outcome(userId, await this.delivery.interact('interactive', payload, via));
  }

  private outcome(userId: string, ack: Ack): Outcome {
    if (ack.ok) return { ok: true, ack: ack.body };
    this.workspace.fail(userId, TROUBLE);
    return { ok: false, error: ack.error };
  }

  private remember(view: View, { block_id }: Clicked, action: Fields): void {
    const type = stringOf(action.type);
    const keeps = STATE_FIELDS[type];
    if (!keeps) return;
    const entry: Fields = { type, [keeps.field]: action[keeps.field] ?? keeps.empty };
    enterState(view, { [block_id]: { [stringOf(action.action_id)]: entry } });
  }

  /** The `actions[0]` of the payload: what the element says itself wins over what the client claims. */
  private actionOf(blocks: readonly Block[], { block_id, action }: Clicked): Fields {
    const action_id = stringOf(action.action_id);
    const placed = findElement(blocks, block_id, action_id);
    if (!placed) throw new SlackError('action_not_found', { block_id, action_id });
    const { element } = placed;
    const type = stringOf(element.type);
    const whole: Fields = { action_id, block_id, type, action_ts: this.workspace.nextTs() };
    const foreign = foreignOption(element, action);
    if (foreign) throw new SlackError('option_not_found', { value: foreign.value });
    for (const [name, value] of Object.entries(action)) {
      if (name.startsWith('selected_') || name === 'rich_text_value') whole[name] = value;
    }
    const fromElement = type === 'button' || type === 'icon_button' || type === 'workflow_button';
    if (fromElement) {
      for (const name of ['text', 'value', 'style', 'url'] as const) {
        if (element[name] !== undefined) whole[name] = element[name];
      }
    } else if (action.value !== undefined) whole.value = action.value;
    return whole;
  }

  /**
   * Submits a modal. Inputs that Slack's client would not let pass come back as errors without reaching the app.
   * Answer: `errors` by block id, or null when the app took it (close, update, push and clear are applied).
   */
  async submit(
    userId: string,
    viewId: string,
    values: unknown,
    via?: number,
  ): Promise<Outcome & { errors?: Record<string, string> }> {
    const user = this.actor(userId);
    const view = viewFor(this.workspace, userId, viewId);
    if (view.type !== 'modal' || !view.submit) throw new SlackError('view_has_no_submit');
    enterState(view, values);
    this.workspace.fail(userId, null);
    const incomplete = inputErrors(view.blocks, view.state.values);
    if (Object.keys(incomplete).length > 0) return { ok: true, errors: incomplete };

    const payload = this.payloads.viewSubmission(user, view, responseChannels(this.workspace, view));
    const ack = await this.delivery.interact('interactive', payload, via);
    const outcome = this.outcome(userId, ack);
    if (!ack.ok) return outcome;
    try {
      const errors = applySubmission(this.workspace, userId, view, fieldsOf(ack.body));
      this.workspace.changed();
      return errors ? { ...outcome, errors } : outcome;
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      this.workspace.fail(userId, TROUBLE);
      return { ok: false, error: error.code, ack: ack.body };
    }
  }

  /** Closes the top modal, or with `is_cleared` (or a view's clear_on_close) all; the app hears of it where it asked to. */
  async close(userId: string, viewId: string, is_cleared: boolean, via?: number): Promise<Outcome> {
    const user = this.actor(userId);
    const view = viewFor(this.workspace, userId, viewId);
    const all = is_cleared || view.clear_on_close === true;
    const gone = all ? stackOf(this.workspace, userId) : [view];
    if (all) this.workspace.stacks.set(userId, []);
    else closeView(this.workspace, userId, viewId);
    this.workspace.fail(userId, null);
    let outcome: Outcome = { ok: true };
    for (const closed of gone.filter((one) => one.notify_on_close === true)) {
      const payload = this.payloads.viewClosed(user, closed, all);
      outcome = this.outcome(userId, await this.delivery.interact('interactive', payload, via));
    }
    return outcome;
  }

  /** Types into a menu whose options the app provides. Errors: `min_query_length`, and those of the delivery. */
  async options(
    userId: string,
    container: Container,
    block_id: string,
    action_id: string,
    value: string,
    via?: number,
  ): Promise<Fields> {
    const user = this.actor(userId);
    const place = this.place(userId, container);
    const placed = findElement(place.blocks, block_id, action_id);
    if (!placed) throw new SlackError('action_not_found', { block_id, action_id });
    const shortest = placed.element.min_query_length ?? 3;
    if ([...value].length < Number(shortest)) return { options: [] };
    const where = place.view
      ? this.payloads.suggestionInView(place.view)
      : this.payloads.suggestionInMessage(place.channel, place.message);
    const payload = this.payloads.suggestion(user, { action_id, block_id, value }, where);
    const ack = await this.delivery.interact('interactive', payload, via);
    if (!ack.ok) throw new SlackError(ack.error);
    const answer = fieldsOf(ack.body);
    inspectOptions(this.workspace, answer);
    return answer.option_groups === undefined
      ? { options: answer.options ?? [] }
      : { option_groups: answer.option_groups };
  }

  async home(userId: string, via?: number): Promise<Outcome> {
    const user = this.actor(userId);
    const view = this.workspace.homes.get(userId);
    const dm = this.workspace.dmOf(userId);
    this.workspace.fail(userId, null);
    return this.event(
      {
        type: 'app_home_opened',
        user: user.id,
        channel: dm.id,
        tab: 'home',
        ...(view ? { view: structuredClone(view) } : {}),
      },
      via,
    );
  }

  async shortcut(userId: string, callback_id: string, via?: number): Promise<Outcome> {
    const user = this.actor(userId);
    const { shortcuts } = this.workspace.manifest;
    const known = shortcuts?.some((one) => one.callback_id === callback_id && one.type === 'global') ?? true;
    if (!known) throw new SlackError('shortcut_not_found');
    this.workspace.fail(userId, null);
    const payload = this.payloads.shortcut(user, callback_id);
    return this.outcome(userId, await this.delivery.interact('interactive', payload, via));
  }

  /** Writes a message; the app hears of it in a DM, in channels it is in, and by mention, as far as it subscribed. */
  async message(userId: string, channelId: string, text: string, via?: number): Promise<Outcome> {
    const { user, channel } = this.at(userId, channelId);
    if (!text.trim()) throw new SlackError('no_text');
    if (!channel.members.includes(userId)) throw new SlackError('not_in_channel');
    const { team, app } = this.workspace;
    const message = this.workspace.addMessage({ channel: channel.id, user: user.id, text: escaped(text) });
    this.read(userId, channel.id);
    if (!channel.members.includes(app.bot_user)) return { ok: true };
    const event: Fields = {
      type: 'message',
      user: user.id,
      ts: message.ts,
      client_msg_id: crypto.randomUUID(),
      text: message.text,
      team: team.id,
      channel: channel.id,
      event_ts: message.ts,
      channel_type: channel.kind === 'im' ? 'im' : channel.is_private ? 'group' : 'channel',
    };
    const outcome = await this.event(event, via);
    if (channel.kind === 'im' || !text.includes(`<@${app.bot_user}>`)) return outcome;
    const { channel_type: _, ...mention } = event;
    return this.event({ ...mention, type: 'app_mention' }, via);
  }

  read(userId: string, channelId: string): void {
    const last = this.workspace.messagesFor(userId, channelId).at(-1);
    this.workspace.lastRead.set(`${userId} ${channelId}`, last?.ts ?? this.workspace.nextTs());
    this.workspace.changed();
  }

  /** Any Events API event; one that the manifest does not subscribe to is not delivered, as in Slack. */
  async event(event: Fields, via?: number): Promise<Outcome> {
    const type = stringOf(event.type);
    const kinds: Record<string, string> = {
      im: 'message.im',
      group: 'message.groups',
      channel: 'message.channels',
    };
    const name = type === 'message' ? (kinds[stringOf(event.channel_type)] ?? type) : type;
    const { events } = this.workspace.manifest;
    if (type === 'app_uninstalled') this.workspace.revoked = 'account_inactive';
    if (type === 'tokens_revoked') this.workspace.revoked = 'token_revoked';
    if (events && !events.includes(name)) return { ok: true, error: 'not_subscribed' };
    const ack = await this.delivery.event(this.payloads.event(event), via);
    return ack.ok ? { ok: true, ack: ack.body } : { ok: false, error: ack.error };
  }

  /** Somebody who can still do things here. */
  private actor(userId: string): User {
    const user = this.workspace.user(userId);
    if (user.deleted) throw new SlackError('user_disabled');
    return user;
  }

  private at(userId: string, channelId: string): { user: User; channel: Channel } {
    const user = this.actor(userId);
    this.workspace.dmOf(userId);
    const channel = this.workspace.channel(channelId);
    if (!this.workspace.maySee(userId, channel)) throw new SlackError('channel_not_found');
    return { user, channel };
  }

  private place(
    userId: string,
    container: Container,
  ):
    | { view: View; blocks: readonly Block[] }
    | { view: null; channel: Channel; message: Message; blocks: readonly Block[] } {
    if (container.type === 'view') {
      const view = viewFor(this.workspace, userId, container.view_id);
      return { view, blocks: view.blocks };
    }
    const { channel } = this.at(userId, container.channel);
    const current = this.workspace.messagesFor(userId, channel.id).find(({ ts }) => ts === container.ts);
    const message = container.seen ?? current;
    if (!message) throw new SlackError('message_not_found');
    return { view: null, channel, message, blocks: message.blocks ?? [] };
  }
}

/** What people type arrives with `& < >` as entities; only mentions are markup. */
function escaped(text: string): string {
  const parts = text.split(/(<[@#][A-Z0-9]+>)/);
  const plain = (part: string): string =>
    part.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return parts.map((part, index) => (index % 2 === 1 ? part : plain(part))).join('');
}

function withEntry(values: Fields, block_id: string, action: Fields): StateValues {
  const entered: StateValues = {};
  for (const [id, actions] of Object.entries(values)) {
    entered[id] = Object.fromEntries(
      Object.entries(fieldsOf(actions)).map(([name, e]) => [name, fieldsOf(e)]),
    );
  }
  if (STATE_FIELDS[stringOf(action.type)]) {
    entered[block_id] = { ...entered[block_id], [stringOf(action.action_id)]: action };
  }
  return entered;
}
