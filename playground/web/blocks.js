/** Block Kit blocks of messages, modals and App Home. What a block may hold: docs.slack.dev/reference/block-kit. */
import { el, freshId } from './dom.js';
import { drawElement, isGroup } from './elements.js';
import { drawRichText } from './rich-text.js';
import { drawMarkdown, drawText } from './text.js';

/**
 * @typedef {object} Surface what blocks need to know about the place they are drawn in
 * @property {object} container `{type:'message', channel, ts}` or `{type:'view', view_id}`
 * @property {'message' | 'modal' | 'home'} kind
 * @property {object} reader names, zone and clock of the person looking
 * @property {import('./values.js').FormState} form values of this container's inputs
 * @property {(blockId: string, action: object) => Promise<void>} act sends a block action
 * @property {(blockId: string, actionId: string, value: string) => Promise<object>} options asks for external options
 */

/** @param {object[]} blocks @param {Surface} surface @returns {HTMLElement[]} */
export function drawBlocks(blocks, surface) {
  return blocks.map((block) => {
    const draw = DRAW[block.type] ?? unknown;
    const node = draw(block, surface);
    node.classList.add('block', `block-${block.type}`);
    return node;
  });
}

const DRAW = {
  header: ({ text }, { reader }) => el('h3', {}, drawText(text, reader)),
  divider: () => el('hr'),
  section,
  actions: (block, surface) =>
    el(
      'div',
      {},
      block.elements.map((element) => drawElement(element, block, surface)),
    ),
  context: ({ elements }, { reader }) =>
    el(
      'div',
      {},
      elements.map((element) =>
        element.type === 'image'
          ? picture(element, 'context-image')
          : el('span', {}, drawText(element, reader)),
      ),
    ),
  image: (block, { reader }) =>
    el('figure', {}, block.title && el('figcaption', {}, drawText(block.title, reader)), picture(block)),
  input,
  rich_text: (block, { reader }) => drawRichText(block, reader),
  markdown: ({ text }, { reader }) => el('div', {}, drawMarkdown(text, reader)),
  table,
  alert: ({ text, level = 'default' }, { reader }) =>
    el('div', { role: 'note', class: `alert-${level}` }, drawText(text, reader)),
};

function unknown(block) {
  return el('div', { class: 'unsupported' }, `This block (${block.type}) is not drawn by the playground.`);
}

function section(block, surface) {
  const { text, fields, accessory } = block;
  return el(
    'div',
    { class: accessory ? 'has-accessory' : null },
    el(
      'div',
      { class: 'section-body' },
      text && el('div', { class: 'section-text' }, drawText(text, surface.reader)),
      fields && fieldGrid(fields, surface.reader),
    ),
    accessory && el('div', { class: 'accessory' }, drawAccessory(accessory, block, surface)),
  );
}

function fieldGrid(fields, reader) {
  return el(
    'div',
    { class: 'fields' },
    fields.map((field) => el('div', {}, drawText(field, reader))),
  );
}

function drawAccessory(accessory, block, surface) {
  return accessory.type === 'image' ? picture(accessory) : drawElement(accessory, block, surface);
}

/** A picture that cannot be shown (the page loads nothing from elsewhere) leaves its description. */
function picture({ image_url: src, alt_text: alt }, className = '') {
  const image = el('img', { src, alt, class: className, loading: 'lazy', referrerpolicy: 'no-referrer' });
  image.addEventListener('error', () => image.replaceWith(el('span', { class: 'missing-image' }, alt)));
  return image;
}

function input(block, surface) {
  const { label, hint, element, optional } = block;
  const ids = { control: freshId('input'), hint: freshId('hint'), error: freshId('error') };
  const title = [
    drawText(label, surface.reader),
    optional && el('span', { class: 'optional' }, ' (optional)'),
  ];
  const field = {
    id: ids.control,
    describedBy: `${ids.error}${hint ? ` ${ids.hint}` : ''}`,
    required: !optional,
  };
  const group = isGroup(element.type);
  return el(
    group ? 'fieldset' : 'div',
    { dataset: { input: block.block_id }, 'aria-describedby': group ? field.describedBy : null },
    group ? el('legend', {}, title) : el('label', { for: ids.control }, title),
    drawElement(element, block, surface, field),
    el('p', { class: 'field-error', id: ids.error, role: 'alert', hidden: true }),
    hint && el('p', { class: 'hint', id: ids.hint }, drawText(hint, surface.reader)),
  );
}

function table({ rows, column_settings: settings = [] }, { reader }) {
  const cell = (content, column, tag) =>
    el(
      tag,
      { class: `align-${settings[column]?.align ?? 'left'}`, scope: tag === 'th' ? 'col' : null },
      content.type === 'rich_text' ? drawRichText(content, reader) : (content.text ?? ''),
    );
  const row = (cells, tag) =>
    el(
      'tr',
      {},
      cells.map((content, column) => cell(content, column, tag)),
    );
  const [head = [], ...body] = rows;
  return el(
    'div',
    { tabindex: '0', role: 'group', 'aria-label': 'Table' },
    el(
      'table',
      {},
      el('thead', {}, row(head, 'th')),
      el(
        'tbody',
        {},
        body.map((cells) => row(cells, 'td')),
      ),
    ),
  );
}

/**
 * Shows one sentence under each named input, and removes those of before.
 * @param {HTMLElement} root
 * @param {Record<string, string>} errors block id → text
 * @returns {string[]} block ids that have no input here
 */
export function showErrors(root, errors) {
  for (const place of root.querySelectorAll('[data-input]')) {
    const text = errors[place.dataset.input];
    const line = place.querySelector('.field-error');
    line.textContent = text ?? '';
    line.hidden = text === undefined;
    place.classList.toggle('invalid', text !== undefined);
    for (const control of place.querySelectorAll('[data-action-id]')) {
      if (text === undefined) control.removeAttribute('aria-invalid');
      else control.setAttribute('aria-invalid', 'true');
    }
  }
  const first = root.querySelector('.invalid [data-action-id]');
  first?.focus();
  first?.closest('[data-input]').scrollIntoView({ block: 'nearest' });
  const shown = new Set([...root.querySelectorAll('[data-input]')].map(({ dataset }) => dataset.input));
  return Object.keys(errors).filter((id) => !shown.has(id));
}
