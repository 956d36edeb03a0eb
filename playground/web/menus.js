/** Things that float: overflow menus and confirmation dialogs. */
import { el } from './dom.js';
import { drawText } from './text.js';

/** Puts a popover under its anchor, or above it when there is no room. Opened popovers sit in the top layer. */
export function place(popover, anchor, { stretch = false } = {}) {
  const box = anchor.getBoundingClientRect();
  if (stretch) popover.style.width = `${box.width}px`;
  const { offsetHeight: height, offsetWidth: width } = popover;
  const below = window.innerHeight - box.bottom;
  const top = below < height + 8 && box.top > below ? box.top - height - 4 : box.bottom + 4;
  popover.style.top = `${Math.max(8, top)}px`;
  popover.style.left = `${Math.max(8, Math.min(box.left, window.innerWidth - width - 8))}px`;
}

/**
 * A menu with roving focus; closes on Escape, Tab, a click elsewhere, or a choice.
 * @param {HTMLElement} anchor the button that opens it; gets the focus back
 * @param {{content: unknown[], choose: () => void}[]} items
 */
export function openMenu(anchor, items) {
  const menu = el('div', { class: 'menu', role: 'menu', popover: 'auto' });
  for (const { content, choose } of items) {
    const item = el('button', { type: 'button', role: 'menuitem', tabindex: '-1' }, content);
    item.addEventListener('click', () => {
      menu.hidePopover();
      choose();
    });
    menu.append(item);
  }
  const entries = [...menu.children];
  menu.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      const now = entries.indexOf(document.activeElement);
      entries[(now + step + entries.length) % entries.length].focus();
      event.preventDefault();
    }
    if (event.key === 'Tab') menu.hidePopover();
    if (event.key === 'Escape') {
      menu.hidePopover();
      event.stopPropagation();
    }
  });
  menu.addEventListener('toggle', ({ newState }) => {
    if (newState !== 'closed') return;
    menu.remove();
    anchor.setAttribute('aria-expanded', 'false');
    if (document.activeElement === document.body) anchor.focus();
  });
  anchor.after(menu);
  menu.showPopover();
  anchor.setAttribute('aria-expanded', 'true');
  place(menu, anchor);
  entries[0]?.focus();
}

/**
 * Asks as a Block Kit confirm object says.
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, confirm, deny, style }, reader) {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  const dialog = el('dialog', { class: 'confirm', 'aria-labelledby': 'confirm-title' });
  const answer = (yes) => () => {
    resolve(yes);
    dialog.close();
  };
  const no = el(
    'button',
    { type: 'button', class: 'button', on: { click: answer(false) } },
    drawText(deny, reader),
  );
  const yes = el(
    'button',
    { type: 'button', class: `button ${style ?? 'primary'}`, on: { click: answer(true) } },
    drawText(confirm, reader),
  );
  dialog.append(
    el('h2', { id: 'confirm-title' }, drawText(title, reader)),
    el('p', {}, drawText(text, reader)),
    el('div', { class: 'dialog-buttons' }, no, yes),
  );
  dialog.addEventListener('keydown', (event) => event.stopPropagation());
  dialog.addEventListener('close', () => {
    resolve(false);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
  return promise;
}
