/** Block Kit's interactive elements. Each keeps its value in the surface's form and sends the payload Slack would send. */
import { fromLocalInput, toLocalInput } from './dates.js';
import { el, freshId, icon } from './dom.js';
import { confirmed, openMenu } from './menus.js';
import { safeUrl } from './mrkdwn.js';
import { drawSelect } from './selects.js';
import { drawText } from './text.js';
import { valueKey } from './values.js';

const GROUPS = new Set(['checkboxes', 'radio_buttons']);
const CHARACTER_PAUSE_MS = 300;

/** Whether an element is a group of controls, which a legend names rather than a label. */
export function isGroup(type) {
  return GROUPS.has(type);
}

/**
 * @param {object} element
 * @param {object} block the block that holds it
 * @param {import('./blocks.js').Surface} surface
 * @param {{id: string, describedBy: string, required: boolean}} [field] of an input block
 * @returns {HTMLElement}
 */
export function drawElement(element, block, surface, field) {
  const draw = DRAW[element.type] ?? (element.type.endsWith('_select') ? drawSelect : unsupported);
  return draw(element, control(element, block, surface, field));
}

/** What all elements share: attributes for tests and screen readers, their value, and how a change is told. */
function control(element, block, surface, field) {
  const { block_id: blockId } = block;
  const { action_id: actionId } = element;
  const attributes = {
    id: field?.id,
    dataset: { actionId, blockId },
    'aria-describedby': field?.describedBy,
    'aria-required': field?.required ? 'true' : null,
    'aria-label': field ? null : (element.accessibility_label ?? element.placeholder?.text),
  };
  const tell = (payload) =>
    surface.act(blockId, { type: element.type, action_id: actionId, block_id: blockId, ...payload });
  return {
    surface,
    block,
    field,
    attributes,
    tell,
    value: () => surface.form.get(blockId, actionId)?.[valueKey(element.type)],
    async change(value) {
      const { type: _, ...payload } = surface.form.set(blockId, actionId, element.type, value);
      if (block.type !== 'input' || block.dispatch_action) await this.ask(() => tell(payload));
    },
    keep: (value) => surface.form.set(blockId, actionId, element.type, value),
    ask: async (send) => {
      if (!element.confirm || (await confirmed(element.confirm, surface.reader))) await send();
    },
  };
}

const DRAW = {
  button,
  overflow,
  checkboxes: choices('checkbox'),
  radio_buttons: choices('radio'),
  plain_text_input: (element, own) =>
    textInput(element, own, element.multiline ? 'textarea' : 'input', 'text'),
  number_input: (element, own) => textInput(element, own, 'input', 'text', 'decimal'),
  email_text_input: (element, own) => textInput(element, own, 'input', 'email'),
  url_text_input: (element, own) => textInput(element, own, 'input', 'url'),
  rich_text_input: richTextInput,
  datepicker: (element, own) => picker(element, own, 'date'),
  timepicker: (element, own) => picker(element, own, 'time'),
  datetimepicker: (element, own) =>
    picker(element, own, 'datetime-local', {
      read: (text) => fromLocalInput(text, own.surface.reader.tz),
      write: (seconds) => toLocalInput(seconds, own.surface.reader.tz),
    }),
};

function unsupported(element) {
  return el(
    'span',
    { class: 'unsupported' },
    `This element (${element.type}) is not drawn by the playground.`,
  );
}

function button(element, own) {
  const url = safeUrl(element.url);
  const node = el(
    url ? 'a' : 'button',
    {
      ...own.attributes,
      'aria-label': element.accessibility_label,
      class: `button ${element.style ?? ''}`,
      ...(url ? { href: url, target: '_blank', rel: 'noopener noreferrer' } : { type: 'button' }),
    },
    drawText(element.text, own.surface.reader),
  );
  node.addEventListener('click', async () => {
    // A second click while the first is under way would be a second decision: Slack swallows it too.
    if (node.getAttribute('aria-busy') === 'true') return;
    await own.ask(async () => {
      node.setAttribute('aria-busy', 'true');
      const value = element.value === undefined ? {} : { value: element.value };
      await own.tell({ text: element.text, ...value, ...(element.style ? { style: element.style } : {}) });
      node.removeAttribute('aria-busy');
    });
  });
  return node;
}

