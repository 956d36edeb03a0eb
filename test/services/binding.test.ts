import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindingHash, shortHash } from '../../src/services/binding.js';
import { execution } from './documents.js';

const ARGUMENTS = { subject: 'Printer', priority: 2, tags: ['a', 'b'] };
const BOUND = {
  _id: 'ex_2',
  workspaceId: 'T0OTHER',
  connectionId: 'con_2',
  subject: 'U0CLEO',
  credentialGeneration: 2,
  function: 'delete_ticket',
  definitionHash: 'another',
  callerId: 'cal_2',
  onBehalfOf: 'U0CLEO',
  policyVersion: 2,
};

describe('the digest', () => {
  it.each(Object.entries(BOUND))('changes with %s', (field, value) => {
    expect(bindingHash(execution({ [field]: value }), ARGUMENTS)).not.toBe(
      bindingHash(execution(), ARGUMENTS),
    );
  });

  it.each([
    ['a value', { ...ARGUMENTS, priority: 3 }],
    ['a type', { ...ARGUMENTS, priority: '2' }],
    ['an order in a list', { ...ARGUMENTS, tags: ['b', 'a'] }],
    ['one more field', { ...ARGUMENTS, extra: null }],
    ['one less field', { subject: 'Printer', priority: 2 }],
    ['a look-alike letter', { ...ARGUMENTS, subject: 'Рrinter' }],
    ['a letter in another Unicode form', { ...ARGUMENTS, subject: 'Printer\u200b' }],
  ])('changes with %s in the arguments', (_, args) => {
    expect(bindingHash(execution(), args)).not.toBe(bindingHash(execution(), ARGUMENTS));
  });

  it('does not change with what is not bound, nor with the order of fields', () => {
    const later = execution({ rev: 9, status: 'executing', note: 'said somebody' });
    const { tags, subject, priority } = ARGUMENTS;
    expect(bindingHash(later, { tags, subject, priority })).toBe(bindingHash(execution(), ARGUMENTS));
  });

  it('differs for any two different arguments', () => {
    const anyArguments = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<null>);
    fc.assert(
      fc.property(anyArguments, anyArguments, (one, other) => {
        const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as typeof one;
        const same = bindingHash(execution(), plain(one)) === bindingHash(execution(), plain(other));
        expect(same).toBe(sorted(plain(one)) === sorted(plain(other)));
      }),
      { numRuns: 300 },
    );
  });

  it('is shown by its first eight digits', () => {
    expect(shortHash(bindingHash(execution(), ARGUMENTS))).toMatch(/^[0-9a-f]{8}$/);
  });
});

/** JSON with the fields of every object in order. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${sorted(each)}`).join()}}`;
}
