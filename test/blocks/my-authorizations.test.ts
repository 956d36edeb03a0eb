/** One connection with more callers than stand together: on one page and over several, each button is there once. */
import { describe, expect, it } from 'vitest';
import { type MyAuthorization, myAuthorizationsModal } from '../../blocks/my-authorizations.js';
import { validateView } from '../../blocks/validator/index.js';
import { readTexts } from './what-slack-reads.js';

const withCallers = (name: string, count: number): MyAuthorization => ({
  connectionName: name,
  subject: `${name}|U0CLEO|-`,
  identity: { kind: 'private', account: 'cleo@corp.example', state: 'needs_reconnect' },
  uncovered: ['Send a mail'],
  callers: Array.from({ length: count }, (_, at) => ({
    name: `Caller ${at + 1} of ${name}`,
    allowedAt: new Date(0),
    subject: `${name}|U0CLEO|ca_${at}`,
  })),
});

/** Each page as it reads, once Slack would take it. */
function pagesOf(items: readonly MyAuthorization[], count: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    const view = myAuthorizationsModal(items, at);
    expect(validateView(view)).toEqual([]);
    return readTexts(view.blocks).join('\n');
  });
}
const times = (text: string | undefined, part: string): number => (text ?? '').split(part).length - 1;

describe('a connection with very many callers', () => {
  it.each([20, 21, 40, 45, 60])('%i: says once how it stands, and ends in its buttons once', (count) => {
    const [shown] = pagesOf([withCallers('Gmail', count), withCallers('Calendar', 2)], 1);
    expect(times(shown, 'may act for you ·')).toBe(count + 2);
    for (const part of ['*Gmail*', '*Calendar*']) expect(times(shown, part), part).toBe(1);
    for (const part of ['Reconnect, and leave every box', 'Disconnect?']) expect(times(shown, part)).toBe(2);
    expect(shown?.indexOf(`Caller ${count} of Gmail`)).toBeLessThan(shown?.indexOf('Disconnect?') ?? 0);
  });

  it('says at the top of the next page whose callers go on there, and has its buttons at their end', () => {
    const [first, second, third] = pagesOf([withCallers('Gmail', 100), withCallers('Calendar', 2)], 2);
    expect(third).toBeUndefined();
    expect(first?.startsWith('*Gmail*\n:red_circle: needs reconnect')).toBe(true);
    expect(first).not.toContain('Disconnect');
    expect(second?.startsWith('*Gmail*, continued')).toBe(true);
    expect(times(second, 'Disconnect?')).toBe(2);
    expect(times(second, 'needs reconnect')).toBe(1);
    expect(times(`${first}${second}`, 'may act for you ·')).toBe(102);
  });
});
