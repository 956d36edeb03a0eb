/** “Try this”: the next three steps of the tour, with everything that has to be pasted. */
import { copyButton, el, fill, icon, signature } from './dom.js';
import { progress, STEPS, wordsOfBot } from './steps.js';
import { drawMrkdwn } from './text.js';

export class GuidePanel {
  #drawn = '';

  constructor(root, state, page, agent) {
    this.root = root;
    this.state = state;
    this.page = page;
    this.agent = agent;
    this.badge = document.getElementById('guide-count');
  }

  draw() {
    const { current, facts, user } = this.state;
    if (current === null) return;
    const { done, next } = progress(facts, wordsOfBot(current));
    // What the bot has told one person proves the step for everybody.
    if (done.has('connect')) queueMicrotask(() => this.page.note('tick:connect'));
    const mark = signature([[...done], user, this.page.services()]);
    if (mark === this.#drawn) return;
    this.#drawn = mark;
    this.badge.textContent = `${done.size} of ${STEPS.length}`;
    fill(
      this.root,
      this.#bar(done.size),
      el(
        'ol',
        { class: 'steps' },
        next.map((step, index) => this.#step(step, index === 0)),
      ),
      next.length === 0 &&
        el('p', { class: 'finished' }, icon('sun'), 'That was all of it. Enjoy the siesta.'),
      this.#again(done.size),
    );
  }

  #bar(done) {
    const bar = el('div', { class: 'bar', 'aria-hidden': 'true' });
    for (let index = 0; index < STEPS.length; index += 1)
      bar.append(el('i', { class: index < done ? 'on' : null }));
    return bar;
  }

  #again(done) {
    if (done <= 1) return null;
    return el(
      'button',
      { type: 'button', class: 'link', on: { click: () => this.state.forgetFacts() } },
      'Start the tour over',
    );
  }

  #step(step, first) {
    const tick = el('button', {
      type: 'button',
      class: 'tick',
      'aria-label': `Mark “${step.title}” as done`,
      title: 'Mark as done',
      on: { click: () => this.page.note(`tick:${step.id}`) },
    });
    tick.append(el('span', {}, String(STEPS.indexOf(step) + 1)), icon('check'));
    const body = [
      el('p', {}, drawMrkdwn(step.hint, this.state.reader)),
      this.#values(step),
      el(
        'div',
        { class: 'step-actions' },
        step.actions.map((action) => this.#action(action)),
      ),
    ];
    return el(
      'li',
      { class: first ? 'step first' : 'step', dataset: { step: step.id } },
      tick,
      el('details', { open: first }, el('summary', {}, step.title), body),
    );
  }

  #values({ values }) {
    const services = this.page.services();
    const rows = values.flatMap(([label, path]) => {
      const value = valueAt(services, path) ?? this.#email(path);
      if (value === undefined) return [];
      return el(
        'div',
        { dataset: { copyRow: path } },
        el('dt', {}, label),
        el('dd', {}, el('code', { title: value }, value), copyButton(value, label, { copy: path })),
      );
    });
    return rows.length > 0 && el('dl', { class: 'values' }, rows);
  }

  #email(name) {
    return this.state.current.users.find((user) => user.name.toLowerCase() === name)?.email;
  }

  #action(action) {
    const name = (id) =>
      this.state.current.users.find((user) => user.id === id)?.real_name.split(' ')[0] ?? id;
    const as = action.user !== undefined && action.user !== this.state.user ? ` as ${name(action.user)}` : '';
    const [label, run] = {
      compose: () => [el('code', {}, action.text.trim()), () => this.page.compose(action.text, action.user)],
      open: () => [
        action.label,
        () => this.page.go(action.channel === 'im' ? 'D0' : action.channel, action.user),
      ],
      agent: () => ['Go to the sample agent', () => this.agent.focus(this.#email(action.onBehalfOf))],
    }[action.type]();
    return el('button', { type: 'button', class: 'button small', on: { click: run } }, label, as);
  }
}

function valueAt(services, path) {
  const value = path.split('.').reduce((inner, key) => inner?.[key], services ?? undefined);
  return typeof value === 'string' ? value : undefined;
}
