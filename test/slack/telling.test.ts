/** What a list says of a request, so that one is told from the next. */
import { describe, expect, it } from 'vitest';
import type { ShownField } from '../../blocks/parts/arguments.js';
import { tellingFields } from '../../src/slack/telling.js';

const field = (label: string, value: string, kind: ShownField['kind'] = 'short'): ShownField => ({
  label,
  value,
  kind,
});
const mail = (to: string, subject: string, text: string) => [
  field('To', to),
  field('Cc', ''),
  field('Subject', subject),
  field('Text', text, 'long'),
];
const labels = (fields: readonly ShownField[]) => fields.map(({ label }) => label);

describe('a request in a list', () => {
  it('is told by the first short fields of its card, where it waits alone', () => {
    expect(labels(tellingFields(mail('a@corp.example', 'Order', 'Hello'), []))).toEqual(['To', 'Subject']);
  });

  it('is told by what is not the same in the others', () => {
    const others = [mail('a@corp.example', 'Invoice', 'Hello'), mail('a@corp.example', 'Reminder', 'Hello')];
    expect(labels(tellingFields(mail('a@corp.example', 'Order', 'Hello'), others))).toEqual(['Subject']);
  });

  it('is told by a long one where only that differs', () => {
    const call = (body: string) => [field('Method', 'POST'), field('Body', body, 'long')];
    expect(labels(tellingFields(call('subject: Ink'), [call('subject: Toner')]))).toEqual(['Body']);
  });

  it('is not told by a link, which only the card shows with where it leads', () => {
    const fields = [field('Page', 'https://bank.example@elsewhere.example/', 'link'), field('Depth', '2')];
    expect(labels(tellingFields(fields, []))).toEqual(['Depth']);
  });

  it('is told by nothing where there is nothing', () => {
    expect(tellingFields([], [])).toEqual([]);
  });
});
