import { elementsOf, labelOf, type Placed } from './elements.js';
import { confirmTitle, describe, entryFor, type Given, type Lookup } from './entry.js';
import type { Container, Outcome } from './interactions.js';
import { type Fields, isView, listOf, type Message, stringOf, type View } from './protocol.js';
import { type Names, renderText } from './render-text.js';
import type { SlackServer } from './server.js';
import { enterState, stackOf } from './views.js';
import type { Workspace } from './workspace.js';

/** Where to act: a message or view at hand, the top modal, or App Home. */
export type Where = Message | View | 'modal' | 'home';

export interface ClickOptions {
  /** Narrows several elements of one name down to the one with this button value. */
  readonly value?: string;
  readonly block_id?: string;
  /** Acts on the given copy of the message as it was, although it has changed since. */
  readonly stale?: boolean;
  /** `false` backs out of the confirmation dialog. */
  readonly confirm?: boolean;
}

export interface PersonOptions {
  /** Which of several app processes hears of what this person does. */
  readonly via?: number;
  /** How long waits last unless they say otherwise (default 5,000). */
  readonly patienceMs?: number;
}

type Playground = Pick<SlackServer, 'workspace' | 'interactions'>;
type Predicate<T> = RegExp | ((shown: T) => boolean);

const isButton = (type: string): boolean => type.endsWith('button');

/** A person in front of Slack: sees what they may see, does what they could do. In process, without HTTP. */
export function person(server: Playground, userId: string, options: PersonOptions = {}): Person {
  return new Person(server, userId, options);
}

export class Person {
  readonly id: string;
  private readonly server: Playground;
  private readonly via: number | undefined;
  private readonly patienceMs: number;

  constructor(server: Playground, userId: string, { via, patienceMs = 5_000 }: PersonOptions) {
    server.workspace.user(userId);
    this.id = userId;
    this.server = server;
    this.via = via;
    this.patienceMs = patienceMs;
  }

  private get workspace(): Workspace {
    return this.server.workspace;
  }

  command(text: string, channel = 'C0GENERAL'): Promise<Outcome> {
    return this.server.interactions.command(this.id, channel, text, this.via);
  }

  say(channel: string, text: string): Promise<Outcome> {
    return this.server.interactions.message(this.id, channel, text, this.via);
  }

  shortcut(callback_id: string): Promise<Outcome> {
    return this.server.interactions.shortcut(this.id, callback_id, this.via);
  }

  /** Opens App Home; the app hears `app_home_opened`. */
  openHome(): Promise<Outcome> {
    return this.server.interactions.home(this.id, this.via);
  }

  home(): View | null {
    return this.workspace.homes.get(this.id) ?? null;
  }

  /** The top modal, or null. */
  view(): View | null {
    return this.views().at(-1) ?? null;
  }

  /** All open modals, top last. */
  views(): readonly View[] {
    return stackOf(this.workspace, this.id);
  }

  messages(channel: string): readonly Message[] {
    this.workspace.dmOf(this.id);
    const place = this.workspace.channel(channel);
    return this.workspace.maySee(this.id, place) ? this.workspace.messagesFor(this.id, place.id) : [];
  }

  /** Messages between this person and the app. */
  dm(): readonly Message[] {
    return this.messages(this.workspace.dmOf(this.id).id);
  }

  /** The message as it is now, or null when it was deleted. */
  current(message: Message): Message | null {
    return this.messages(message.channel).find(({ ts }) => ts === message.ts) ?? null;
  }

  lastError(): string | null {
    return this.workspace.lastErrors.get(this.id) ?? null;
  }

  /** A message or view as plain lines. */
  text(shown: Message | View | null = this.view()): string {
    return renderText(shown, this.names());
  }

  private names(): Names {
    return {
      user: (id) => this.workspace.users.get(id)?.real_name ?? null,
      channel: (id) => this.workspace.channels.get(id)?.name ?? null,
    };
  }

