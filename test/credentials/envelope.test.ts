import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type EnvelopeContext,
  EnvelopeError,
  type EnvelopeRecord,
  open,
  rewrap,
  seal,
} from '../../src/credentials/envelope.js';
import { newKeyText, parseKeyRing } from '../../src/credentials/key-ring.js';

const SECRET = 'fake-secret-canary-1';
const context: EnvelopeContext = {
  workspaceId: 'T1',
  connectionId: 'c1',
  subject: 'U0CLEO',
  generation: 3,
  field: 'credential',
};
const keys = parseKeyRing(newKeyText());

/** As it comes back from the database. */
const stored = (record: EnvelopeRecord): EnvelopeRecord => structuredClone(record);

function flipBit(base64: string, bit: number): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return bytes.toString('base64');
}

describe('seal and open', () => {
  it('gives back what was sealed, text or bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const record = stored(seal(keys, Buffer.from(bytes), context));
        expect(open(keys, record, context).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
    expect(open(keys, seal(keys, SECRET, context), context).toString()).toBe(SECRET);
  });

  it('never uses a data key or an IV twice, and shows nothing of the secret', () => {
    const records = Array.from({ length: 50 }, () => seal(keys, SECRET, context));
    for (const part of ['iv', 'ct', 'tag'] as const) {
      expect(new Set(records.map((record) => record[part])).size).toBe(50);
      expect(new Set(records.map((record) => record.wrappedDek[part])).size).toBe(50);
    }
    const text = JSON.stringify(records);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 20));
  });

  it.each<[string, Partial<EnvelopeContext>]>([
    ['another workspace', { workspaceId: 'T2' }],
    ['another connection', { connectionId: 'c2' }],
    ['another member', { subject: 'U0BEN' }],
    ['the shared identity', { subject: 'shared' }],
    ['a newer generation', { generation: 4 }],
    ['another field', { field: 'arguments' }],
  ])('does not open a record moved to %s (abuse 52)', (_, change) => {
    const record = stored(seal(keys, SECRET, context));
    expect(() => open(keys, record, { ...context, ...change })).toThrow(EnvelopeError);
  });

  it('does not open a record with the data key of another', () => {
    const one = seal(keys, SECRET, context);
    const other = seal(keys, SECRET, { ...context, connectionId: 'c2' });
    expect(() => open(keys, { ...one, wrappedDek: other.wrappedDek }, context)).toThrow(EnvelopeError);
  });

  it('refuses a tag cut to 4 bytes, of the record and of its key (abuse 53)', () => {
    const record = seal(keys, SECRET, context);
    const cut = (tag: string): string => Buffer.from(tag, 'base64').subarray(0, 4).toString('base64');
    expect(() => open(keys, { ...record, tag: cut(record.tag) }, context)).toThrow(EnvelopeError);
    const wrappedDek = { ...record.wrappedDek, tag: cut(record.wrappedDek.tag) };
    expect(() => open(keys, { ...record, wrappedDek }, context)).toThrow(EnvelopeError);
    expect(Buffer.from(record.tag, 'base64')).toHaveLength(16);
  });

  it('refuses every single flipped bit', () => {
    const record = seal(keys, SECRET, context);
    for (const part of ['iv', 'ct', 'tag'] as const) {
      for (let bit = 0; bit < Buffer.from(record[part], 'base64').length * 8; bit++) {
        expect(() => open(keys, { ...record, [part]: flipBit(record[part], bit) }, context)).toThrow(
          EnvelopeError,
        );
      }
      for (let bit = 0; bit < Buffer.from(record.wrappedDek[part], 'base64').length * 8; bit++) {
        const wrappedDek = { ...record.wrappedDek, [part]: flipBit(record.wrappedDek[part], bit) };
        expect(() => open(keys, { ...record, wrappedDek }, context)).toThrow(EnvelopeError);
      }
    }
  });

  it('refuses a damaged or foreign format', () => {
    const record = seal(keys, SECRET, context);
    expect(() => open(keys, { ...record, ct: `${record.ct}!` }, context)).toThrow(/not base64/);
    expect(() => open(keys, { ...record, iv: '' }, context)).toThrow(EnvelopeError);
    expect(() => open(keys, JSON.parse(JSON.stringify({ ...record, v: 2 })), context)).toThrow(/format/);
  });

  it.each<[string, Partial<EnvelopeContext>]>([
    ['a separator', { subject: 'U1|3' }],
    ['an empty part', { field: '' }],
    ['a generation that is no count', { generation: 1.5 }],
  ])('refuses a context with %s', (_, change) => {
    expect(() => seal(keys, SECRET, { ...context, ...change })).toThrow(EnvelopeError);
  });

  it('binds exactly v1|workspace|connection|subject|generation|field', () => {
    const kek = Buffer.alloc(32, 7);
    const ring = parseKeyRing(`a:${kek.toString('base64')}`);
    const dek = Buffer.alloc(32, 9);
    const encrypt = (key: Buffer, plaintext: Buffer) => {
      const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12, 1), { authTagLength: 16 });
      cipher.setAAD(Buffer.from('v1|T1|c1|U0CLEO|3|credential'));
      const ct = Buffer.concat([cipher.update(plaintext), cipher.final()]).toString('base64');
      return { iv: Buffer.alloc(12, 1).toString('base64'), ct, tag: cipher.getAuthTag().toString('base64') };
    };
    const wrappedDek = encrypt(kek, dek);
    const record: EnvelopeRecord = {
      v: 1,
      alg: 'A256GCM',
      kekId: 'a',
      wrappedDek,
      ...encrypt(dek, Buffer.from(SECRET)),
    };
    expect(open(ring, record, context).toString()).toBe(SECRET);
  });
});

