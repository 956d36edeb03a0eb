/** The page's side of the playground's client API. Slack's own client would talk to Slack here. */

const BASE = '/playground/client';
const RETRY_MS = 1000;

async function answer(request) {
  try {
    const response = await request;
    return await response.json();
  } catch {
    return { ok: false, error: 'connection_lost' };
  }
}

/** One person's connection: requests carry her id, snapshots are the world as she may see it. */
export class Client {
  #source;
  #retry;

  /**
   * @param {string} user id of the acting person
   * @param {{snapshot: (snapshot: object) => void, online: (online: boolean) => void}} listener
   */
  constructor(user, listener) {
    this.user = user;
    this.listener = listener;
    this.#connect();
  }

  #connect() {
    this.#source = new EventSource(`${BASE}/events?user=${encodeURIComponent(this.user)}`);
    this.#source.addEventListener('message', ({ data }) => {
      this.listener.online(true);
      this.listener.snapshot(JSON.parse(data));
    });
    this.#source.addEventListener('error', () => {
      this.listener.online(false);
      // The browser reconnects by itself, except after an answer that was not a stream.
      if (this.#source.readyState !== EventSource.CLOSED) return;
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#connect(), RETRY_MS);
    });
  }

  close() {
    clearTimeout(this.#retry);
    this.#source.close();
  }

  /** Fetches the state now, for the moment after a submission when the next event would be a blink too late. */
  async refresh() {
    const snapshot = await answer(fetch(`${BASE}/state?user=${encodeURIComponent(this.user)}`));
    if (snapshot.me?.id === this.user) this.listener.snapshot(snapshot);
  }

  /** @returns {Promise<{ok: boolean, error?: string}>} never rejects: a lost connection is `connection_lost` */
  #post(path, body) {
    return answer(
      fetch(`${BASE}/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ user: this.user, ...body }),
      }),
    );
  }

  command(channel, text) {
    return this.#post('command', { channel, text });
  }

  message(channel, text) {
    return this.#post('message', { channel, text });
  }

  action(container, blockId, action, state) {
    return this.#post('action', { container, block_id: blockId, action, state });
  }

  submit(viewId, values) {
    return this.#post('submit', { view_id: viewId, values });
  }

  closeView(viewId, isCleared) {
    return this.#post('close', { view_id: viewId, is_cleared: isCleared });
  }

  /** @returns {Promise<{options?: object[], option_groups?: object[]}>} rejects when the app does not answer */
  async options(container, blockId, actionId, value) {
    const found = await this.#post('options', { container, block_id: blockId, action_id: actionId, value });
    if (found.error) throw new Error(found.error);
    return found;
  }

  home() {
    return this.#post('home', {});
  }

  shortcut(callbackId) {
    return this.#post('shortcut', { callback_id: callbackId });
  }

  read(channel) {
    return this.#post('read', { channel });
  }
}
