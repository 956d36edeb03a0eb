/** The head of the middle pane: a channel's name and topic, or the app with its tabs. */
import { avatar } from './avatar.js';
import { el, icon, reconcile, signature } from './dom.js';
import { directMessageId } from './state.js';

const APP = { name: 'Siesta Connections', is_bot: true };

export function drawPaneHead(root, state, page) {
  const { place, user, channel, isApp } = state;
  const topic = channel?.topic ?? '';
  reconcile(root, [
    {
      key: isApp ? 'app' : 'channel',
      signature: signature(isApp ? [place, user] : [place, channel?.name, topic]),
      draw: () => (isApp ? appHead(place, user, page) : channelHead(channel?.name ?? '', topic)),
    },
  ]);
}

function channelHead(name, topic) {
  return el(
    'div',
    { class: 'pane-title' },
    el('h2', {}, icon('hash'), name),
    topic !== '' && el('p', { class: 'topic' }, topic),
  );
}

function appHead(place, user, page) {
  const tab = (id, label, active) =>
    el(
      'button',
      {
        type: 'button',
        class: 'tab',
        'aria-current': active ? 'page' : null,
        dataset: { tab: label.toLowerCase(), actionId: label, blockId: 'tabs' },
        on: { click: () => page.go(id) },
      },
      label,
    );
  return el(
    'div',
    { class: 'pane-title pane-app' },
    el('h2', {}, avatar(APP, 'small'), APP.name, el('span', { class: 'app-tag' }, 'App')),
    el(
      'div',
      { class: 'tabs', role: 'group', 'aria-label': 'Siesta Connections' },
      tab('home', 'Home', place === 'home'),
      tab(directMessageId(user), 'Messages', place !== 'home'),
    ),
  );
}