describe('rotation', () => {
  const [first, second] = [newKeyText(), newKeyText()];
  const before = parseKeyRing(first);
  const during = parseKeyRing(`${second},${first}`);
  const after = parseKeyRing(second);

  it('opens old records with the old key still present, and wraps anew without touching the ciphertext', () => {
    const record = stored(seal(before, SECRET, context));
    expect(open(during, record, context).toString()).toBe(SECRET);
    const rotated = rewrap(during, record, context);
    expect(rotated.kekId).toBe(during.currentKeyId);
    expect(rotated.ct).toBe(record.ct);
    expect(open(after, rotated, context).toString()).toBe(SECRET);
    expect(rewrap(during, rotated, context)).toBe(rotated);
  });

  it('names the missing key, and refuses to rotate a record that belongs elsewhere', () => {
    const record = seal(before, SECRET, context);
    expect(() => open(after, record, context)).toThrow(`"${before.currentKeyId}" is not among`);
    expect(() => rewrap(during, record, { ...context, subject: 'shared' })).toThrow(EnvelopeError);
  });
});

describe('parseKeyRing', () => {
  const key = Buffer.alloc(32, 5).toString('base64');

  it('takes the first key for encryption and spaces between entries', () => {
    expect(parseKeyRing(` new:${key}, old:${Buffer.alloc(32).toString('base64')} `).currentKeyId).toBe('new');
    expect(parseKeyRing(newKeyText()).currentKeyId).toMatch(/^k[0-9a-f]{8}$/);
    expect(newKeyText()).not.toBe(newKeyText());
  });

  it.each([
    ['', /Key 1 is not of the form/],
    [`a:${key},`, /Key 2 is not of the form/],
    [key, /Key 1 is not of the form/],
    [`a:${key},a:${key}`, /"a" appears twice/],
    ['a:c2hvcnQ=', /"a" has 5 bytes; 32/],
    [`a:${key.slice(0, -4)}`, /"a" has 30 bytes; 32/],
    ['a:***', /"a" is not base64/],
  ])('refuses "%s" without repeating a key', (text, message) => {
    expect(() => parseKeyRing(text)).toThrow(message);
    expect(() => parseKeyRing(text)).not.toThrow(key);
  });
});
