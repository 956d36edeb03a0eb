/** One call of the sample agent, from the request to its last word. */
import { isTerminal, statusWords } from './call.js';
import { copyButton, el, fill } from './dom.js';

/** An answer comes with the end only; asked again this often, the page also shows what a call waits for now. */
const WAIT_SECONDS = 4;
const RETRY_MS = 1500;
const GOOD = new Set(['succeeded']);

export class Run {
  #props;

  /**
   * @param {{token: string, call: object, key: string, body: object, curl: string, changed: (run: Run) => void}} props
   *   key: the Idempotency-Key; curl: the same call for a terminal
   */
  constructor(props) {
    this.#props = props;
    this.phase = 'sending';
    this.http = null;
    this.execution = null;
    this.problem = null;
    this.node = el('div', { class: 'run' });
    this.line = el('div', { class: 'run-line' });
    this.#draw();
  }

  /** The execution's status, or null before there is one. */
  get status() {
    return this.execution?.status ?? null;
  }

  /** Sends the call, then asks for its end as long as that takes. Repeating the request is safe: the key is the same. */
  async start() {
    const { key, body } = this.#props;
    let answer = await this.#fetch('/v1/executions', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify(body),
    });
    this.#take(answer);
    while (this.execution !== null && !isTerminal(this.status)) {
      answer = await this.#fetch(`/v1/executions/${this.execution.id}?wait=${WAIT_SECONDS}`);
      const lost = answer.http === null || answer.http >= 500 || answer.http === 429;
      if (lost) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      else this.#take(answer);
      if (answer.http >= 400 && !lost) return;
    }
  }

  async #cancel() {
    this.#take(await this.#fetch(`/v1/executions/${this.execution.id}/cancel`, { method: 'POST' }));
  }

  async #fetch(path, { headers = {}, ...init } = {}) {
    try {
      const authorization = { Authorization: `Bearer ${this.#props.token}` };
      const response = await fetch(path, { ...init, headers: { ...authorization, ...headers } });
      return { http: response.status, body: await response.json() };
    } catch {
      return { http: null, body: { title: 'No answer: the product cannot be reached.' } };
    }
  }

  #take({ http, body }) {
    const execution = body.status && body.id ? body : (body.execution ?? null);
    this.http = http;
    this.problem = http === null || http >= 400 ? body : null;
    this.execution = execution ?? this.execution;
    this.phase = this.problem === null ? 'answered' : 'refused';
    this.#draw();
    this.#props.changed(this);
  }

  get #words() {
    if (this.problem !== null) return this.problem.code ?? this.problem.title ?? 'refused';
    return this.status === null ? 'sending…' : statusWords(this.status);
  }

  get #tone() {
    if (this.problem !== null) return 'bad';
    if (this.status === null || !isTerminal(this.status)) return 'waiting';
    return GOOD.has(this.status) ? 'good' : 'bad';
  }

  #draw() {
    const { call, curl } = this.#props;
    const tone = this.#tone;
    const chip = () => el('span', { class: `status status-${tone}`, role: 'status' }, this.#words);
    const cancel =
      tone === 'waiting' &&
      this.execution !== null &&
      el('button', { type: 'button', class: 'link', on: { click: () => this.#cancel() } }, 'Cancel');
    const shown = this.problem ?? this.execution;
    fill(
      this.node,
      el(
        'div',
        { class: 'run-head' },
        el('code', {}, call.function),
        chip(),
        cancel,
        this.http !== null && el('span', { class: 'http' }, `HTTP ${this.http}`),
      ),
      shown !== null && el('pre', { class: 'json', tabindex: '0' }, JSON.stringify(shown, null, 2)),
      el('div', { class: 'curl' }, el('pre', { tabindex: '0' }, curl), copyButton(curl, 'the curl line')),
    );
    fill(this.line, el('code', {}, call.function), chip());
  }
}
