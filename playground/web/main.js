/** The playground's page: one state, one connection, and the parts that draw it. */
import { AgentPanel } from './agent.js';
import { Client } from './client.js';
import { Composer } from './composer.js';
import { GuidePanel } from './guide.js';
import { drawHome } from './home.js';
import { MessageList } from './messages.js';
import { ModalStack } from './modal.js';
import { OutsidePanel } from './outside.js';
import { drawPaneHead } from './pane-head.js';
import { ServicesPanel } from './services.js';
import { drawSidebar, drawSwitch } from './sidebar.js';
import { directMessageId, parseHash, State } from './state.js';
import { commandFacts } from './steps.js';
import { Toasts } from './toasts.js';
import { FormState } from './values.js';

const $ = (id) => document.getElementById(id);
const state = new State();
const toasts = new Toasts($('toasts'));
let client;
let services = null;

/** Everything a part may ask the page to do. */
const page = {
  go: (place, user = state.user) => {
    document.body.classList.remove('show-sidebar', 'show-panel');
    state.go(user, place);
  },
  compose: (text, user = state.user) => {
    page.go(state.isApp ? 'C0GENERAL' : state.place, user);
    composer.put(text);
  },
  note: (...facts) => state.note(...facts),
  toast: (text) => toasts.show(text),
  services: () => services,
  send,
  shortcut,
  surface,
};

const composer = new Composer($('composer-form'), state, page);
const messages = new MessageList($('messages'), state, page);
const modal = new ModalStack($('overlay'), state, page);
const agent = new AgentPanel($('agent-body'), page);
const guide = new GuidePanel($('guide-body'), state, page, agent);
const servicesPanel = new ServicesPanel($('services-body'), page);
const outside = new OutsidePanel($('outside-body'), page);

/** What blocks need to know about where they are drawn; `form` outlives a redraw. */
function surface(container, kind, blocks, previous) {
  const { reader } = state;
  const form = new FormState(blocks, { previous, timezone: reader.tz });
  return {
    container,
    kind,
    reader,
    form,
    act: (blockId, action) => act(container, blockId, action, form),
    options: (blockId, actionId, value) => client.options(container, blockId, actionId, value),
  };
}

async function act(container, blockId, action, form) {
  const acting = client;
  const answer = await acting.action(container, blockId, action, { values: form.values() });
  if (answer.ok === false) toasts.show(await words(acting, 'The app did not answer', answer.error));
  else if (action.action_id?.includes('.')) page.note(`action:${acting.user}:${action.action_id}`);
}

/** What Slack says about a gesture that failed; the workspace knows its words, the page has some for when it is away. */
async function words(acting, otherwise, error) {
  if (error === 'connection_lost') return 'The playground cannot be reached. Nothing was sent.';
  await acting.refresh();
  const said = state.user === acting.user ? state.current?.last_error : null;
  return said ?? `${otherwise} (${error}).`;
}

async function send(text) {
  const { channelId } = state;
  const acting = client;
  if (!text.startsWith('/')) {
    const sent = await acting.message(channelId, text);
    if (sent.ok === false) toasts.show(await words(acting, 'The message was not sent', sent.error));
    return sent.ok !== false;
  }
  const answer = await acting.command(channelId, text);
  if (answer.ok !== false) page.note(...commandFacts(acting.user, text));
  else
    notice(channelId, await words(acting, `${text.split(/\s/, 1)[0]} failed with the error`, answer.error));
  return answer.error !== 'connection_lost';
}

async function shortcut(callbackId) {
  const acting = client;
  const answer = await acting.shortcut(callbackId);
  if (answer.ok === false) toasts.show(await words(acting, 'The app did not answer', answer.error));
}

/** Slackbot's words about a command that failed: shown here, known to nobody else. */
function notice(channel, said) {
  const text = said.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const message = { ts: (Date.now() / 1000).toFixed(6), user: 'USLACKBOT', text, ephemeral: true };
  state.set({ notices: [...state.notices, { channel, message }] });
}

const connect = () => {
  client?.close();
  const opened = new Client(state.user, {
    snapshot: (snapshot) => opened === client && state.set({ snapshot }),
    online: (online) => opened === client && online !== state.online && state.set({ online }),
  });
  client = opened;
  modal.client = opened;
};

/** The app is told that its Home was opened once per visit, as Slack does. */
let visited = '';
function visit() {
  const here = `${state.user}/${state.place}`;
  if (state.current === null || here === visited) return;
  visited = here;
  if (state.place === 'home') client.home();
}

function markRead() {
  const { channel } = state;
  if (channel?.unread > 0 && state.place !== 'home' && document.visibilityState === 'visible')
    client.read(channel.id);
}

function draw() {
  if (state.user !== client.user) connect();
  const { current } = state;
  document.body.classList.toggle('offline', !state.online);
  document.body.dataset.ready = String(current !== null);
  if (state.snapshot !== null) drawSwitch($('people'), state, page);
  $('overlay').inert = current === null;
  if (current === null) return;
  document.title = `${title()} · ${current.team.name}`;
  drawSidebar($('sidebar'), state, page);
  drawPaneHead($('pane-head'), state, page);
  drawHome($('home'), state, page);
  messages.draw();
  composer.draw();
  modal.draw();
  guide.draw();
  visit();
  markRead();
}

/** A button that is drawn anew while it is pressed would lose its click: what changes meanwhile is drawn when it is let go. */
let isPressed = false;
let isDue = false;
function drawOrWait() {
  isDue = isPressed;
  if (!isPressed) draw();
}
function press(is) {
  isPressed = is;
  if (!is && isDue) drawOrWait();
}
function wirePointer() {
  window.addEventListener('pointerdown', () => press(true), true);
  // The click itself comes after the pointer is up.
  const letGo = () => setTimeout(press, 0, false);
  for (const end of ['pointerup', 'pointercancel', 'dragend']) window.addEventListener(end, letGo, true);
  window.addEventListener('blur', letGo);
}

function title() {
  const unread = state.current.channels.reduce((sum, channel) => sum + channel.unread, 0);
  const name = state.isApp ? 'Siesta Connections' : `#${state.channel?.name ?? ''}`;
  return unread > 0 ? `(${unread}) ${name}` : name;
}

async function loadServices() {
  const response = await fetch('/playground/services').catch(() => null);
  if (response?.ok) services = await response.json();
  guide.draw();
  servicesPanel.draw();
}

function wireChrome() {
  $('theme').addEventListener('click', () => {
    const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    localStorage.setItem('siesta.theme', next);
  });
  $('toggle-sidebar').addEventListener('click', () => document.body.classList.toggle('show-sidebar'));
  $('toggle-panel').addEventListener('click', () => {
    const narrow = matchMedia('(max-width: 1100px)').matches;
    document.body.classList.toggle(narrow ? 'show-panel' : 'hide-panel');
  });
  $('scrim').addEventListener('click', () => document.body.classList.remove('show-sidebar', 'show-panel'));
  window.addEventListener('hashchange', () => {
    const { user, place } = parseHash(location.hash);
    if (user !== null) state.go(user, place ?? directMessageId(user));
  });
  document.addEventListener('visibilitychange', () => state.current !== null && markRead());
  for (const part of document.querySelectorAll('.panel > details')) {
    const key = `siesta.panel.${part.id}`;
    if (localStorage.getItem(key) !== null) part.open = localStorage.getItem(key) === 'open';
    part.addEventListener('toggle', () => localStorage.setItem(key, part.open ? 'open' : 'closed'));
  }
}

wireChrome();
wirePointer();
state.subscribe(drawOrWait);
connect();
loadServices();
outside.start();
