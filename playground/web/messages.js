/** The message list: keyed by channel and time stamp, so that only what changed is drawn again. */
import { avatar } from './avatar.js';
import { drawBlocks } from './blocks.js';
import { clock, dayKey, dayLabel, fullTime } from './dates.js';
import { el, icon, reconcile, signature } from './dom.js';
import { parseMrkdwn, plainOf } from './mrkdwn.js';
import { drawMrkdwn } from './text.js';

const TOGETHER_SECONDS = 300;
const NEAR_END_PX = 80;
const SLACKBOT = { id: 'USLACKBOT', name: 'slackbot', real_name: 'Slackbot', color: '6b7280', is_bot: false };

/** A shared picture, as large as there is room. */
const drawFile = ({ id, title }) =>
  el(
    'figure',
    { class: 'shared-file' },
    el('figcaption', {}, title),
    el('img', { src: `/playground/files/${id}`, alt: title }),
  );

export class MessageList {
  #forms = new Map();
  #announced = new Map();
  #shown = '';

  constructor(root, state, page) {
    this.root = root;
    this.state = state;
    this.page = page;
    this.list = root.querySelector('.message-list');
    this.live = document.getElementById('live');
  }

  draw() {
    const { state } = this;
    this.root.hidden = state.place === 'home';
    this.#announce();
    if (this.root.hidden) return;
    const place = `${state.user}/${state.channelId}`;
    const moved = place !== this.#shown;
    const atEnd =
      moved || this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < NEAR_END_PX;
    if (moved) this.list.replaceChildren();
    this.#shown = place;
    const items = this.#items();
    reconcile(this.list, [this.#beginning(), ...items]);
    if (atEnd) this.root.scrollTop = this.root.scrollHeight;
  }

  #messages() {
    const { state } = this;
    const local = state.notices
      .filter(({ channel }) => channel === state.channelId)
      .map(({ message }) => message);
    return [...(state.current.messages[state.channelId] ?? []), ...local].sort(
      (a, b) => Number(a.ts) - Number(b.ts),
    );
  }

  #items() {
    const { reader } = this.state;
    const items = [];
    let previous = null;
    for (const message of this.#messages()) {
      const day = dayKey(Number(message.ts), reader.tz);
      const newDay = previous === null || dayKey(Number(previous.ts), reader.tz) !== day;
      if (newDay) items.push(divider(Number(message.ts), day, reader));
      const follows = !newDay && belongsTo(message, previous);
      items.push(this.#item(message, follows, reader));
      previous = message;
    }
    return items;
  }

  #item(message, follows, reader) {
    const author = reader.directory.user(message.user) ?? SLACKBOT;
    return {
      key: `${message.ts}/${message.ephemeral === true}`,
      signature: signature([message, follows, author]),
      draw: () => this.#drawMessage(message, author, follows, reader),
    };
  }

  #drawMessage(message, author, follows, reader) {
    const seconds = Number(message.ts);
    const time = el('time', {
      class: follows ? 'gutter-time' : null,
      datetime: new Date(seconds * 1000).toISOString(),
      title: fullTime(seconds, reader.tz),
    });
    time.append(clock(seconds, reader.tz));
    const lead = follows ? time : avatar(author);
    const name = el(
      'div',
      { class: 'message-head' },
      el('span', { class: 'author' }, author.real_name || author.name),
      author.is_bot && el('span', { class: 'app-tag' }, 'App'),
      time,
    );
    return el(
      'article',
      {
        class: `message${message.ephemeral ? ' ephemeral' : ''}${follows ? ' follows' : ''}`,
        dataset: { ts: message.ts, channel: this.state.channelId },
      },
      el('div', { class: 'gutter' }, lead),
      el(
        'div',
        { class: 'message-body' },
        message.ephemeral && el('p', { class: 'only-you' }, icon('eye'), 'Only visible to you'),
        !follows && name,
        this.#content(message, reader),
      ),
    );
  }

  #content(message, reader) {
    const edited = message.edited && el('span', { class: 'edited' }, ' (edited)');
    if (!message.blocks?.length) {
      const text = el('div', { class: 'message-text' }, drawMrkdwn(message.text ?? '', reader), edited);
      return [text, ...(message.files ?? []).map(drawFile)];
    }
    const container = { type: 'message', channel: this.state.channelId, ts: message.ts };
    const key = `${container.channel}/${message.ts}`;
    const surface = this.page.surface(container, 'message', message.blocks, this.#forms.get(key));
    this.#forms.set(key, surface.form);
    return [el('div', { class: 'blocks' }, drawBlocks(message.blocks, surface)), edited];
  }

  /** How a channel starts, above its first message. */
  #beginning() {
    const { channel, isApp } = this.state;
    const name = isApp ? 'Siesta Connections' : (channel?.name ?? '');
    const words = isApp
      ? 'What the app has to ask or to tell you arrives here, and nobody else sees it.'
      : `This is the very beginning of #${name}. Type / to see what the app can do.`;
    return {
      key: 'beginning',
      signature: name,
      draw: () =>
        el(
          'div',
          { class: 'beginning' },
          el('h3', {}, icon(isApp ? 'sun' : 'hash'), name),
          el('p', {}, words),
        ),
    };
  }

  /** Reads new messages of others aloud, in whatever channel they arrive; never the backlog. */
  #announce() {
    const { state } = this;
    const { reader } = state;
    const spoken = [];
    for (const [channel, messages] of Object.entries(state.current.messages)) {
      const key = `${state.user}/${channel}`;
      const newest = messages.reduce((latest, { ts }) => Math.max(latest, Number(ts)), 0);
      const heard = this.#announced.get(key);
      this.#announced.set(key, newest);
      if (heard === undefined) continue;
      const fresh = messages.filter(({ ts, user }) => Number(ts) > heard && user !== state.user);
      spoken.push(...fresh.map((message) => spokenLine(message, channel, reader)));
    }
    if (spoken.length > 0) this.live.textContent = spoken.join('. ');
  }
}

function spokenLine({ user, text }, channel, { directory }) {
  const place = channel.startsWith('D') ? 'direct message' : `#${directory.channelName(channel)}`;
  return `${directory.userName(user)} in ${place}: ${plainOf(parseMrkdwn(text ?? ''))}`;
}

function belongsTo(message, previous) {
  const close = Number(message.ts) - Number(previous.ts) < TOGETHER_SECONDS;
  return (
    close &&
    message.user === previous.user &&
    !message.ephemeral &&
    !previous.ephemeral &&
    !message.blocks?.length
  );
}

function divider(seconds, day, reader) {
  const label = dayLabel(seconds, reader.now(), reader.tz);
  return {
    key: `day-${day}`,
    signature: label,
    draw: () => el('div', { class: 'day', role: 'separator', 'aria-label': label }, el('span', {}, label)),
  };
}
