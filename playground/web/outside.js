/** “Outside world”: what the helpdesk and the mailbox themselves say, asked without going through the product. */
import { clock } from './dates.js';
import { el, fill, signature } from './dom.js';

const EVERY_MS = 2000;
const MAILBOX = 'cleo@siesta.example';

export class OutsidePanel {
  #drawn = '';
  #mails = null;

  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.part = root.closest('details');
  }

  /** Refreshes every two seconds while somebody can see it. */
  start() {
    const tick = async () => {
      if (document.visibilityState === 'visible') await this.#refresh();
      setTimeout(tick, EVERY_MS);
    };
    tick();
  }

  /** Mails that were there from the beginning prove nothing. */
  #noteMail(count) {
    if (count === undefined) return;
    this.#mails ??= count;
    if (count > this.#mails) this.page.note('mail:arrived');
  }

  async #refresh() {
    const [desk, mail] = await Promise.all([
      get('/playground/helpdesk/tickets'),
      get(`/playground/mailbox?account=${encodeURIComponent(MAILBOX)}`),
    ]);
    this.#noteMail(mail?.messages?.length);
    const mark = signature([desk, mail]);
    if (!this.part.open || mark === this.#drawn) return;
    this.#drawn = mark;
    fill(
      this.root,
      el('h3', {}, 'Helpdesk tickets'),
      list(desk?.tickets, 'tickets', 'No tickets.', ticketRow),
      el('h3', {}, `Sent from ${MAILBOX}`),
      list(mail?.messages, 'mails', 'No mail has been sent.', mailRow),
    );
  }
}

async function get(path) {
  try {
    const response = await fetch(path);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

function list(items, id, none, row) {
  if (items === undefined) return el('p', { class: 'none', id: `outside-${id}` }, 'It does not answer.');
  if (items.length === 0) return el('p', { class: 'none', id: `outside-${id}` }, none);
  return el('ul', { class: 'outside-list', id: `outside-${id}` }, items.map(row));
}

function ticketRow(ticket) {
  const state = ticket.status ?? ticket.state;
  const title = ticket.title ?? ticket.subject ?? '';
  return el(
    'li',
    { dataset: { ticket: ticket.id } },
    el('span', { class: 'number' }, String(ticket.id)),
    el('span', { class: 'grow', title }, title),
    state && el('span', { class: `tag ticket-${state}` }, state),
  );
}

function mailRow({ id, to, subject, date, body_text: text }) {
  const seconds = Date.parse(date) / 1000;
  return el(
    'li',
    { class: 'mail', dataset: { mail: id } },
    el('div', {}, el('strong', { class: 'grow' }, subject), when(seconds)),
    el('div', { class: 'to' }, `to ${to}`),
    el('div', { class: 'snippet' }, text),
  );
}

function when(seconds) {
  if (Number.isNaN(seconds)) return null;
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return el('time', { datetime: new Date(seconds * 1000).toISOString() }, clock(seconds, timeZone));
}
