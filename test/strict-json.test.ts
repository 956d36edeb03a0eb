import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalHash, canonicalJson, sha256Hex } from '../src/canonical.js';
import type { JsonValue } from '../src/connectors/framework.js';
import { checkStrictValue, MAX_JSON_DEPTH, parseStrictJson, StrictJsonError } from '../src/strict-json.js';

function refusal(run: () => unknown): { path: string; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof StrictJsonError) return { path: error.path, message: error.message };
    throw error;
  }
  throw new Error('was accepted');
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('parseStrictJson', () => {
  it.each([
    ['a duplicate key', '{"a":1,"b":{"c":1,"c":2}}', '/b/c', /twice/],
    ['a duplicate key in disguise', '{"a":1,"\\u0061":2}', '/a', /twice/],
    ['an integer beyond 2^53', '{"id":[0,12345678901234567890]}', '/id/1', /2\^53/],
    ['2^53 itself', '9007199254740992', '', /2\^53/],
    ['an integer in exponent form', '1e20', '', /2\^53/],
    ['a number that overflows', '{"n":1e400}', '/n', /too large/],
    ['a number that vanishes', '[1e-400]', '/0', /too small/],
    ['__proto__', '{"x":{"__proto__":{"admin":true}}}', '/x/__proto__', /__proto__/],
    ['__proto__ in disguise', '{"__pr\\u006fto__":1}', '/__proto__', /__proto__/],
    ['an escaped NUL', '{"a":"x\\u0000y"}', '/a', /NUL/],
    ['a NUL in a key', '{"a\\u0000":1}', '', /NUL/],
    ['a lone high surrogate', '["\\ud800"]', '/0', /surrogate/],
    ['a lone low surrogate', '["\\udc00x"]', '/0', /surrogate/],
    ['a raw lone surrogate', '"\ud800"', '', /surrogate/],
    ['nesting beyond the limit', nested(MAX_JSON_DEPTH + 1), '/0'.repeat(MAX_JSON_DEPTH), /deeper than 32/],
    ['nesting of 1 000', '{"a":'.repeat(1_000), '/a'.repeat(MAX_JSON_DEPTH), /deeper than 32/],
    ['something after the end', '{} {}', '', /follows/],
    ['a trailing comma', '[1,]', '/1', /expected/],
    ['a leading zero', '01', '', /follows/],
    ['an unknown escape', '"\\x41"', '', /escape/],
    ['a raw control character', '"a\nb"', '', /control/],
    ['a comment', '/* */1', '', /expected/],
    ['nothing', ' ', '', /expected/],
    ['NaN', '[NaN]', '/0', /expected/],
    ['an unclosed text', '{"a":"b', '/a', /not closed/],
    ['an unclosed text that ends in a backslash', '"\\', '', /not closed/],
    ['a byte order mark', '\ufeff{}', '', /expected/],
    ['a pointer that needs escaping', '{"a/b~c":1e400}', '/a~1b~0c', /too large/],
  ])('refuses %s', (_, text, path, message) => {
    const found = refusal(() => parseStrictJson(text));
    expect(found.path).toBe(path);
    expect(found.message).toMatch(message);
  });

  it('refuses invalid UTF-8 and a byte order mark in bytes', () => {
    expect(refusal(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22]))).message).toMatch(/UTF-8/);
    expect(refusal(() => parseStrictJson(Buffer.from('\ufeff{}'))).message).toMatch(/expected/);
    expect(parseStrictJson(Buffer.from('{"é":"😀"}'))).toEqual({ é: '😀' });
  });

  it('accepts what lies just inside the limits', () => {
    expect(parseStrictJson('[9007199254740991,-9007199254740991,-0,0.1,1e-300]')).toEqual([
      9007199254740991, -9007199254740991, -0, 0.1, 1e-300,
    ]);
    expect(JSON.stringify(parseStrictJson(nested(MAX_JSON_DEPTH)))).toBe(nested(MAX_JSON_DEPTH));
    expect(parseStrictJson('{"constructor":1,"toString":2,"":3}')).toEqual({
      constructor: 1,
      toString: 2,
      '': 3,
    });
    expect(parseStrictJson('"\\ud83d\\ude00"')).toBe('😀');
    expect(refusal(() => parseStrictJson('[[]]', { maxDepth: 1 })).path).toBe('/0');
  });

  it('agrees with JSON.parse on ordinary JSON', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 5, noUnicodeString: false }),
        fc.constantFrom(0, 2),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          const expected = outcome(() => checkStrictValue(JSON.parse(text)));
          expect(outcome(() => parseStrictJson(text))).toEqual(expected);
          expect(outcome(() => parseStrictJson(Buffer.from(text)))).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('accepts nothing that JSON.parse refuses', () => {
    const piece = fc.constantFrom(
      ...'{}[]:,"0123456789.eE+-\\u tfn',
      'true',
      'null',
      '"a"',
      '"a":',
      '\\u00e9',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        const ours = outcome(() => parseStrictJson(text));
        if (ours !== 'refused') expect(ours).toEqual(JSON.parse(text));
      }),
      { numRuns: 3_000 },
    );
  });
});

function outcome(run: () => JsonValue): JsonValue {
  try {
    return run();
  } catch (error) {
    if (error instanceof StrictJsonError) return 'refused';
    throw error;
  }
}

describe('checkStrictValue', () => {
  it('copies plain values', () => {
    const value = { a: [1, 'x', null, { b: false }] };
    expect(checkStrictValue(value)).toEqual(value);
    expect(checkStrictValue(value)).not.toBe(value);
  });

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);

  it.each([
    ['undefined', { a: undefined }, '/a'],
    ['a hole', new Array(2), '/0'],
    ['a function', { toJSON: () => 1 }, '/toJSON'],
    ['a bigint', [1n], '/0'],
    ['a date', { at: new Date(0) }, '/at'],
    ['a map', new Map(), ''],
    ['NaN', [Number.NaN], '/0'],
    ['an unsafe integer', 2 ** 53, ''],
    ['__proto__', JSON.parse('{"__proto__":1}'), '/__proto__'],
    ['a lone surrogate in a key', { '\ud800': 1 }, '/\ufffd'],
    ['a cycle', cyclic, '/0'.repeat(MAX_JSON_DEPTH)],
  ])('refuses %s', (_, value, path) => {
    expect(refusal(() => checkStrictValue(value)).path).toBe(path);
  });
});

describe('canonicalJson', () => {
  it('sorts keys by UTF-16 code units and writes numbers as RFC 8785 does', () => {
    expect(
      canonicalJson({ '😀': 1, '\ufb33': 2, b: [1e21, 0.000001, -0, 1.0], a: { d: '\u20ac"\n', c: null } }),
    ).toBe('{"a":{"c":null,"d":"€\\"\\n"},"b":[1e+21,0.000001,0,1],"😀":1,"\ufb33":2}');
  });

  it('gives equal values equal hashes and different values different ones', () => {
    expect(canonicalHash({ a: 1, b: 2 })).toBe(canonicalHash({ b: 2, a: 1 }));
    expect(canonicalHash({ a: '1' })).not.toBe(canonicalHash({ a: 1 }));
    expect(canonicalHash({})).toBe(sha256Hex('{}'));
    expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it('refuses what is not JSON', () => {
    expect(() => canonicalJson(Number.NaN)).toThrow();
  });
});
