/** What the page is showing: the person, the place, the last snapshot, and the facts of the tour. */
import { Directory } from './text.js';

const USER = 'siesta.user';
const FACTS = 'siesta.facts';
const FIRST_USER = 'U0ADA';
const FIRST_CHANNEL = 'C0GENERAL';

/** `#/U0BEN/C0APPROVALS` → the person and the place; a place is a channel's id or `home`. */
export function parseHash(hash) {
  const [, user, place] = /^#\/([UW][A-Z0-9]+)(?:\/([A-Z0-9]+|home))?$/.exec(hash) ?? [];
  return { user: user ?? null, place: place ?? null };
}

/** The id of a person's direct message with the app, by which it is reached before it has been opened. */
export function directMessageId(user) {
  return `D${user.slice(1)}`;
}

export class State {
  #listeners = new Set();
  #drafts = new Map();

  constructor() {
    const { user, place } = parseHash(location.hash);
    this.user = user ?? localStorage.getItem(USER) ?? FIRST_USER;
    this.place = place ?? FIRST_CHANNEL;
    this.snapshot = null;
    this.online = true;
    this.facts = new Set(JSON.parse(localStorage.getItem(FACTS) ?? '[]'));
    this.notices = [];
  }

  /** Calls back after every change. */
  subscribe(listener) {
    this.#listeners.add(listener);
  }

  /** Applies changed properties and tells everybody. */
  set(changes) {
    Object.assign(this, changes);
    for (const listener of this.#listeners) listener(this);
  }

  /** Goes to a place as a person; a direct message becomes that person's own. */
  go(user, place) {
    const own = place.startsWith('D') ? directMessageId(user) : place;
    localStorage.setItem(USER, user);
    history.replaceState(null, '', `#/${user}/${own}`);
    const changed = user !== this.user;
    this.set({ user, place: own, ...(changed ? { notices: [] } : {}) });
  }

  note(...facts) {
    if (facts.every((fact) => this.facts.has(fact))) return;
    for (const fact of facts) this.facts.add(fact);
    localStorage.setItem(FACTS, JSON.stringify([...this.facts]));
    this.set({});
  }

  forgetFacts() {
    localStorage.removeItem(FACTS);
    this.set({ facts: new Set() });
  }

  /** The half-written text of a place, per person. */
  get draft() {
    return this.#drafts.get(`${this.user}/${this.place}`) ?? '';
  }

  set draft(text) {
    this.#drafts.set(`${this.user}/${this.place}`, text);
  }

  /** Whose snapshot is at hand: none while a switch is under way. */
  get current() {
    return this.snapshot?.me.id === this.user ? this.snapshot : null;
  }

  get isApp() {
    return this.place === 'home' || this.place.startsWith('D');
  }

  /** The channel a message or command goes to from here. */
  get channelId() {
    return this.place === 'home' ? directMessageId(this.user) : this.place;
  }

  get channel() {
    return this.current?.channels.find(({ id }) => id === this.channelId);
  }

  /** Names, zone and clock of the person looking. */
  get reader() {
    const snapshot = this.current;
    return {
      me: this.user,
      directory: new Directory(snapshot),
      tz: snapshot.me.tz,
      now: () => Date.now() / 1000,
    };
  }
}
