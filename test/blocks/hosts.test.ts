/** Where a link in somebody's text really leads, said beside it (shared/RELIABILITY.md 2.5, abuse cases 25 and 27). */
import { describe, expect, it } from 'vitest';
import { argumentPages, cardArguments } from '../../blocks/parts/arguments.js';
import { hostRemarks } from '../../blocks/parts/hosts.js';
import { readTexts } from './what-slack-reads.js';

describe('a host that is not what it looks like', () => {
  it.each([
    [
      'look-alike letters',
      'see https://b\u0430nk.example/login',
      ['xn--bnk-6cd.example', 'b\u0430nk.example'],
    ],
    [
      'a name before an @',
      'https://bank.example@evil.example/',
      ['evil.example', 'bank.example@evil.example'],
    ],
    ['a number', 'http://2130706433/x', ['127.0.0.1', '2130706433']],
    ['an escaped letter', 'https://b%61nk.example', ['bank.example', 'b%61nk.example']],
    ['wide dots', 'https://bank\u3002example/', ['bank.example', 'bank\u3002example']],
    ['an address', 'cfo@b\u0430nk.example', ['xn--bnk-6cd.example', 'b\u0430nk.example']],
    [
      'no scheme',
      '(\u0430\u0440\u0440\u04cf\u0435.com)',
      ['xn--80ak6aa92e.com', '\u0430\u0440\u0440\u04cf\u0435.com'],
    ],
    ['the second link in a word', '<https://a.example|https://b@c.example>', ['c.example', 'b@c.example']],
  ])('is named: %s', (_what, text, [host, reads]) => {
    expect(hostRemarks(text)).toEqual([`leads to ${host}, and reads ${reads}`]);
  });

  it.each([
    'https://Bank.example:8443/a?b=c#d, (https://bank.example).',
    'HTTP://127.0.0.1/ and http://[::1]:80/',
    'Привет.Как дела? Все хорошо',
    '今日は。東京駅で',
    'a://b, C:// and ://',
    'cleo@corp.example',
  ])('is not made of %s', (text) => {
    expect(hostRemarks(text)).toEqual([]);
  });

  it('stands in the card, with the end of a name that is too long', () => {
    const value = `https://b\u0430nk.example.${'a.'.repeat(100)}evil.example/`;
    const [remark] = hostRemarks(value);
    expect(remark).toMatch(/^leads to ….*\.evil\.example, and reads ….*evil\.example$/);
    const fields = [{ label: 'Text', value, kind: 'long' as const }];
    for (const drawing of [cardArguments(fields).blocks, argumentPages(fields)]) {
      expect(readTexts(drawing).join('\n')).toContain(`↳ ${remark}`);
    }
  });

  it('with more of them than the card has room for is approved in Details', () => {
    const value = Array.from({ length: 9 }, (_, at) => `https://${at}@evil.example/`).join(' ');
    const { blocks, whole } = cardArguments([{ label: 'Text', value, kind: 'long' }]);
    expect(whole).toBe(false);
    expect(readTexts(blocks).join('\n')).toContain('and 4 more remarks, in Details');
  });

  it('is looked for in the largest argument there can be (256 KiB) in a fraction of a second', () => {
    const started = performance.now();
    for (const part of [
      'a',
      'a.',
      '\u0430a.',
      'x://',
      'https://\u0430',
      'https://b@c ',
      '\u0430'.repeat(300),
    ]) {
      hostRemarks(part.repeat(262_144 / part.length));
    }
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});
