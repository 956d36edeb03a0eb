/**
 * Somebody in the playground without a browser: through the API that its page uses, so that every gesture goes to the
 * product as Slack's payload all the same. For what a test has to prepare; what it is about is clicked in the page.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { elementsOf, labelOf, type Placed } from '../../playground/slack/elements.js';
import { entryFor, type Given } from '../../playground/slack/entry.js';
import { stringOf, type View } from '../../playground/slack/protocol.js';
import type { Snapshot } from '../../playground/slack/snapshot.js';

const PATIENCE_MS = 15_000;
const POLL_MS = 20;

interface Answer {
  readonly ok: boolean;
  readonly error?: string;
  readonly errors?: Readonly<Record<string, string>>;
}

export class ClientPerson {
  /** @param origin of the product @param id such as `U0ADA` */
  constructor(
    private readonly origin: string,
    private readonly id: string,
  ) {}

  async snapshot(): Promise<Snapshot> {
    const response = await fetch(`${this.origin}/playground/client/state?user=${this.id}`);
    return (await response.json()) as Snapshot;
  }

  /** Error: the product did not take it. */
  private async post(gesture: string, body: object): Promise<Answer> {
    const response = await fetch(`${this.origin}/playground/client/${gesture}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: this.id, ...body }),
    });
    const answer = (await response.json()) as Answer;
    if (!answer.ok) throw new Error(`${gesture} of ${this.id} failed: ${JSON.stringify(answer)}`);
    return answer;
  }

  async command(text: string): Promise<void> {
    await this.post('command', { channel: 'C0GENERAL', text });
  }

  /** The top modal, as soon as its JSON fits. */
  async view(fits: RegExp): Promise<View> {
    const giveUp = performance.now() + PATIENCE_MS;
    for (;;) {
      const { views, last_error } = await this.snapshot();
      const top = views.at(-1);
      const shown = JSON.stringify(top) ?? 'no modal';
      if (top && fits.test(shown)) return top;
      if (performance.now() > giveUp) throw new Error(`no modal fits ${fits}: ${last_error ?? shown}`);
      await pause(POLL_MS);
    }
  }

  /** Presses the first button whose label begins so. */
  async click(view: View, label: string): Promise<void> {
    const { block, element } = placed(view, label, (type) => type === 'button');
    await this.act(view, block.block_id, { type: element.type, action_id: element.action_id });
  }

  /** Chooses in an input that tells the product at once. */
  async choose(view: View, label: string, given: Given): Promise<void> {
    const { block, element } = placed(view, label, (type) => type !== 'button');
    const entry = await entryFor(element, given, asGiven);
    await this.act(view, block.block_id, { ...entry, action_id: element.action_id });
  }

  private async act(view: View, block_id: string, action: object): Promise<void> {
    await this.post('action', { container: { type: 'view', view_id: view.id }, block_id, action });
  }

  /** Fills inputs by label (people and channels by id) and submits. Error: an input was refused. */
  async submit(view: View, given: Readonly<Record<string, Given>>): Promise<void> {
    const values: Record<string, object> = {};
    for (const [label, value] of Object.entries(given)) {
      const { block, element } = placed(view, label, (type) => type !== 'button');
      values[block.block_id] = { [stringOf(element.action_id)]: await entryFor(element, value, asGiven) };
    }
    const { errors } = await this.post('submit', { view_id: view.id, values });
    if (errors) throw new Error(`the form was refused: ${JSON.stringify(errors)}`);
  }

  /** Closes all modals. */
  async close(): Promise<void> {
    const top = (await this.snapshot()).views.at(-1);
    if (top) await this.post('close', { view_id: top.id, is_cleared: true });
  }
}

/** Ids are given, so there is nothing to look up. */
const asGiven = {
  user: (id: string): string => id,
  channel: (id: string): string => id,
  options: (query: string): never => {
    throw new Error(`nobody offers “${query}” here`);
  },
};

function placed(view: View, label: string, fits: (type: string) => boolean): Placed {
  const all = elementsOf(view.blocks).filter(({ element }) => fits(stringOf(element.type)));
  const found =
    all.find((each) => labelOf(each) === label) ?? all.find((each) => labelOf(each).startsWith(label));
  if (!found) throw new Error(`no “${label}” in: ${all.map(labelOf).join(', ')}`);
  return found;
}
