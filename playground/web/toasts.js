/** Short notes at the edge of the page for what has no place of its own. */
import { el, icon } from './dom.js';

const STAYS_MS = 8000;

export class Toasts {
  /** @param {HTMLElement} root a live region */
  constructor(root) {
    this.root = root;
  }

  show(text) {
    const toast = el('div', { class: 'toast' }, icon('alert'), el('span', {}, text));
    const close = el('button', { type: 'button', class: 'bare', 'aria-label': 'Dismiss' }, icon('close'));
    close.addEventListener('click', () => toast.remove());
    toast.append(close);
    this.root.append(toast);
    setTimeout(() => toast.remove(), STAYS_MS);
  }
}