  /** Clicks a button (by action_id, label, or how its label begins). Throws with a list of what there is. */
  async click(where: Where, name: string, options: ClickOptions = {}): Promise<Outcome> {
    const at = this.at(where, options.stale === true);
    const { block, element } = this.find(at.blocks, name, options, isButton);
    if (confirmTitle(element) !== null && options.confirm === false) return { ok: true };
    const action: Fields = { type: element.type, action_id: element.action_id };
    const clicked = { container: at.container, block_id: block.block_id, action };
    return this.server.interactions.action(this.id, clicked, this.via);
  }

  /** Picks in a menu (by label or value), ticks boxes, or chooses from an overflow menu. */
  async select(where: Where, name: string, given: Given, options: ClickOptions = {}): Promise<Outcome> {
    const at = this.at(where, options.stale === true);
    const placed = this.find(at.blocks, name, options, (type) => !isButton(type));
    const { block, element } = placed;
    const lookup = this.lookup(at.container, placed);
    const menu = element.type === 'overflow' ? { ...element, type: 'static_select' } : element;
    const entry = await entryFor(menu, given, lookup);
    const action: Fields = { ...entry, type: element.type, action_id: element.action_id };
    const clicked = { container: at.container, block_id: block.block_id, action };
    return this.server.interactions.action(this.id, clicked, this.via);
  }

  /** What an external menu of the top modal offers for a query. */
  async options(name: string, query: string, where: Where = 'modal'): Promise<Fields[]> {
    const at = this.at(where, false);
    return this.lookup(
      at.container,
      this.find(at.blocks, name, {}, () => true),
    ).options(query);
  }

  /**
   * Fills inputs of the top modal by label, action_id or block_id: `{'Name': 'Helpdesk', 'Owner': 'U0BEN'}`.
   * Inputs that dispatch (`dispatch_action`) tell the app at once, as in Slack.
   */
  async fill(values: Readonly<Record<string, Given>>): Promise<void> {
    for (const [name, given] of Object.entries(values)) {
      const at = this.at('modal', false);
      const placed = this.find(at.blocks, name, {}, (type) => !isButton(type));
      const { block, element } = placed;
      const entry = await entryFor(element, given, this.lookup(at.container, placed));
      const view = this.topView();
      if (block.type === 'input' && block.dispatch_action !== true) {
        enterState(view, { [block.block_id]: { [stringOf(element.action_id)]: entry } });
        this.workspace.changed();
        continue;
      }
      const action: Fields = { ...entry, action_id: element.action_id };
      const clicked = { container: at.container, block_id: block.block_id, action };
      const { ok, error } = await this.server.interactions.action(this.id, clicked, this.via);
      if (!ok) throw new Error(`filling "${name}" failed: ${error}`);
    }
  }

  /**
   * Fills (if asked to) and submits the top modal. Errors by block id, or null when the app took it.
   * Throws when the app did not answer in time or answered nonsense.
   */
  async submit(values: Readonly<Record<string, Given>> = {}): Promise<Record<string, string> | null> {
    await this.fill(values);
    const view = this.topView();
    const outcome = await this.server.interactions.submit(this.id, view.id, view.state.values, this.via);
    if (!outcome.ok) throw new Error(`submitting "${view.callback_id}" failed: ${outcome.error}`);
    return outcome.errors ?? null;
  }

  /** Closes the top modal, or all of them. */
  close(is_cleared = false): Promise<Outcome> {
    return this.server.interactions.close(this.id, this.topView().id, is_cleared, this.via);
  }

  /** The newest message this person can see that fits: a predicate, or a pattern for its text. */
  waitForMessage(fits: Predicate<Message>, ms = this.patienceMs): Promise<Message> {
    return this.workspace.until(
      () =>
        [...this.workspace.channels.keys()]
          .flatMap((channel) => this.messages(channel))
          .sort((a, b) => (a.ts < b.ts ? 1 : -1))
          .find((message) => this.fits(fits, message)),
      ms,
      () => `no message fits ${fits}; the newest are:\n${this.newest()}`,
    );
  }

  /** The top modal, as soon as it fits. */
  waitForView(fits: Predicate<View> = () => true, ms = this.patienceMs): Promise<View> {
    return this.workspace.until(
      () => {
        const view = this.view();
        return view && this.fits(fits, view) ? view : null;
      },
      ms,
      () => `no modal fits ${fits}; on top is:\n${this.text() || '(none)'}`,
    );
  }

