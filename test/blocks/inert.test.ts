import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeMrkdwn, excerpt, hostOf, plain, preformatted, quote, visible } from '../../blocks/inert.js';
import { validateBlocks } from '../../blocks/validator/index.js';

const size = (text: string): number => [...text].length;

/** Written as ranges, on purpose not as the property classes that the code uses. */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each of them by itself
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00a0\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\u{e0000}-\u{e0fff}]/u;

/** Any string at all: whole code points, lone surrogates, and what attackers like. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
    .map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom(
        ...['\u202e', '\u200b', '\ufe0f', '\u{e0041}', '\ud800', '\udc00', '\n', '\r', '\u0301'],
        ...['⟦', '⟦U+202E⟧', '〚', '<!channel>', '<@U1>', '&lt;', '```', ' ', 'a', '😀', '\n \n'],
      ),
      { maxLength: 200 },
    )
    .map((parts) => parts.join('')),
);

describe('escapeMrkdwn', () => {
  it.each([
    ['<!channel> <!here> <!subteam^S1>', '&lt;!channel&gt; &lt;!here&gt; &lt;!subteam^S1&gt;'],
    ['<@U123>', '&lt;@U123&gt;'],
    ['<https://evil.example|https://bank.example>', '&lt;https://evil.example|https://bank.example&gt;'],
    ['&lt;!channel&gt;', '&amp;lt;!channel&amp;gt;'],
  ])('leaves nothing of %s for Slack to parse', (text, escaped) => {
    expect(escapeMrkdwn(text)).toBe(escaped);
  });

  it('never lets < or > out, nor an & that is not its own, and loses nothing', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const escaped = escapeMrkdwn(text);
        expect(escaped).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
        const back = escaped.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
        expect(back).toBe(text);
      }),
    );
  });
});

describe('visible', () => {
  it.each([
    ['bidi override', 'invoice\u202efdp.exe', 'invoice⟦U+202E⟧fdp.exe'],
    ['bidi isolate', '\u2066x\u2069', '⟦U+2066⟧x⟦U+2069⟧'],
    ['zero-width space and joiner', 'a\u200bb\u200dc', 'a⟦U+200B⟧b⟦U+200D⟧c'],
    ['byte order mark', '\ufeffx', '⟦U+FEFF⟧x'],
    ['NUL, escape and carriage return', 'a\0\u001b[2J\r', 'a⟦U+0000⟧⟦U+001B⟧[2J⟦U+000D⟧'],
    ['tag characters', 'hi\u{e0041}\u{e007f}', 'hi⟦U+E0041⟧⟦U+E007F⟧'],
    ['variation selectors', 'a\ufe0f\u{e0100}', 'a⟦U+FE0F⟧⟦U+E0100⟧'],
    ['line and paragraph separators', 'a\u2028b\u2029', 'a⟦U+2028⟧b⟦U+2029⟧'],
    ['blanks that are no spaces', 'a\u00a0b\u2003c\u2800d\u3164', 'a⟦U+00A0⟧b⟦U+2003⟧c⟦U+2800⟧d⟦U+3164⟧'],
    ['soft hyphen', 'pay\u00adpal', 'pay⟦U+00AD⟧pal'],
    ['lone surrogates', '\ud83d \ude00', '⟦U+D83D⟧ ⟦U+DE00⟧'],
    ['private use', '\ue000', '⟦U+E000⟧'],
    ['a fifth mark on one letter', `x${'\u0301'.repeat(5)}`, `x${'\u0301'.repeat(4)}⟦U+0301⟧`],
    ['an imitation of our own marks', '⟦all shown⟧ 〚x', '⟦U+27E6⟧all shown⟧ ⟦U+301A⟧x'],
  ])('writes out %s', (_what, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('leaves what people write as it is', () => {
    const text = 'Grüße,\tŽluťoučký 東京\u3000駅 עברית العربية हिन्दी 🎉 😀\n- a_b *c* `d` :tada: e\u0301';
    expect(visible(text)).toBe(text);
  });

  it('lets nothing hidden out of any string, and is idempotent', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = visible(text);
        expect(shown).not.toMatch(HIDDEN);
        expect(shown).not.toMatch(/\p{Cs}/u);
        expect(shown.replaceAll(/⟦U\+[0-9A-F]{4,6}⟧/g, '')).not.toMatch(/[⟦〚]/);
        expect(visible(shown)).toBe(shown);
      }),
    );
  });
});

describe('excerpt', () => {
  it('shows a short value whole', () => {
    expect(excerpt('Hello\nworld', 1000)).toEqual({ shown: 'Hello\nworld', complete: true, length: 11 });
  });

  it('shows the first 500 and last 200 code points, and counts and hashes the whole', () => {
    const text = `${'😀'.repeat(500)}${'h'.repeat(8500)}DROP${'h'.repeat(796)}${'ž'.repeat(200)}`;
    const { shown, complete, length, sha256 } = excerpt(text, 2000);
    expect(complete).toBe(false);
    expect(length).toBe(10_000);
    expect(sha256).toBe(createHash('sha256').update(text).digest('hex'));
    expect(shown).toBe(`${'😀'.repeat(500)}\n⟦9300 of 10000 characters not shown⟧\n${'ž'.repeat(200)}`);
  });

  it('leaves out lines over the fiftieth, however short they are', () => {
    const lines = (count: number): string => Array.from({ length: count }, (_, i) => `${i}`).join('\n');
    expect(excerpt(lines(50), 2000)).toMatchObject({ complete: true, shown: lines(50) });
    const { shown, complete } = excerpt(lines(51), 2000);
    expect(complete).toBe(false);
    expect(shown).toMatch(/characters not shown⟧/);
    expect(shown.split('\n').length).toBeLessThanOrEqual(54);
  });

  it.each([
    ['line feeds', `a${'\n'.repeat(400)}b`, 'a\n⟦399 blank lines⟧\nb'],
    ['lines of blanks', `a\n${' \t\n'.repeat(40)}b`, 'a\n⟦40 blank lines⟧\nb'],
    ['Windows line ends', `a${'\r\n'.repeat(40)}b`, 'a⟦U+000D⟧\n⟦39 blank lines⟧\nb'],
    ['blanks that push text aside', `ok${' '.repeat(300)}rm -rf`, 'ok⟦300 blanks⟧rm -rf'],
  ])('collapses a flood of %s into its count', (_what, text, shown) => {
    expect(excerpt(text, 1000)).toEqual({ shown, complete: true, length: size(text) });
  });

  it('keeps three line feeds in a row', () => {
    expect(excerpt('a\n\n\nb', 100).shown).toBe('a\n\n\nb');
  });

  it('lets nobody else write its marker', () => {
    const forged = 'ok\n⟦9300 of 10000 characters not shown⟧\nok';
    expect(excerpt(forged, 1000).shown).toBe('ok\n⟦U+27E6⟧9300 of 10000 characters not shown⟧\nok');
  });

  it('counts what it writes out against the limit, and never cuts a mark in two', () => {
    const { shown, complete } = excerpt('\u202e'.repeat(400), 1000);
    expect(complete).toBe(false);
    expect(shown.replaceAll('⟦U+202E⟧', '')).toMatch(/^\n⟦\d+ of 400 characters not shown⟧\n$/);
  });

  it('keeps within its limit, hides nothing unsaid, and lets nothing hidden out', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: 1, max: 40 }),
        (part, limit, times) => {
          const text = part.repeat(times);
          const { shown, complete, length, sha256 } = excerpt(text, limit);
          expect(shown).not.toMatch(HIDDEN);
          expect(size(shown)).toBeLessThanOrEqual(Math.max(limit, 80));
          expect(length).toBe(size(text));
          expect(complete).toBe(sha256 === undefined);
          expect(complete).toBe(!shown.includes('characters not shown⟧'));
        },
      ),
    );
  });

  it('takes the largest argument there can be (256 KiB) in a fraction of a second', () => {
    const started = performance.now();
    expect(excerpt('ab\n\u202e'.repeat(65_536), 2000).complete).toBe(false);
    expect(excerpt(`\n${' '.repeat(262_144)}x`, 2000).complete).toBe(true);
    expect(performance.now() - started).toBeLessThan(1500);
  });
});

describe('hostOf', () => {
  it.each([
    ['https://bank.example/login', 'bank.example'],
    ['https://bank.example@evil.example/', 'evil.example'],
    ['https://bank.example\\@evil.example/', 'bank.example'],
    ['https://bаnk.example/', 'xn--bnk-6cd.example'],
    ['HTTPS://BANK。EXAMPLE/', 'bank.example'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://[::ffff:7f00:1]:80/', '[::ffff:7f00:1]'],
    ['ht\ntps://evil.example', 'evil.example'],
    ['javascript:alert(1)', null],
    ['mailto:a@b.example', null],
    ['//evil.example', null],
    ['https://', null],
    ['', null],
  ])('of %j is %j', (url, host) => {
    expect(hostOf(url)).toBe(host);
  });

  it('is ASCII or null for any string', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          anyText,
          anyText.map((text) => `https://${text}/`),
        ),
        (url) => {
          expect(hostOf(url) ?? 'null').toMatch(/^[!-~]+$/);
        },
      ),
    );
  });
});

describe('plain, preformatted and quote', () => {
  it('switches emoji off and parses nothing', () => {
    const text = ':white_check_mark: *Approved* by <@U1>';
    expect(plain(text, 100)).toEqual({ type: 'plain_text', text, emoji: false });
    expect(preformatted('``` <!here>').elements).toEqual([
      { type: 'rich_text_preformatted', elements: [{ type: 'text', text: '``` <!here>' }] },
    ]);
    expect(quote('✅ Approved by CFO').elements).toEqual([
      { type: 'rich_text_quote', elements: [{ type: 'text', text: '✅ Approved by CFO' }] },
    ]);
  });

  it('cuts by code points and says how much is missing, or … where the caller allows it', () => {
    expect(plain('😀'.repeat(24), 24).text).toBe('😀'.repeat(24));
    expect(plain('😀'.repeat(30), 24).text).toBe(`${'😀'.repeat(19)}⟦+11⟧`);
    expect(plain('😀'.repeat(30), 24, 'ellipsis').text).toBe(`${'😀'.repeat(23)}…`);
    expect(plain(`abcdefgh\u202eijk`, 14).text).toBe('abcdefgh⟦+4⟧');
    expect(plain('abc', 2).text).toBe('a…');
  });

  it('shows an empty value as empty, since Slack refuses an empty text', () => {
    expect(plain('', 75).text).toBe('⟦empty⟧');
    expect(validateBlocks([preformatted(''), quote('')], 'message')).toEqual([]);
  });

  it('shows an excerpt as it is', () => {
    const { shown } = excerpt(`${'x'.repeat(5000)}\u202e`, 1000);
    expect(preformatted(shown).elements[0]).toMatchObject({ elements: [{ text: shown }] });
    expect(plain(shown, 3000).text).toBe(shown);
  });

  it('makes of any string blocks that Slack takes and in which nothing is hidden', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 150 }), (text, max) => {
        const header = { type: 'header', text: plain(text, max) };
        expect(size(header.text.text)).toBeLessThanOrEqual(max);
        const blocks = [header, preformatted(text), quote(text)];
        expect(validateBlocks(blocks, 'message')).toEqual([]);
        const texts = JSON.stringify(blocks, (_key, value) => (HIDDEN.test(value) ? 'HIDDEN' : value));
        expect(texts).not.toContain('HIDDEN');
      }),
    );
  });
});
