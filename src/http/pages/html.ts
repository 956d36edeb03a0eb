/** HTML as a value: whatever is put into `html\`…\`` is text, unless it is HTML itself. */

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

class Markup {
  constructor(readonly text: string) {}
}

export type { Markup };
/** `null` and `false` are nothing; a list is its parts one after the other. */
export type HtmlValue = Markup | string | number | false | null | readonly HtmlValue[];

/** Text goes between tags or inside a quoted attribute; nowhere else. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Markup {
  return new Markup(
    parts.map((part, at) => part + (at < values.length ? render(values[at] ?? null) : '')).join(''),
  );
}

function render(value: HtmlValue): string {
  if (value === null || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
