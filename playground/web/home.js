/** The App Home tab. */
import { drawBlocks } from './blocks.js';
import { el, reconcile, signature } from './dom.js';

/** Values that were chosen on the Home survive its redraws. */
let kept = { id: null, form: undefined };

export function drawHome(root, state, page) {
  root.hidden = state.place !== 'home';
  if (root.hidden) return;
  const view = state.current.home;
  reconcile(root, [
    view === null
      ? {
          key: 'none',
          signature: 'none',
          draw: () => el('p', { class: 'empty' }, 'The app is getting its Home ready…'),
        }
      : {
          key: `home-${state.user}`,
          signature: signature([view.id, view.blocks]),
          draw: () => draw(view, page),
        },
  ]);
}

function draw(view, page) {
  const surface = page.surface(
    { type: 'view', view_id: view.id },
    'home',
    view.blocks,
    kept.id === view.id ? kept.form : undefined,
  );
  kept = { id: view.id, form: surface.form };
  return el(
    'div',
    { class: 'blocks home-blocks', dataset: { viewId: view.id } },
    drawBlocks(view.blocks, surface),
  );
}
