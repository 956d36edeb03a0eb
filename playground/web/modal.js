/**
 * Modals: the view stack of the person looking, the last one on top. They cover the workspace only, so that values can
 * be copied from the side panel while a form is open; F6 goes from one to the other.
 */
import { drawBlocks, showErrors } from './blocks.js';
import { append, el, fill, focusKey, freshId, icon, refocus, signature } from './dom.js';
import { drawText } from './text.js';
import { validate } from './values.js';

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), textarea:not([disabled]), [tabindex="0"]';

export class ModalStack {
  #open = new Map();
  #returnFocus = null;

  constructor(overlay, state, page) {
    this.overlay = overlay;
    this.state = state;
    this.page = page;
    this.client = null;
    this.workspace = document.getElementById('workspace');
    this.panel = document.getElementById('panel');
    document.addEventListener('keydown', (event) => this.#key(event));
  }

  get #top() {
    return this.state.current?.views.at(-1) ?? null;
  }

  draw() {
    const { views } = this.state.current;
    this.#closeGone(new Set(views.map(({ id }) => id)));
    for (const view of views) this.#drawView(view);
    const top = this.#top;
    for (const [id, { node }] of this.#open) {
      node.hidden = id !== top?.id;
      node.inert = id !== top?.id;
    }
    this.#toggle(views.length);
  }

  #closeGone(present) {
    for (const [id, { node, user }] of this.#open) {
      // What another person has half filled in waits until the page is hers again.
      if (present.has(id) || user !== this.state.user) continue;
      node.remove();
      this.#open.delete(id);
      const below = this.#open.get(this.#top?.id);
      if (below !== undefined) queueMicrotask(() => focusFirst(below.node));
    }
  }

  #toggle(count) {
    const opening = count > 0 && this.overlay.hidden;
    const closing = count === 0 && !this.overlay.hidden;
    if (opening) this.#returnFocus = document.activeElement;
    this.overlay.hidden = count === 0;
    this.workspace.inert = count > 0;
    this.overlay.dataset.depth = String(Math.min(count, 3));
    if (opening) focusFirst(this.#open.get(this.#top.id).node);
    if (closing) {
      const back = this.#returnFocus?.isConnected ? this.#returnFocus : document.getElementById('composer');
      back.focus();
    }
  }

  #drawView(view) {
    const known = this.#open.get(view.id);
    const mark = signature([view.hash, view.title, view.submit, view.close, view.blocks]);
    if (known?.mark === mark) return;
    const surface = this.page.surface(
      { type: 'view', view_id: view.id },
      'modal',
      view.blocks,
      known?.surface.form,
    );
    const node = this.#form(view, surface);
    this.#open.set(view.id, { node, mark, surface, user: this.state.user });
    if (known === undefined) {
      this.overlay.append(node);
      // A view pushed on another takes the focus; the first one gets it when the overlay is shown.
      if (!this.overlay.hidden) queueMicrotask(() => focusFirst(node));
      return;
    }
    const focused = focusKey(known.node);
    const hadFocus = known.node.contains(document.activeElement);
    const scroll = known.node.querySelector('.modal-body').scrollTop;
    known.node.replaceWith(node);
    node.querySelector('.modal-body').scrollTop = scroll;
    if (hadFocus && !refocus(node, focused)) queueMicrotask(() => focusFirst(node));
  }

  #form(view, surface) {
    const titleId = freshId('title');
    const { reader } = surface;
    const pushed = this.state.current.views.indexOf(view) > 0;
    const back = el(
      'button',
      { type: 'button', class: 'bare', 'aria-label': 'Back', dataset: { modal: 'back' } },
      icon('back'),
    );
    const cross = el('button', {
      type: 'button',
      class: 'bare',
      'aria-label': 'Close all',
      dataset: { modal: 'dismiss' },
    });
    cross.append(icon('close'));
    if (!pushed) cross.setAttribute('aria-label', 'Close');
    const close = el(
      'button',
      { type: 'button', class: 'button', dataset: { modal: 'close' } },
      view.close ? drawText(view.close, reader) : 'Cancel',
    );
    const submit =
      view.submit &&
      el(
        'button',
        { type: 'submit', class: 'button primary', dataset: { modal: 'submit' } },
        drawText(view.submit, reader),
      );
    const form = el(
      'form',
      {
        class: 'modal',
        role: 'dialog',
        'aria-labelledby': titleId,
        novalidate: true,
        dataset: { viewId: view.id, callbackId: view.callback_id },
      },
      el(
        'header',
        {},
        pushed && back,
        el('h2', { id: titleId, class: 'modal-title' }, drawText(view.title, reader)),
        cross,
      ),
      el(
        'div',
        { class: 'modal-body blocks' },
        el('p', { class: 'modal-error', role: 'alert', hidden: true }),
        drawBlocks(view.blocks, surface),
      ),
      el('footer', {}, close, submit),
    );
    back.addEventListener('click', () => this.#close(view.id, false));
    close.addEventListener('click', () => this.#close(view.id, false));
    cross.addEventListener('click', () => this.#close(view.id, pushed));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit(view, form, surface);
    });
    markFocusOnLoad(form, view.blocks);
    return form;
  }

  async #submit(view, form, surface) {
    if (form.classList.contains('busy') || !view.submit) return;
    const errors = localErrors(view.blocks, surface.form);
    complain(form, errors);
    if (Object.keys(errors).length > 0) return;
    busy(form, true);
    const answer = await this.client.submit(view.id, surface.form.values());
    if (answer.ok === false)
      complain(form, {}, `We had some trouble connecting (${answer.error}). Try again?`);
    else if (answer.errors) complain(form, answer.errors);
    else await this.client.refresh();
    busy(form, false);
  }

  async #close(viewId, isCleared) {
    const answer = await this.client.closeView(viewId, isCleared);
    if (answer.ok === false) this.page.toast(`The window could not be closed (${answer.error}).`);
    await this.client.refresh();
  }

  #key(event) {
    if (this.overlay.hidden) return;
    const inPanel = this.panel.contains(document.activeElement);
    const form = this.#open.get(this.#top?.id)?.node;
    if (event.key === 'F6') {
      event.preventDefault();
      if (inPanel) focusFirst(form);
      else this.panel.querySelector('summary').focus();
    } else if (event.key === 'Escape' && !inPanel && !event.defaultPrevented) {
      event.preventDefault();
      this.#close(this.#top.id, false);
    } else if (event.key === 'Tab' && form.contains(document.activeElement)) {
      trap(event, form);
    }
  }
}

