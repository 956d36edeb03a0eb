/**
 * Values that want to look familiar, or to be looked at by nobody: what a policy's conditions and the remarks of a card
 * make of arguments that were written to get past them.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { CardMarks, firstReads, newTraits } from '../../src/services/card-marks.js';
import { recipientsOf } from '../../src/services/conditions.js';
import { createServices, type Services } from '../../src/services/index.js';
import { type PagesApp, startPagesApp } from '../http/pages-app.js';
import { connection, execution, NOW } from './documents.js';

const EVIL = 'x@evil.example';

describe('recipients', () => {
  it.each([
    ['a bare address', EVIL, [EVIL]],
    ['addresses with names', 'Ann <ann@corp.example>; X@Evil.example,', ['ann@corp.example', EVIL]],
    ['an address between quotes', `"'${EVIL}'"`, [EVIL]],
    ['two @', 'a@b@c.example', ['a@b@c.example']],
    ['no address', 'a@, @b, @, me', []],
  ])('are found in %s', (_what, to, found) => {
    expect(recipientsOf({ to })).toEqual(found);
  });

  it.each([
    ['nothing but addresses', 'ann@corp.example, Bob <bob@corp.example>', 2],
    ['a text that names one', 'write to ann@corp.example', 0],
    ['a list with a hole', 'ann@corp.example,,bob@corp.example', 0],
    ['a name alone', 'Ann, ann@corp.example', 0],
  ])('under any other name only %s counts', (_what, value, count) => {
    expect(recipientsOf({ note: value })).toHaveLength(count);
  });

  it('are not hidden by padding, however long', () => {
    expect(recipientsOf({ to: `${EVIL},${' '.repeat(200_000)}` })).toEqual([EVIL]);
    expect(recipientsOf({ to: [`${'ann@corp.example, '.repeat(5_000)}${EVIL}`] })).toContain(EVIL);
    expect(recipientsOf({ note: `${EVIL}${';'.padEnd(100_000)}` })).toEqual([EVIL]);
  });

  it('are looked for in the largest argument there can be (256 KiB) in a fraction of a second', () => {
    const started = performance.now();
    for (const part of [' ', 'a', 'a ', ', ', '@', '<', 'a@b, ', '@b']) {
      for (const start of ['', 'a@b,', '<']) {
        const value = `${start}${part.repeat(262_144 / part.length)}`;
        recipientsOf({ to: value });
        recipientsOf({ note: value });
      }
    }
    // 48 of them; each took 20 s and more when it was a regular expression.
    expect(performance.now() - started).toBeLessThan(8_000);
  });
});

describe('where a value was read', () => {
  const read = (text: JsonValue) => ({
    id: 'ex_1',
    functionTitle: 'Search',
    connectionName: 'Gmail',
    at: NOW,
    text: JSON.stringify(text),
  });

  it('is said of the value itself, not of a longer one around it', () => {
    const found = (value: string, text: JsonValue) => firstReads([value], [read(text)], NOW).size;
    expect(found(EVIL, { from: `max${EVIL}` })).toBe(0);
    expect(found(EVIL, { from: `${EVIL}.corp.example` })).toBe(0);
    expect(found('100000', { total: 9100000 })).toBe(0);
    expect(found('100000', { totals: [9100000, 100000] })).toBe(1);
    expect(found(EVIL, { from: `Max <${EVIL}>` })).toBe(1);
    expect(found(EVIL, { text: `Ask ${EVIL}. Or not.` })).toBe(1);
    expect(found('Tea & "cake"', ['Tea & "cake"'])).toBe(1);
  });

  it('takes a moment, also in a text that is made of it', () => {
    const values = Array.from({ length: 300 }, (_, n) => '1'.repeat(6 + (n % 200)));
    const started = performance.now();
    expect(firstReads(values, [read('1'.repeat(262_144))], NOW).size).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

it('a value is compared however many others there are', () => {
  const known = Array.from({ length: 400 }, () => ({ project: 'OPS' }));
  const earlier = { list: [{ project: 'OPS' }], amount: 5 };
  expect(Object.fromEntries(newTraits({ list: known, amount: 1_000 }, [earlier]))).toEqual({
    '1000': 'new here, the largest amount so far',
  });
});

describe('against what is stored', () => {
  let app: PagesApp;
  let services: Services;
  let cardMarks: CardMarks;
  let count = 0;
  const MAIL = { to: [EVIL] };
  const at = (minutes: number): Date => new Date(NOW.getTime() + minutes * 60_000);

  beforeAll(async () => {
    app = await startPagesApp();
    app.directory.change('U0ADA', { email: 'ada@corp.example' });
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    services = createServices(app.deps);
    // Patient: the machine has other things to do.
    cardMarks = new CardMarks(app.deps, services.payloads, services.facts, 20_000);
    await app.models.executions.deleteMany({});
    await app.models.payloads.deleteMany({});
  });

  async function stored(given: Partial<ExecutionDocument>, args: Arguments, result?: JsonValue) {
    count += 1;
    const made = execution({
      _id: `ex_${String(count).padStart(20, '0')}`,
      idempotencyKey: `key-${count}`,
      status: 'succeeded',
      createdAt: at(-60 * 24),
      finishedAt: at(-60 * 24),
      bindingHash: null,
      ...given,
    });
    await app.models.executions.create([made]);
    await services.payloads.storeArguments(made, args);
    if (result !== undefined) await services.payloads.storeResult(made, result);
    return made;
  }
  const marksOf = async (args: Arguments) => {
    const asked = await stored({ status: 'pending_approval', createdAt: NOW, finishedAt: null }, args);
    return cardMarks.of(asked, 'hash', connection(), args);
  };

  it('a caller makes nothing familiar by itself: only what a person approved counts', async () => {
    await stored({}, { to: ['sam@corp.example'] });
    await stored({ requirement: 'none', approvalStatus: 'not_required' }, MAIL);
    await stored({ requirement: 'granted', approvalStatus: 'not_required' }, MAIL);
    expect((await marksOf(MAIL)).marks).toEqual([
      { value: EVIL, says: ['outside', 'new here, and so is its domain'] },
    ]);
  });

  it('where only unasked writes went before, the card says that nobody approved one', async () => {
    await stored({ requirement: 'none', approvalStatus: 'not_required' }, MAIL);
    expect((await marksOf(MAIL)).note).toMatch(/Nobody approved a write .* everything here is new/);
  });

  it('reads that crowd out the one that mattered are told', async () => {
    await stored({}, { to: ['sam@corp.example'] });
    await stored({ risk: 'read', createdAt: at(-50), finishedAt: at(-50) }, {}, { from: EVIL });
    for (let n = 0; n < 40; n += 1) {
      await stored({ risk: 'read', createdAt: at(-40), finishedAt: at(-40) }, {}, { n });
    }
    const { marks, note } = await marksOf(MAIL);
    expect(marks.flatMap(({ says }) => says).join()).not.toContain('came from');
    expect(note).toMatch(/newest 40 reads/);
  });

  it('more values than can be compared are told', async () => {
    await stored({}, { to: ['sam@corp.example'] });
    const to = Array.from({ length: 400 }, (_, n) => `p${n}@corp.example`);
    expect((await marksOf({ to })).note).toMatch(/first 300 values/);
  });

  it('reads that are large and many neither hold up the card for long nor pass for read', async () => {
    await stored({}, { to: ['sam@corp.example'] });
    const text = 'lorem ipsum 12345 dolor '.repeat(10_000);
    for (let n = 0; n < 8; n += 1)
      await stored({ risk: 'read', createdAt: at(-9), finishedAt: at(-9) }, {}, { text });
    const list = Array.from({ length: 300 }, (_, n) => `lorem ipsum 12345 dolox ${n}`);
    const hasty = new CardMarks(app.deps, services.payloads, services.facts, 1);
    const asked = await stored(
      { status: 'pending_approval', createdAt: NOW, finishedAt: null },
      { ...MAIL, list },
    );
    expect((await hasty.of(asked, 'hash', connection(), { ...MAIL, list })).note).toMatch(
      /could not be read in time/,
    );
  });
});
