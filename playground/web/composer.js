/** The composer: plain messages, slash commands, and the list that completes them. */
import { el, fill } from './dom.js';
import { openMenu } from './menus.js';
import { suggest } from './suggestions.js';

const MAX_HEIGHT_PX = 200;

export class Composer {
  #place = '';
  #suggestions = [];
  #active = -1;
  #dismissed = false;

  constructor(form, state, page) {
    this.form = form;
    this.state = state;
    this.page = page;
    this.input = form.querySelector('#composer');
    this.list = form.querySelector('#suggestions');
    this.button = form.querySelector('#composer-send');
    this.shortcuts = form.querySelector('#shortcuts');
    this.#listen();
  }

  #listen() {
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.shortcuts.addEventListener('click', () => {
      const offered = this.state.current?.shortcuts ?? [];
      openMenu(
        this.shortcuts,
        offered.map(({ callback_id: id, name }) => ({ content: name, choose: () => this.page.shortcut(id) })),
      );
    });
    this.input.addEventListener('input', () => {
      this.#dismissed = false;
      this.#changed();
    });
    this.input.addEventListener('keydown', (event) => this.#key(event));
    this.input.addEventListener('blur', () => this.#showSuggestions([]));
    this.input.addEventListener('focus', () => this.#changed());
    this.list.addEventListener('mousedown', (event) => event.preventDefault());
    this.list.addEventListener('click', ({ target }) => {
      const row = target.closest('[role=option]');
      if (row !== null) this.#complete(this.#suggestions[Number(row.dataset.index)]);
    });
  }

  /** Follows the person and the place; a half-written text waits for her to come back. */
  draw() {
    const { state } = this;
    this.form.hidden = state.place === 'home';
    this.shortcuts.hidden = (state.current?.shortcuts ?? []).length === 0;
    const name = state.isApp ? 'Siesta Connections' : `#${state.channel?.name ?? ''}`;
    const place = `${state.user}/${state.place}/${name}`;
    if (place === this.#place) return;
    this.#place = place;
    this.input.value = state.draft;
    this.input.placeholder = `Message ${name}, or type / for commands`;
    this.input.setAttribute('aria-label', `Message ${name}`);
    this.#changed();
  }

  /** Writes a text for the person to look at and send herself. */
  put(text) {
    this.draw();
    this.input.value = text;
    this.state.draft = text;
    this.input.focus();
    this.input.setSelectionRange(text.length, text.length);
    this.#changed();
  }

  #changed() {
    this.state.draft = this.input.value;
    this.input.style.height = 'auto';
    this.input.style.height = `${Math.min(this.input.scrollHeight, MAX_HEIGHT_PX)}px`;
    this.button.disabled = this.input.value.trim() === '';
    const focused = document.activeElement === this.input;
    const commands = this.state.current?.commands ?? [];
    this.#showSuggestions(focused && !this.#dismissed ? suggest(this.input.value, commands) : []);
  }

  #showSuggestions(suggestions) {
    this.#suggestions = suggestions;
    this.list.hidden = suggestions.length === 0;
    this.input.setAttribute('aria-expanded', String(suggestions.length > 0));
    fill(
      this.list,
      suggestions.map(({ label, detail }, index) =>
        el(
          'div',
          { role: 'option', id: `suggestion-${index}`, dataset: { index }, 'aria-selected': 'false' },
          el('span', { class: 'option-label' }, label),
          detail && el('small', {}, detail),
        ),
      ),
    );
    this.#highlight(-1);
  }

  #highlight(index) {
    this.#active = index;
    for (const row of this.list.children) {
      const active = Number(row.dataset.index) === index;
      row.classList.toggle('active', active);
      row.setAttribute('aria-selected', String(active));
      if (active) row.scrollIntoView({ block: 'nearest' });
    }
    if (index === -1) this.input.removeAttribute('aria-activedescendant');
    else this.input.setAttribute('aria-activedescendant', `suggestion-${index}`);
  }

  #key(event) {
    if (event.isComposing) return;
    const open = this.#suggestions.length;
    if (open > 0 && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : this.#active === -1 ? 0 : -1;
      this.#highlight((this.#active + step + open) % open);
    } else if (open > 0 && event.key === 'Tab' && !event.shiftKey) {
      event.preventDefault();
      this.#complete(this.#suggestions[Math.max(this.#active, 0)]);
    } else if (open > 0 && event.key === 'Escape') {
      event.stopPropagation();
      this.#dismissed = true;
      this.#showSuggestions([]);
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      if (this.#active >= 0) this.#complete(this.#suggestions[this.#active]);
      else this.#send();
    }
  }

  #complete({ insert }) {
    this.put(insert);
  }

  async #send() {
    const text = this.input.value.trim();
    if (text === '') return;
    this.input.value = '';
    this.#changed();
    // A text that did not get through comes back, unless something else was written meanwhile.
    if (!(await this.page.send(text)) && this.input.value === '') this.put(text);
  }
}
