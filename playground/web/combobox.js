/** A searchable select with one or many choices (WAI-ARIA combobox pattern, list popup). */
import { append, el, fill, freshId, icon } from './dom.js';
import { place } from './menus.js';

const TYPING_PAUSE_MS = 180;

/**
 * @param {object} props
 * @param {object} props.attributes for the text field: id, data-*, aria-*
 * @param {string} props.placeholder
 * @param {boolean} props.multi
 * @param {number} [props.max] most choices of a multi select
 * @param {boolean} props.clearable whether a single choice may be taken back
 * @param {object[]} props.selected entries `{key, label, content?, detail?, value}`
 * @param {(query: string) => Promise<{label: string, entries: object[]}[]>} props.load
 * @param {number} props.minQuery characters before `load` is asked
 * @param {(entries: object[]) => void} props.onChange
 * @returns {HTMLElement}
 */
export function combobox(props) {
  return new Combobox(props).node;
}

class Combobox {
  #props;
  #selected;
  #entries = [];
  #active = -1;
  #asked = 0;
  #timer;

  constructor(props) {
    this.#props = props;
    this.#selected = props.selected;
    const listId = freshId('list');
    this.input = el('input', {
      ...props.attributes,
      type: 'text',
      role: 'combobox',
      autocomplete: 'off',
      spellcheck: 'false',
      'aria-autocomplete': 'list',
      'aria-expanded': 'false',
      'aria-controls': listId,
    });
    this.list = el('div', { id: listId, class: 'listbox', role: 'listbox', popover: 'manual' });
    if (props.multi) this.list.setAttribute('aria-multiselectable', 'true');
    this.chips = el('span', { class: 'chips' });
    this.clear = el(
      'button',
      { type: 'button', class: 'combo-clear', 'aria-label': 'Clear the choice' },
      icon('close'),
    );
    this.node = el(
      'div',
      { class: props.multi ? 'combo combo-multi' : 'combo' },
      this.chips,
      this.input,
      props.clearable && !props.multi && this.clear,
      el('span', { class: 'combo-arrow', 'aria-hidden': 'true' }, icon('down')),
      this.list,
    );
    this.#listen();
    this.#showSelection();
  }

  #listen() {
    this.node.addEventListener('mousedown', (event) => {
      if (event.target.closest('button, .listbox') || event.target === this.input) return;
      event.preventDefault();
      this.input.focus();
      this.#open();
    });
    this.input.addEventListener('click', () => this.#open());
    this.input.addEventListener('input', () => this.#open());
    this.input.addEventListener('keydown', (event) => this.#key(event));
    this.node.addEventListener('focusout', ({ relatedTarget }) => {
      if (!this.node.contains(relatedTarget)) this.#close();
    });
    // The field keeps the focus while the list is used with a mouse.
    this.list.addEventListener('mousedown', (event) => event.preventDefault());
    this.list.addEventListener('click', ({ target }) => {
      const row = target.closest('[role=option]');
      if (row !== null) this.#choose(this.#entries[Number(row.dataset.index)]);
    });
    this.clear.addEventListener('click', () => {
      this.#commit([]);
      this.input.focus();
    });
  }

  get #isOpen() {
    return this.list.matches(':popover-open');
  }

  /** What was typed to search; the name of a finished single choice is not a search. */
  get #query() {
    const text = this.input.value;
    return !this.#props.multi && text === this.#selected[0]?.label ? '' : text;
  }