function trap(event, form) {
  const stops = [...form.querySelectorAll(FOCUSABLE)].filter(
    (node) => node.offsetParent !== null && node.tabIndex >= 0,
  );
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? stops.at(-1) : stops[0]).focus();
}

function markFocusOnLoad(form, blocks) {
  const wanted = blocks.find((block) => block.element?.focus_on_load);
  if (wanted === undefined) return;
  form
    .querySelector(`[data-input="${CSS.escape(wanted.block_id)}"] [data-action-id]`)
    ?.setAttribute('data-first', '');
}

function focusFirst(form) {
  const field =
    form.querySelector('[data-first]') ??
    form.querySelector('.modal-body :is(input, textarea, select)') ??
    form.querySelector('footer .primary, footer .button');
  field?.focus({ preventScroll: field.matches('.modal-body *') });
}

function localErrors(blocks, form) {
  const errors = {};
  for (const block of blocks) {
    if (block.type !== 'input') continue;
    const text = validate(block, form.get(block.block_id, block.element.action_id));
    if (text !== null) errors[block.block_id] = text;
  }
  return errors;
}

/** Errors that name no input of this view are shown at its top, so that none is lost. */
function complain(form, errors, general = null) {
  const lost = showErrors(form, errors).map((id) => errors[id]);
  const line = form.querySelector('.modal-error');
  const texts = [general, ...lost].filter(Boolean);
  line.hidden = texts.length === 0;
  fill(line);
  append(line, [texts.join(' ')]);
}

function busy(form, on) {
  form.classList.toggle('busy', on);
  form.setAttribute('aria-busy', String(on));
  for (const button of form.querySelectorAll('footer button')) button.disabled = on;
}
