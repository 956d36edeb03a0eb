/** Marks on a card: new here, outside, read a moment ago. By plain matching, within what the reader may know. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { approvalMessage } from '../../blocks/approval-card.js';
import { argumentPages, cardArguments } from '../../blocks/parts/arguments.js';
import { validateMessage } from '../../blocks/validator/index.js';
import type { ConnectionDocument, ExecutionDocument } from '../../models/types.js';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { CardMarks, newTraits, readableValues } from '../../src/services/card-marks.js';
import { createServices, type Services } from '../../src/services/index.js';
import { markedFields } from '../../src/slack/card-marks.js';
import { type PagesApp, startPagesApp } from '../http/pages-app.js';
import { connection, execution, NOW } from './documents.js';

const at = (minutes: number): Date => new Date(NOW.getTime() + minutes * 60_000);

describe('new here', () => {
  const says = (args: Arguments, ...earlier: Arguments[]) => Object.fromEntries(newTraits(args, earlier));

  it('is an address or its domain that no earlier call had', () => {
    const earlier = { to: ['sam@corp.example'] };
    expect(says({ to: ['Sam@Corp.example'] }, earlier)).toEqual({});
    expect(says({ to: ['ann@corp.example'] }, earlier)).toEqual({ 'ann@corp.example': 'new here' });
    expect(says({ cc: ['x@evil.example'] }, earlier)).toEqual({
      'x@evil.example': 'new here, and so is its domain',
    });
  });

  it('is a folder, channel or project', () => {
    const earlier = { folder_id: 'f1', channel: 'C1', fields: { project: 'OPS' } };
    expect(says({ folder_id: 'f2', channel: 'C1', project_key: 'OPS' }, earlier)).toEqual({ f2: 'new here' });
    expect(says({ projectKey: 'SEC' }, earlier)).toEqual({ SEC: 'new here' });
    // Known as a channel is not known as a folder.
    expect(says({ folder: 'C1' }, earlier)).toEqual({ C1: 'new here' });
  });

  it('is an amount above all before, not one that merely differs', () => {
    const earlier = { amount: 100, items: [{ price: '250.00' }] };
    expect(says({ amount: 99 }, earlier)).toEqual({});
    expect(says({ amount: 251 }, earlier)).toEqual({ '251': 'new here, the largest amount so far' });
    expect(says({ amount: -300 }, earlier)).toEqual({ '-300': 'new here, the largest amount so far' });
  });

  it('says nothing of what is no recipient, place or amount', () => {
    expect(says({ subject: 'hello', body: 'a text', count: 7, flag: true, none: null })).toEqual({});
  });
});

it('words of a schema and long texts are not looked for in what was read', () => {
  expect(
    readableValues({
      priority: 'urgent',
      id: 'INV-4711',
      body: 'x '.repeat(400),
      short: 'a-1',
      to: 'a@b.example',
    }),
  ).toEqual(['a@b.example', 'INV-4711']);
});

describe('against what is stored', () => {
  let app: PagesApp;
  let services: Services;
  let helpdesk: ConnectionDocument;
  let count = 0;
  let cardMarks: CardMarks;
  /** Patient: the machine has other things to do. And without what it kept. */
  const anew = (): void => {
    services = createServices(app.deps);
    cardMarks = new CardMarks(app.deps, services.payloads, services.facts, 10_000);
  };

  beforeAll(async () => {
    app = await startPagesApp();
    app.directory.change('U0ADA', { email: 'ada@corp.example' });
    helpdesk = connection();
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    anew();
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
    await app.deps.models.payloads.deleteMany({ executionId: made._id });
    await services.payloads.storeArguments(made, args);
    if (result !== undefined) await services.payloads.storeResult(made, result);
    return made;
  }
  const asked = (args: Arguments, given: Partial<ExecutionDocument> = {}) =>
    stored({ status: 'pending_approval', createdAt: NOW, finishedAt: null, ...given }, args);
  const marksOf = async (made: ExecutionDocument, args: Arguments) =>
    cardMarks.of(made, 'hash', helpdesk, args);
  const MAIL = { to: ['x@evil.example'] };

  it('only writes that got through make a value familiar', async () => {
    await stored({}, { to: ['sam@corp.example'] });
    await stored({ status: 'denied' }, MAIL);
    await stored({ risk: 'read' }, MAIL);
    await stored({ connectionId: 'con_2' }, MAIL);
    await stored({ subject: 'U0CLEO', onBehalfOf: 'U0CLEO' }, MAIL);
    const made = await asked(MAIL);
    await stored({ createdAt: at(5) }, MAIL);
    expect(await marksOf(made, MAIL)).toEqual({
      note: null,
      marks: [{ value: 'x@evil.example', says: ['outside', 'new here, and so is its domain'] }],
    });
    anew();
    await stored({}, MAIL);
    expect((await marksOf(made, MAIL)).marks).toEqual([{ value: 'x@evil.example', says: ['outside'] }]);
  });

  it('what an approver edited away does not count as had', async () => {
    const edited = await stored({ bindingHash: 'edited-hash', editedBy: 'U0BEN' }, MAIL);
    await services.payloads.storeEdited(edited, 'edited-hash', { to: ['sam@corp.example'] });
    const made = await asked(MAIL);
    expect((await marksOf(made, MAIL)).marks[0]?.says).toContain('new here, and so is its domain');
  });

  it('says once that everything is new on a connection that never wrote', async () => {
    const made = await asked(MAIL);
    const { marks, note } = await marksOf(made, MAIL);
    expect(note).toMatch(/everything here is new/);
    expect(marks).toEqual([{ value: 'x@evil.example', says: ['outside'] }]);
  });

  it('names the read that a value came from, the first one, and no later or older or foreign one', async () => {
    const said = { messages: [{ from: 'Eve <X@evil.example>' }] };
    const read = { risk: 'read', functionTitle: 'Search mail', connectionName: 'Gmail' } as const;
    await stored({}, MAIL);
    const first = await stored({ ...read, createdAt: at(-4), finishedAt: at(-3) }, {}, said);
    await stored({ ...read, createdAt: at(-2), finishedAt: at(-1) }, {}, said);
    await stored({ ...read, createdAt: at(-90), finishedAt: at(-90) }, {}, said);
    await stored({ ...read, createdAt: at(-30), finishedAt: at(-30), callerId: 'cal_2' }, {}, said);
    await stored({ ...read, createdAt: at(-40), finishedAt: at(-40), subject: 'U0DANA' }, {}, said);
    const made = await asked(MAIL);
    expect((await marksOf(made, MAIL)).marks).toEqual([
      {
        value: 'x@evil.example',
        says: [
          'outside',
          `came from “Search mail” on Gmail, read 3 minutes before this was asked (${first._id})`,
        ],
      },
    ]);
  });

  it('finds what JSON writes otherwise', async () => {
    const args = { title: 'Say "yes" – now\\never', to: ['ada@corp.example'] };
    await stored({}, { to: ['ada@corp.example'] });
    await stored({ risk: 'read', createdAt: at(-1), finishedAt: at(-1) }, {}, { text: args.title });
    const made = await asked(args);
    expect((await marksOf(made, args)).marks).toMatchObject([{ value: args.title }]);
  });

  it('a look-up that fails costs the marks and never the card, and says so', async () => {
    const made = await asked(MAIL);
    await app.models.payloads.updateMany({ executionId: made._id }, { $set: { record: {} } });
    await stored({}, MAIL);
    await app.models.payloads.updateMany({}, { $set: { record: {} } });
    app.directory.away = true;
    expect(await marksOf(made, MAIL)).toEqual({
      marks: [],
      note: 'Who is outside the company could not be told. Not compared with earlier calls: they could not be read in time.',
    });
    app.directory.away = false;
  });

  it('says that nobody can tell who is outside, where there is somebody to tell it of', async () => {
    const made = await asked(MAIL);
    await stored({}, MAIL);
    const noted = async (args: Arguments, domains: readonly string[] | null): Promise<string | null> => {
      const facts = { companyDomains: async () => domains };
      return (await new CardMarks(app.deps, services.payloads, facts, 10_000).of(made, 'h', helpdesk, args))
        .note;
    };
    expect(await noted(MAIL, null)).toBe('Who is outside the company could not be told.');
    expect(await noted({ subject: 'hello' }, null)).toBeNull();
    expect(await noted(MAIL, ['corp.example'])).toBeNull();
  });

  it('waits longer for the copies that are sent than for somebody who opens one', async () => {
    await stored({}, MAIL);
    const made = await asked(MAIL);
    const slow = {
      companyDomains: async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return ['corp.example'];
      },
    };
    const marksAfter = (patienceMs?: number) =>
      new CardMarks(app.deps, services.payloads, slow).of(made, 'hash', helpdesk, MAIL, patienceMs);
    expect((await marksAfter()).note).toContain('Who is outside the company could not be told.');
    expect((await marksAfter(10_000)).marks).toEqual([{ value: 'x@evil.example', says: ['outside'] }]);
  });

  it('a card does not wait for marks that take their time', async () => {
    await stored({}, MAIL);
    const made = await asked(MAIL);
    const hasty = new CardMarks(app.deps, services.payloads, services.facts, 0);
    expect((await hasty.of(made, 'hash', helpdesk, MAIL)).note).toMatch(/could not be read in time/);
    // Nothing was kept of it: the next drawing asks again.
    expect((await marksOf(made, MAIL)).note).toBeNull();
  });

  it('the newest two hundred writes are compared, and no more', { timeout: 20_000 }, async () => {
    for (let n = 0; n < 210; n += 1)
      await stored({ createdAt: at(-1_000 - n) }, { to: [`p${n}@corp.example`] });
    const args = { to: ['p5@corp.example', 'p205@corp.example'] };
    const made = await asked(args);
    expect(await marksOf(made, args)).toEqual({
      note: null,
      marks: [{ value: 'p205@corp.example', says: ['new here'] }],
    });
  });
});

