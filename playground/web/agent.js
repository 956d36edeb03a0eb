/**
 * The sample agent: a form that does nothing but call the product's own HTTP API, as any program with a token would.
 * It knows no Slack and no playground.
 */
import { curlLine, exampleOf, executionBody, isTerminal } from './call.js';
import { el, fill } from './dom.js';
import { Run } from './run.js';

const TOKEN = 'siesta.agent.token';
const TYPING_PAUSE_MS = 350;
const FUNCTIONS_EVERY_MS = 4000;
/** Long enough for a read to answer at once, short enough to show soon that a write is waiting. */
const FIRST_WAIT_SECONDS = 2;
const REQUIREMENTS = { none: 'Runs directly', required: 'Needs approval', blocked: 'Blocked' };

export class AgentPanel {
  #functions = [];
  #listed = '';
  #example = '';
  #runs = [];
  #pause;
  #refused = false;

  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.form = root.querySelector('form');
    this.token = root.querySelector('#agent-token');
    this.select = root.querySelector('#agent-function');
    this.arguments = root.querySelector('#agent-arguments');
    this.onBehalfOf = root.querySelector('#agent-on-behalf-of');
    this.reason = root.querySelector('#agent-reason');
    this.status = root.querySelector('#agent-token-status');
    this.about = root.querySelector('#agent-about');
    this.complaint = root.querySelector('#agent-error');
    this.result = root.querySelector('#agent-result');
    this.history = root.querySelector('#agent-history');
    this.token.value = sessionStorage.getItem(TOKEN) ?? '';
    this.#listen();
    this.#loadFunctions();
    setInterval(() => {
      if (this.token.value !== '' && !this.#refused && document.visibilityState === 'visible')
        this.#loadFunctions();
    }, FUNCTIONS_EVERY_MS);
  }

  /** Brings the form into view; `onBehalfOf` fills that field. */
  focus(onBehalfOf) {
    if (onBehalfOf !== undefined) this.onBehalfOf.value = onBehalfOf;
    this.root.closest('details').open = true;
    this.form.scrollIntoView({ block: 'start', behavior: 'smooth' });
    (this.token.value === '' ? this.token : this.select).focus({ preventScroll: true });
  }

  #listen() {
    this.token.addEventListener('input', () => {
      clearTimeout(this.#pause);
      this.#pause = setTimeout(() => this.#loadFunctions(), TYPING_PAUSE_MS);
    });
    this.select.addEventListener('change', () => this.#chosen());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  async #loadFunctions() {
    const token = this.token.value.trim();
    sessionStorage.setItem(TOKEN, token);
    if (token === '') {
      this.#list([], 'Paste the token of a caller.');
      return;
    }
    const response = await fetch('/v1/functions', { headers: { Authorization: `Bearer ${token}` } }).catch(
      () => null,
    );
    const body = await response?.json().catch(() => null);
    if (token !== this.token.value.trim()) return;
    // A token that was refused is not tried again until it is edited.
    this.#refused = response?.status === 401;
    if (!response?.ok) {
      this.#list([], body?.detail ?? body?.title ?? 'The product cannot be reached.');
      return;
    }
    const { functions } = body;
    const words = functions.length === 1 ? '1 function' : `${functions.length} functions`;
    this.#list(
      functions,
      functions.length > 0 ? `${words} may be called.` : 'Nothing may be called yet: give it access.',
    );
    if (functions.length > 0) this.page.note('agent:functions');
  }

  #list(functions, words) {
    this.status.textContent = words;
    this.#functions = functions;
    const listed = JSON.stringify(functions.map(({ name, requirement }) => [name, requirement]));
    if (listed === this.#listed) return;
    this.#listed = listed;
    const chosen = this.select.value;
    const groups = Map.groupBy(functions, ({ connection }) => connection);
    fill(
      this.select,
      functions.length === 0 && el('option', { value: '' }, 'No functions yet'),
      [...groups].map(([connection, members]) =>
        el('optgroup', { label: connection }, members.map(optionOf)),
      ),
    );
    this.select.disabled = functions.length === 0;
    if (functions.some(({ name }) => name === chosen)) this.select.value = chosen;
    this.#chosen();
  }

  get #function() {
    return this.#functions.find(({ name }) => name === this.select.value);
  }

  /** Shows what the function is, and an example of its arguments unless somebody wrote her own. */
  #chosen() {
    const chosen = this.#function;
    fill(
      this.about,
      chosen && [
        el('span', { class: `tag risk-${chosen.risk}` }, chosen.risk),
        el('span', { class: 'tag' }, REQUIREMENTS[chosen.requirement] ?? chosen.requirement),
        el('span', {}, chosen.description || chosen.title),
      ],
    );
    if (chosen === undefined) return;
    const untouched = this.arguments.value === this.#example;
    const example = JSON.stringify(exampleOf(chosen.input_schema), null, 2);
    if (untouched || this.arguments.dataset.function !== chosen.name) this.arguments.value = example;
    this.arguments.dataset.function = chosen.name;
    this.#example = example;
  }

  async #send() {
    const chosen = this.#function;
    const problem = chosen === undefined ? 'Choose a function first.' : jsonProblem(this.arguments.value);
    this.complaint.textContent = problem ?? '';
    this.complaint.hidden = problem === null;
    if (problem !== null) return;
    const call = {
      connection: chosen.connection,
      function: chosen.function,
      arguments: JSON.parse(this.arguments.value),
      onBehalfOf: this.onBehalfOf.value.trim(),
      reason: this.reason.value.trim(),
      wait: FIRST_WAIT_SECONDS,
    };
    const body = executionBody(call);
    const key = crypto.randomUUID();
    const run = new Run({
      token: this.token.value.trim(),
      call: chosen,
      key,
      body,
      curl: curlLine(location.origin, key, body),
      changed: (current) => this.#changed(current, chosen),
    });
    this.#runs.unshift(run);
    this.#drawRuns();
    this.result.scrollIntoView({ block: 'nearest' });
    await run.start();
    this.#loadFunctions();
  }

  #changed(run, { risk }) {
    if (run.status !== null) this.page.note(`agent:${risk === 'read' ? 'read' : 'write'}:${run.status}`);
    this.#drawRuns();
  }

  #drawRuns() {
    const [latest, ...earlier] = this.#runs;
    this.result.dataset.status = latest.status ?? latest.phase;
    if (latest.execution?.id) this.result.dataset.execution = latest.execution.id;
    fill(this.result, latest.node);
    this.history.hidden = earlier.length === 0;
    fill(
      this.history.querySelector('ul'),
      earlier.map((run) => el('li', {}, run.line)),
    );
    const waiting = earlier.filter(({ status }) => status !== null && !isTerminal(status)).length;
    this.history.querySelector('summary').textContent =
      waiting > 0 ? `Earlier calls (${waiting} waiting)` : 'Earlier calls';
  }
}

function optionOf({ name, function: key, requirement }) {
  const mark = { required: ' · needs approval', blocked: ' · blocked' }[requirement] ?? '';
  return el('option', { value: name }, `${key}${mark}`);
}

function jsonProblem(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? null
      : 'The arguments are one JSON object.';
  } catch (error) {
    return `The arguments are not JSON: ${error.message}`;
  }
}