  #open() {
    if (!this.#isOpen) {
      this.list.showPopover();
      this.input.setAttribute('aria-expanded', 'true');
      if (!this.#props.multi) this.input.select();
    }
    clearTimeout(this.#timer);
    const remote = this.#props.minQuery > 0 && this.#query !== '';
    this.#timer = setTimeout(() => this.#fill(), remote ? TYPING_PAUSE_MS : 0);
  }

  async #fill() {
    const query = this.#query;
    this.#asked += 1;
    const asked = this.#asked;
    if ([...query].length < this.#props.minQuery) {
      this.#say(`Type at least ${this.#props.minQuery} characters to search`);
      return;
    }
    if (this.#entries.length === 0) this.#say('Searching…');
    const groups = await this.#props.load(query).catch(() => null);
    if (asked !== this.#asked || !this.#isOpen) return;
    if (groups === null) this.#say('The options could not be loaded.');
    else this.#draw(groups);
  }

  #say(text) {
    this.#entries = [];
    this.#highlight(-1);
    fill(this.list, el('p', { class: 'listbox-note' }, text));
    place(this.list, this.node, { stretch: true });
  }

  #draw(groups) {
    this.#entries = groups.flatMap(({ entries }) => entries);
    if (this.#entries.length === 0) {
      this.#say('No matches');
      return;
    }
    let index = 0;
    const row = (entry) => this.#row(entry, index++);
    fill(
      this.list,
      groups.map(({ label, entries }) =>
        label === ''
          ? entries.map(row)
          : el(
              'div',
              { role: 'group', 'aria-label': label },
              el('p', { class: 'listbox-group' }, label),
              entries.map(row),
            ),
      ),
    );
    const chosen = this.#entries.findIndex((entry) => this.#has(entry));
    this.#highlight(this.#query === '' ? Math.max(chosen, 0) : 0);
    place(this.list, this.node, { stretch: true });
  }

  #row(entry, index) {
    return el(
      'div',
      {
        id: `${this.list.id}-${index}`,
        role: 'option',
        'aria-selected': String(this.#has(entry)),
        dataset: { index, value: entry.key },
      },
      el('span', { class: 'option-label' }, entry.content?.() ?? entry.label),
      entry.detail && el('small', {}, entry.detail),
      el('span', { class: 'option-check' }, icon('check')),
    );
  }

  #has(entry) {
    return this.#selected.some(({ key }) => key === entry.key);
  }

  #highlight(index) {
    this.#active = index;
    for (const row of this.list.querySelectorAll('[role=option]')) {
      const active = Number(row.dataset.index) === index;
      row.classList.toggle('active', active);
      if (active) row.scrollIntoView({ block: 'nearest' });
    }
    if (index === -1) this.input.removeAttribute('aria-activedescendant');
    else this.input.setAttribute('aria-activedescendant', `${this.list.id}-${index}`);
  }

  #key(event) {
    const count = this.#entries.length;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!this.#isOpen) this.#open();
      else if (count > 0)
        this.#highlight((this.#active + (event.key === 'ArrowDown' ? 1 : -1) + count) % count);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (!this.#isOpen) this.#open();
      else if (this.#active >= 0) this.#choose(this.#entries[this.#active]);
    } else if (event.key === 'Escape' && this.#isOpen) {
      event.preventDefault();
      event.stopPropagation();
      this.#close();
    } else if (event.key === 'Backspace' && this.#props.multi && this.input.value === '') {
      this.#commit(this.#selected.slice(0, -1));
    }
  }

  #choose(entry) {
    if (entry === undefined) return;
    if (!this.#props.multi) {
      this.#commit([entry]);
      this.#close();
      return;
    }
    const without = this.#selected.filter(({ key }) => key !== entry.key);
    const removed = without.length < this.#selected.length;
    if (!removed && without.length >= (this.#props.max ?? Number.POSITIVE_INFINITY)) {
      this.#say(`At most ${this.#props.max} can be chosen`);
      return;
    }
    this.input.value = '';
    this.#commit(removed ? without : [...without, entry]);
    this.#fill();
  }

  #commit(entries) {
    const same = entries.length === this.#selected.length && entries.every((entry) => this.#has(entry));
    this.#selected = entries;
    this.#showSelection();
    if (!same) this.#props.onChange(entries);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    if (this.#isOpen) this.list.hidePopover();
    this.input.setAttribute('aria-expanded', 'false');
    this.#entries = [];
    this.#highlight(-1);
    this.#showSelection();
  }

  #showSelection() {
    const { multi, placeholder } = this.#props;
    this.clear.hidden = this.#selected.length === 0;
    if (!multi) {
      this.input.value = this.#selected[0]?.label ?? '';
      this.input.placeholder = placeholder;
      return;
    }
    this.input.placeholder = this.#selected.length === 0 ? placeholder : '';
    fill(this.chips);
    append(
      this.chips,
      this.#selected.map((entry) => this.#chip(entry)),
    );
  }

  #chip(entry) {
    const remove = el('button', { type: 'button', 'aria-label': `Remove ${entry.label}` }, icon('close'));
    remove.addEventListener('click', () => {
      this.#commit(this.#selected.filter(({ key }) => key !== entry.key));
      this.input.focus();
    });
    return el('span', { class: 'chip' }, entry.label, remove);
  }
}