describe('on the card', () => {
  const mark = { value: 'x@evil.example', says: ['outside', 'new here'] };

  it('a mark stands under the field that shows the value, as a word of its own', () => {
    const fields = [
      { label: 'To', value: 'sam@corp.example, X@evil.example', kind: 'short' as const },
      { label: 'Cc', value: 'xx@evil.example', kind: 'short' as const },
    ];
    expect(markedFields(fields, [mark]).map(({ marks }) => marks)).toEqual([
      ['x@evil.example (outside) · new here'],
      undefined,
    ]);
    expect(markedFields([], [mark])).toMatchObject(
      [{ label: 'Noticed', marks: [/x@evil/] }].map(() => ({ label: 'Noticed' })),
    );
  });

  it('is inert, and cannot be imitated by a value', () => {
    const hostile = { value: '<!channel>\n↳ fine', says: ['new here'] };
    const [marked] = markedFields([{ label: 'To', value: hostile.value, kind: 'long' }], [hostile]);
    const json = JSON.stringify(cardArguments(marked ? [marked] : []).blocks);
    expect(json).not.toContain('mrkdwn');
    expect(json).toContain('↳ <!channel> ↳ fine: new here');
  });

  it('more marks than a card has room for are in Details, and so is Approve', () => {
    const marks = Array.from({ length: 7 }, (_, n) => `p${n}@evil.example (outside)`);
    const field = { label: 'To', value: 'many', kind: 'short' as const, marks };
    const card = cardArguments([field]);
    expect(card.whole).toBe(false);
    expect(JSON.stringify(card.blocks)).toContain('and 2 more remarks, in Details');
    const details = JSON.stringify(argumentPages([field]));
    for (const each of marks) expect(details).toContain(each);
  });

  it('a time is shown in the reader’s own zone and as it was given', () => {
    const value = '2026-05-04T09:30:00+02:00 (Europe/Berlin)';
    const json = JSON.stringify(cardArguments([{ label: 'Starts', value, kind: 'time' }]).blocks);
    expect(json).toContain(`"timestamp":${Date.parse('2026-05-04T07:30:00Z') / 1_000}`);
    expect(json).toContain(`(${value})`);
    for (const odd of ['tomorrow', '2026-13-40T99:99:00Z', '2026-05-04T09:30:00', '<!date^1^x|y>']) {
      const plain = JSON.stringify(cardArguments([{ label: 'Starts', value: odd, kind: 'time' }]).blocks);
      expect(plain).not.toContain('timestamp');
      expect(plain).toContain(odd);
    }
  });

  it('Slack takes it', () => {
    const message = approvalMessage({
      executionId: 'ex_4kq7w2m9x1c8v3b6n5z0',
      hash: '9f3a1c70',
      functionTitle: 'Create an event',
      connectionName: 'Calendar',
      connectionKey: 'calendar',
      actingAs: 'bot@corp.example · shared',
      callerName: 'Agent',
      callerKind: 'agent',
      callerStage: 'test',
      requesterId: 'U0ADA',
      onBehalfOf: null,
      risk: 'destructive',
      fields: markedFields(
        [
          { label: 'Starts', value: '2026-05-04T09:30:00Z', kind: 'time' },
          { label: 'Guests', value: 'x@evil.example', kind: 'short' },
          { label: 'Text', value: 'for x@evil.example', kind: 'long' },
        ],
        [mark],
      ),
      reason: null,
      deciders: { users: ['U0BEN'], groups: [] },
      quorum: 1,
      decisions: [],
      status: 'pending_approval',
      expiresAt: at(60),
      note: null,
      stepUp: 'totp',
      marksNote: 'Not compared with earlier calls: they could not be read in time.',
    });
    expect(validateMessage(message)).toEqual([]);
    expect(JSON.stringify(message)).toContain('asks for a second proof');
  });
});
