/** Small tools for building DOM from data. Text only ever becomes a text node. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} tag
 * @param {object} [props] `class`, `dataset`, `on` (event → listener), DOM booleans (true/false), other attributes;
 *   null and undefined are left out
 * @param {...(Node | string | null | undefined | false | unknown[])} children
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'class') node.className = value;
    else if (name === 'dataset') Object.assign(node.dataset, defined(value));
    else if (name === 'on') listen(node, value);
    else if (name === 'value') node.value = value;
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  append(node, children);
  return node;
}

function defined(values) {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  );
}

function listen(node, listeners) {
  for (const [event, listener] of Object.entries(listeners)) node.addEventListener(event, listener);
}

/** Appends children: nodes as they are, strings as text, nested lists flattened, nothing for null and false. */
export function append(node, children) {
  for (const child of children.flat(Number.POSITIVE_INFINITY)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

/** Replaces everything inside a node. */
export function fill(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

/** One of the icons of `icons.svg`, drawn in the text colour. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * Makes a parent's children match a list, keeping the nodes of unchanged items: focus, scroll and typed text survive.
 * @param {HTMLElement} parent
 * @param {{key: string, signature: string, draw: (previous: HTMLElement | null) => HTMLElement}[]} items
 */
export function reconcile(parent, items) {
  const existing = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let cursor = parent.firstElementChild;
  for (const item of items) {
    let node = existing.get(item.key) ?? null;
    existing.delete(item.key);
    if (node === null || node.dataset.signature !== item.signature) {
      const fresh = item.draw(node);
      fresh.dataset.key = item.key;
      fresh.dataset.signature = item.signature;
      if (node !== null) {
        const focused = focusKey(node);
        if (cursor === node) cursor = fresh;
        node.replaceWith(fresh);
        refocus(fresh, focused);
      }
      node = fresh;
    }
    if (cursor === node) cursor = node.nextElementSibling;
    else parent.insertBefore(node, cursor);
  }
  for (const node of existing.values()) node.remove();
}

/** Which control of a container has the focus, in terms that survive a redraw. */
export function focusKey(root) {
  const active = document.activeElement;
  if (!root.contains(active)) return null;
  const { blockId, actionId } = active.dataset;
  const caret = 'selectionStart' in active ? [active.selectionStart, active.selectionEnd] : null;
  return actionId === undefined ? null : { blockId, actionId, caret };
}

/** Gives the focus back to the control that `focusKey` named; false when it is gone. */
export function refocus(root, key) {
  if (key === null) return false;
  const same = ({ dataset }) => dataset.blockId === key.blockId && dataset.actionId === key.actionId;
  const node = [...root.querySelectorAll('[data-action-id]')].find(same);
  if (node === undefined) return false;
  node.focus();
  if (key.caret !== null && key.caret[0] !== null) node.setSelectionRange?.(...key.caret);
  return true;
}

/** A short number that differs for different texts: enough to notice a change. */
export function signature(value) {
  const text = JSON.stringify(value) ?? '';
  let hash = 5381;
  for (let index = 0; index < text.length; index += 1) hash = ((hash * 33) ^ text.charCodeAt(index)) | 0;
  return `${text.length}.${hash}`;
}

let last = 0;

/** An id that no other element of the page has. */
export function freshId(prefix) {
  last += 1;
  return `${prefix}-${last}`;
}

/** A button that copies a text and says so. */
export function copyButton(text, label, dataset = {}) {
  const button = el('button', {
    type: 'button',
    class: 'copy',
    'aria-label': `Copy ${label}`,
    title: `Copy ${label}`,
    dataset,
  });
  append(button, [icon('copy')]);
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text);
    fill(button, icon('check'));
    setTimeout(() => fill(button, icon('copy')), 1200);
  });
  return button;
}
