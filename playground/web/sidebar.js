/** The person switch at the top, and the sidebar with channels, direct messages and the app. */
import { avatar } from './avatar.js';
import { el, icon, reconcile, signature } from './dom.js';
import { directMessageId } from './state.js';

/** “You are Ada (admin) · Ben (approver) …” */
export function drawSwitch(root, state, page) {
  const people = state.snapshot.users.filter((user) => !user.is_bot && user.role);
  reconcile(
    root,
    people.map((user) => {
      const chosen = user.id === state.user;
      return {
        key: user.id,
        signature: signature([user, chosen]),
        draw: () => personButton(user, chosen, () => page.go(state.place, user.id)),
      };
    }),
  );
}

function personButton(user, chosen, choose) {
  const button = el(
    'button',
    {
      type: 'button',
      class: 'person',
      'aria-pressed': String(chosen),
      dataset: { user: user.id, actionId: `person-${user.id}`, blockId: 'people' },
      title: `${user.real_name} · ${user.tz}`,
    },
    avatar(user, 'small'),
    el('span', { class: 'person-name' }, user.name.charAt(0).toUpperCase() + user.name.slice(1)),
    el('span', { class: 'person-role' }, user.role),
  );
  button.addEventListener('click', choose);
  return button;
}

export function drawSidebar(root, state, page) {
  const { current: snapshot } = state;
  const direct = snapshot.channels.filter(({ kind }) => kind === 'im');
  reconcile(root, [
    { key: 'team', signature: signature([snapshot.team, snapshot.me]), draw: () => head(snapshot) },
    ...group(
      'Channels',
      snapshot.channels.filter(({ kind }) => kind === 'channel'),
      state,
      page,
    ),
    ...group('Direct messages', direct, state, page),
    heading('Apps'),
    {
      key: 'app',
      signature: signature([state.place === 'home', state.user]),
      draw: () =>
        row({
          dataset: { app: 'home', actionId: 'home', blockId: 'sidebar' },
          active: state.place === 'home',
          symbol: icon('sun'),
          label: 'Siesta Connections',
          unread: 0,
          choose: () => page.go('home'),
        }),
    },
  ]);
}

function head({ team, me }) {
  return el(
    'div',
    { class: 'team' },
    el('h1', {}, team.name),
    el('p', {}, `${me.real_name} · ${me.tz.split('/').at(-1).replaceAll('_', ' ')} time`),
  );
}

function heading(text) {
  return { key: `heading-${text}`, signature: text, draw: () => el('h2', {}, text) };
}

function group(title, channels, state, page) {
  if (channels.length === 0) return [];
  return [heading(title), ...channels.map((channel) => channelRow(channel, state, page))];
}

function channelRow(channel, state, page) {
  const active = state.place === channel.id;
  const isDirect = channel.kind === 'im';
  return {
    key: channel.id,
    signature: signature([channel.name, channel.unread, channel.member, active]),
    draw: () =>
      row({
        dataset: { channel: channel.id, actionId: channel.id, blockId: 'sidebar' },
        active,
        symbol: isDirect ? icon('sun') : icon('hash'),
        label: channel.name,
        unread: active ? 0 : channel.unread,
        choose: () => page.go(isDirect ? directMessageId(state.user) : channel.id),
      }),
  };
}

function row({ dataset, active, symbol, label, unread, choose }) {
  const button = el(
    'button',
    {
      type: 'button',
      class: unread > 0 ? 'channel unread' : 'channel',
      'aria-current': active ? 'page' : null,
      dataset,
    },
    symbol,
    el('span', { class: 'channel-name' }, label),
    unread > 0 && el('span', { class: 'badge', 'aria-label': `${unread} unread` }, String(unread)),
  );
  button.addEventListener('click', choose);
  return button;
}