function overflow(element, own) {
  const node = el(
    'button',
    {
      ...own.attributes,
      type: 'button',
      class: 'button overflow',
      'aria-haspopup': 'menu',
      'aria-label': 'More actions',
    },
    icon('more'),
  );
  const choose = (option) => {
    const url = safeUrl(option.url);
    if (url) window.open(url, '_blank', 'noopener,noreferrer');
    own.ask(() => own.tell({ selected_option: option }));
  };
  node.addEventListener('click', () =>
    openMenu(
      node,
      element.options.map((option) => ({
        content: drawText(option.text, own.surface.reader),
        choose: () => choose(option),
      })),
    ),
  );
  return node;
}

function choices(kind) {
  return (element, own) => {
    const name = freshId('choice');
    const chosen = new Set([own.value()].flat().map((option) => option?.value));
    const box = el('div', { class: 'choices', role: own.field ? null : 'group' });
    const changed = () => {
      const picked = [...box.querySelectorAll('input')].flatMap((input, index) =>
        input.checked ? [element.options[index]] : [],
      );
      own.change(kind === 'radio' ? (picked[0] ?? null) : picked);
    };
    for (const option of element.options) {
      const { id: _, ...attributes } = own.attributes;
      const input = el('input', { ...attributes, 'aria-label': null, type: kind, name, value: option.value });
      input.checked = chosen.has(option.value);
      input.addEventListener('change', changed);
      box.append(el('label', { class: 'choice' }, input, el('span', {}, words(option, own.surface.reader))));
    }
    return box;
  };
}

function words(option, reader) {
  const more = option.description && el('small', {}, drawText(option.description, reader));
  return [el('span', {}, drawText(option.text, reader)), more];
}

function textInput(element, own, tag, type, inputmode = null) {
  const { field, attributes } = own;
  const node = el(tag, {
    ...attributes,
    class: 'text-input',
    type: tag === 'input' ? type : null,
    inputmode,
    placeholder: element.placeholder?.text,
    autocomplete: 'off',
    rows: tag === 'textarea' ? '4' : null,
    'data-1p-ignore': field ? '' : null,
    value: own.value() ?? '',
  });
  const read = () => (node.value === '' ? null : node.value);
  const triggers = new Set(element.dispatch_action_config?.trigger_actions_on ?? ['on_enter_pressed']);
  let pause;
  node.addEventListener('input', () => {
    own.keep(read());
    if (!triggers.has('on_character_entered') || !own.block.dispatch_action) return;
    clearTimeout(pause);
    pause = setTimeout(() => own.change(read()), CHARACTER_PAUSE_MS);
  });
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing || tag === 'textarea') return;
    if (!own.block.dispatch_action || !triggers.has('on_enter_pressed')) return;
    event.preventDefault();
    own.change(read());
  });
  return node;
}

/** Plain paragraphs only: enough to answer with text. */
function richTextInput(element, own) {
  const section = (text) => ({
    type: 'rich_text',
    elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }],
  });
  const plain = (value) =>
    (value?.elements ?? [])
      .flatMap((part) => part.elements ?? [])
      .map((piece) => piece.text ?? '')
      .join('');
  const node = el('textarea', {
    ...own.attributes,
    class: 'text-input',
    rows: '4',
    placeholder: element.placeholder?.text,
    value: plain(own.value()),
  });
  node.addEventListener('input', () => own.keep(node.value === '' ? null : section(node.value)));
  return node;
}

function picker(_element, own, type, { read = (text) => text, write = (value) => value } = {}) {
  const value = own.value();
  const node = el('input', {
    ...own.attributes,
    class: 'text-input picker',
    type,
    value: value === null || value === undefined ? '' : write(value),
  });
  node.addEventListener('change', () => own.change(node.value === '' ? null : read(node.value)));
  return node;
}
