/** Opening and changing modals. A trigger id lives three seconds, and a view may be closed before it is changed. */
import type { View } from '@slack/types';
import { WebAPIPlatformError } from '@slack/web-api';
import { explained } from '../../blocks/parts/text.js';
import { explain, type SlackEdge, sentenceModal } from './edge.js';

/** A view that is drawn within this time is opened finished; a slower one is opened empty and filled in. */
const GRACE_MS = 700;

/** What a command or a click brings along. */
export interface Trigger {
  readonly trigger_id: string;
  readonly view?: { readonly id: string; readonly type: string } | undefined;
}

type Drawn = { readonly view: View } | { readonly error: unknown };

/**
 * Opens a modal, on top of the one that was clicked in. What goes wrong at once is thrown, so that the caller can say
 * it where the person is; what goes wrong later is said in the modal.
 * @throws whatever `draw` throws within the grace time; WebAPIPlatformError
 */
export async function showModal(
  edge: SlackEdge,
  trigger: Trigger,
  title: string,
  draw: () => Promise<View>,
): Promise<void> {
  const drawing = draw().then(
    (view): Drawn => ({ view }),
    (error: unknown): Drawn => ({ error }),
  );
  const early = await Promise.race([drawing, wait(GRACE_MS)]);
  if (early && 'error' in early) throw early.error;
  const id = await place(edge, trigger, early ? early.view : sentenceModal(title, 'One moment…'));
  if (early || id === undefined) return;
  const late = await drawing;
  await updateView(edge, id, 'view' in late ? late.view : problemModal(edge, title, late.error));
}

/** Opens, or pushes; where three views lie on each other already, the top one is replaced. */
async function place(
  edge: SlackEdge,
  { trigger_id, view: below }: Trigger,
  view: View,
): Promise<string | undefined> {
  const { views } = edge.clients.fast;
  if (below?.type !== 'modal') return (await views.open({ trigger_id, view })).view?.id;
  try {
    return (await views.push({ trigger_id, view })).view?.id;
  } catch (error) {
    if (!(error instanceof WebAPIPlatformError) || error.data.error !== 'push_limit_reached') throw error;
    await updateView(edge, below.id, view);
    return below.id;
  }
}

/** False when the person closed it meanwhile. */
export async function updateView(edge: SlackEdge, viewId: string, view: View): Promise<boolean> {
  try {
    await edge.clients.fast.views.update({ view_id: viewId, view });
    return true;
  } catch (error) {
    if (error instanceof WebAPIPlatformError && ['not_found', 'view_not_found'].includes(error.data.error))
      return false;
    throw error;
  }
}

export function problemModal(edge: SlackEdge, title: string, error: unknown): View {
  return sentenceModal(title, explained(explain(error, edge.log)));
}

function wait(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