  waitForHome(fits: Predicate<View> = () => true, ms = this.patienceMs): Promise<View> {
    return this.workspace.until(
      () => {
        const view = this.home();
        return view && this.fits(fits, view) ? view : null;
      },
      ms,
      () => `App Home does not fit ${fits}; it shows:\n${this.text(this.home()) || '(nothing)'}`,
    );
  }

  private fits<T extends Message | View>(fits: Predicate<T>, shown: T): boolean {
    return fits instanceof RegExp ? fits.test(this.text(shown)) : fits(shown);
  }

  private newest(): string {
    const all = [...this.workspace.channels.keys()].flatMap((channel) => this.messages(channel));
    const last = all.sort((a, b) => (a.ts < b.ts ? -1 : 1)).slice(-3);
    return last.map((message) => `${message.channel}: ${this.text(message)}`).join('\n') || '(none)';
  }

  private topView(): View {
    const view = this.view();
    if (!view) throw new Error(`${this.id} has no modal open (last error: ${this.lastError() ?? 'none'})`);
    return view;
  }

  private at(where: Where, stale: boolean): { blocks: Message['blocks']; container: Container } {
    if (typeof where !== 'string' && !isView(where)) {
      const message = stale ? where : this.current(where);
      if (!message) throw new Error(`the message ${where.ts} is gone`);
      const seen = stale ? { seen: where } : {};
      const container: Container = { type: 'message', channel: message.channel, ts: message.ts, ...seen };
      return { blocks: message.blocks, container };
    }
    const asked = where === 'modal' ? this.topView() : where === 'home' ? this.home() : where;
    const view = [...this.views(), this.home()].find((one) => one && one.id === asked?.id);
    if (!view) throw new Error(where === 'home' ? 'App Home is empty' : 'that view is no longer open');
    return { blocks: view.blocks, container: { type: 'view', view_id: view.id } };
  }

  private find(
    blocks: Message['blocks'],
    name: string,
    { value, block_id }: ClickOptions,
    kind: (type: string) => boolean,
  ): Placed {
    const all = elementsOf(blocks ?? []);
    const there = all.filter(
      ({ block, element }) =>
        kind(stringOf(element.type)) &&
        (value === undefined || element.value === value) &&
        (block_id === undefined || block.block_id === block_id),
    );
    const ways: ((placed: Placed) => boolean)[] = [
      ({ element }) => element.action_id === name,
      ({ block }) => block.block_id === name,
      (placed) => labelOf(placed) === name,
      (placed) => labelOf(placed).startsWith(name),
    ];
    const found = ways.map((fits) => there.filter(fits)).find((list) => list.length > 0) ?? [];
    const [first, second] = found;
    if (first && !second) return first;
    const list = (found.length > 0 ? found : all)
      .map((one) => describe(one.element, labelOf(one)))
      .join('\n  ');
    const problem = found.length > 0 ? `${found.length} elements are` : 'there is no';
    throw new Error(`${problem} "${name}"; there are:\n  ${list || '(none)'}`);
  }

  private lookup(container: Container, { block, element }: Placed): Lookup {
    const byName = <T extends { id: string }>(
      all: readonly T[],
      fits: (one: T) => boolean,
      given: string,
    ): string => {
      const found = all.find((one) => one.id === given) ?? all.find(fits);
      if (!found) throw new Error(`nobody and nothing is called "${given}"`);
      return found.id;
    };
    const user = (given: string): string =>
      byName(
        [...this.workspace.users.values()],
        ({ name, real_name }) => [name, real_name].includes(given.replace(/^@/, '')),
        given,
      );
    return {
      user,
      channel: (given) =>
        byName(
          [...this.workspace.channels.values()],
          ({ name, kind }) => kind === 'channel' && name === given.replace(/^#/, ''),
          given,
        ),
      options: async (query) => {
        const answer = await this.server.interactions.options(
          this.id,
          container,
          block.block_id,
          stringOf(element.action_id),
          query,
          this.via,
        );
        return [
          ...listOf(answer.options),
          ...listOf(answer.option_groups).flatMap((group) => listOf(group.options)),
        ];
      },
    };
  }
}
