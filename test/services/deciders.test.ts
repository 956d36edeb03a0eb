/** Who decides: owners, managers, second lists and delegates; nobody about her own request, with whatever account. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { shortHash } from '../../src/services/binding.js';
import { DirectoryUnavailable } from '../../src/services/directory.js';
import { ADA } from '../http/pages-app.js';
import { type DecidersApp, MINUTE, startDecidersApp } from './deciders-app.js';

const NOBODY = { users: [], usergroups: [], connectionOwner: false };
const TOMORROW = () => new Date(Date.now() + 24 * 60 * MINUTE);

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  app.directory.managers.clear();
  await app.models.delegations.deleteMany({});
  await app.services.settings.change(ADA, { soleOperator: false });
});

describe('the list', () => {
  it('may name the business owner, and nobody else decides then', async () => {
    const desk = await app.desk({ approvers: { ...NOBODY, businessOwner: true } });
    const execution = await app.ask(desk);
    expect(await app.copies(execution)).toEqual(['U0DANA']);
    expect((await app.decide(execution, 'U0BEN')).kind).toBe('refused');
    expect((await app.decide(execution, 'U0DANA')).kind).toBe('recorded');
  });

  it('may name the manager of whom the call is for, asked again at the claim', async () => {
    const desk = await app.desk({ approvers: { ...NOBODY, requesterManager: true } });
    app.directory.managers.set('U0CLEO', 'U0BEN');
    const execution = await app.ask(desk);
    expect(await app.copies(execution)).toEqual(['U0BEN']);
    expect((await app.decide(execution, 'U0DANA')).kind).toBe('refused');
    expect((await app.decide(execution, 'U0BEN')).kind).toBe('recorded');
    app.directory.managers.set('U0CLEO', 'U0DANA');
    app.services.runner.take(execution._id);
    await expect
      .poll(async () => (await app.services.executions.record(execution._id)).error?.code)
      .toBe('refused_recheck');
  });

  it('decides nothing while Slack does not say who the manager is', async () => {
    const desk = await app.desk({ approvers: { ...NOBODY, requesterManager: true } });
    app.directory.managers.set('U0CLEO', 'U0BEN');
    const execution = await app.ask(desk);
    app.directory.away = true;
    await expect(app.decide(execution, 'U0BEN')).rejects.toThrow(DirectoryUnavailable);
    app.directory.away = false;
    expect((await app.approvalOf(execution)).decisions).toEqual([]);
  });
});

describe('a large group', () => {
  const members = Array.from({ length: 300 }, (_, n) => `U0MEMBER${n}`);
  const route = 'C0APPROVALS';
  const approvers = { ...NOBODY, usergroups: ['S0EVERYBODY'] };

  /** Slack tells about so many people a minute, and then about nobody. */
  function tells(most: number): void {
    for (const id of members) app.directory.change(id, {});
    vi.spyOn(app.directory, 'groupMembers').mockResolvedValue(members);
    const person = app.directory.person.bind(app.directory);
    const asked = new Set<string>();
    vi.spyOn(app.directory, 'person').mockImplementation(async (id) => {
      if (asked.size >= most && !asked.has(id)) throw new DirectoryUnavailable(`the user ${id}`);
      asked.add(id);
      return person(id);
    });
  }
  afterEach(() => vi.restoreAllMocks());

  it('is asked in as many DMs as a card has, and in the channel, however many are in it', async () => {
    tells(50);
    const execution = await app.ask(await app.desk({ approvers, route }));
    const copies = await app.copies(execution);
    expect(copies).toContain(route);
    expect(copies).toHaveLength(31);
    expect((await app.services.executions.record(execution._id)).nextActionAt).toBeNull();
  });

  it('is asked in the channel also while Slack says nothing about anybody, and by DM later', async () => {
    tells(0);
    const desk = await app.desk({ approvers, route });
    await expect(app.ask(desk)).rejects.toThrow(DirectoryUnavailable);
    const [execution] = await app.models.executions.find({ connectionId: desk.connectionId }).lean();
    if (!execution) throw new Error('it was not recorded');
    expect(await app.copies(execution)).toEqual([route]);
    expect(execution.nextActionAt).not.toBeNull();
    vi.restoreAllMocks();
    tells(50);
    await app.services.approvals.announce(execution);
    expect(await app.copies(execution)).toHaveLength(31);
  });

  it('is reminded as far as it was asked, and asked as a second list too', async () => {
    tells(50);
    const escalation = { approvers, afterMinutes: 20 };
    const execution = await app.ask(await app.desk({ escalation }));
    expect(await app.copies(execution)).toEqual(['U0BEN']);
    await app.models.outbox.deleteMany({ view: 'reminder' });
    await app.pass(31, execution);
    await app.services.reminders.escalate();
    expect(await app.copies(execution)).toHaveLength(31);
    await app.services.reminders.remind();
    const reminded = await app.models.outbox.distinct('to', { view: 'reminder' });
    expect(reminded).toHaveLength(30);
    expect(reminded).toContain('U0BEN');
  });
});

describe('one’s own request', () => {
  it('is decided by somebody else, whatever the account', async () => {
    const desk = await app.desk({ approvers: { ...NOBODY, users: ['U0CLEO', 'U0CLEO2', 'U0BEN'] } });
    app.directory.change('U0CLEO2', { name: 'Cleo again', email: 'Cleo+second@Corp.example' });
    const execution = await app.ask(desk);
    expect(await app.copies(execution)).toEqual(['U0BEN']);
    for (const account of ['U0CLEO', 'U0CLEO2']) {
      expect((await app.decide(execution, account)).kind, account).toBe('refused');
    }
    expect((await app.decide(execution, 'U0BEN')).kind).toBe('recorded');
  });

  it('is refused at the claim when the second account is known only by then', async () => {
    const desk = await app.desk({ approvers: { ...NOBODY, users: ['U0CLEO3'] } });
    app.directory.change('U0CLEO3', { name: 'Somebody', email: null });
    const execution = await app.ask(desk);
    expect((await app.decide(execution, 'U0CLEO3')).kind).toBe('recorded');
    app.directory.change('U0CLEO3', { email: 'cleo@corp.example' });
    app.services.runner.take(execution._id);
    await expect
      .poll(async () => (await app.services.executions.record(execution._id)).error?.code)
      .toBe('refused_recheck');
  });

  it('counts once in a quorum, whatever the number of accounts', async () => {
    const desk = await app.desk({
      approvers: { ...NOBODY, users: ['U0BEN', 'U0BEN2', 'U0DANA'] },
      quorum: 2,
    });
    app.directory.change('U0BEN2', { name: 'Ben again', email: 'ben@corp.example' });
    const execution = await app.ask(desk);
    await app.decide(execution, 'U0BEN');
    expect((await app.decide(execution, 'U0BEN2')).kind).toBe('refused');
    expect((await app.approvalOf(execution)).status).toBe('pending');
    await app.decide(execution, 'U0DANA');
    expect((await app.approvalOf(execution)).status).toBe('approved');
  });
});

describe('a sole operator', () => {
  const own = async () => {
    const desk = await app.desk({ approvers: { ...NOBODY, users: ['U0ADA'] } });
    return { ...desk, caller: { ...desk.caller, ownerId: 'U0ADA' } };
  };

  it('decides about her own request while an admin has turned that on, on record', async () => {
    const desk = await own();
    const execution = await app.ask(desk);
    expect((await app.decide(execution, 'U0ADA')).kind).toBe('refused');
    await app.services.settings.change(ADA, { soleOperator: true });
    expect((await app.decide(execution, 'U0ADA')).kind).toBe('recorded');
    expect((await app.approvalOf(execution)).decisions[0]).toMatchObject({
      userId: 'U0ADA',
      soleOperator: true,
    });
    expect(await app.audited('approval.sole_operator', execution._id)).toBe(1);
  });

  it('no longer does at the claim once it is turned off', async () => {
    await app.services.settings.change(ADA, { soleOperator: true });
    const execution = await app.ask(await own());
    await app.decide(execution, 'U0ADA');
    await app.services.settings.change(ADA, { soleOperator: false });
    app.services.runner.take(execution._id);
    await expect
      .poll(async () => (await app.services.executions.record(execution._id)).error?.code)
      .toBe('refused_recheck');
  });

  it('is an admin: for others nothing changes', async () => {
    await app.services.settings.change(ADA, { soleOperator: true });
    const execution = await app.ask(await app.desk({ approvers: { ...NOBODY, users: ['U0CLEO'] } }));
    expect((await app.decide(execution, 'U0CLEO')).kind).toBe('refused');
  });
});

describe('a delegate', () => {
  it('is asked too, decides for the one who is away, and it says so', async () => {
    await app.services.delegations.set('U0BEN', 'U0DANA', TOMORROW());
    const execution = await app.ask(await app.desk());
    expect(await app.copies(execution)).toEqual(['U0BEN', 'U0DANA']);
    expect((await app.decide(execution, 'U0DANA')).kind).toBe('recorded');
    expect((await app.approvalOf(execution)).decisions[0]).toMatchObject({
      userId: 'U0DANA',
      delegateOf: 'U0BEN',
    });
    expect(await app.audited('approval.delegate', execution._id)).toBe(1);
  });

  it('has one vote with the one who is away', async () => {
    await app.services.delegations.set('U0BEN', 'U0DANA', TOMORROW());
    const execution = await app.ask(await app.desk({ quorum: 2 }));
    await app.decide(execution, 'U0DANA');
    expect(await app.decide(execution, 'U0BEN')).toEqual({
      kind: 'refused',
      reason: expect.stringContaining('counted'),
    });
  });

  describe('and a second account of the one who is away', () => {
    const asked = async (email: string | null) => {
      app.directory.change('U0BEN2', { name: 'Ben again', email });
      await app.services.delegations.set('U0BEN', 'U0DANA', TOMORROW());
      const users = ['U0BEN', 'U0BEN2', 'U0ADA'];
      return app.ask(await app.desk({ approvers: { ...NOBODY, users }, quorum: 2 }));
    };

    it.each([
      ['U0DANA', 'U0BEN2'],
      ['U0BEN2', 'U0DANA'],
    ])('have one vote together: %s, then %s', async (first, second) => {
      const execution = await asked('ben+second@corp.example');
      expect((await app.decide(execution, first)).kind).toBe('recorded');
      expect(await app.decide(execution, second)).toEqual({
        kind: 'refused',
        reason: expect.stringContaining('counted'),
      });
      expect((await app.approvalOf(execution)).status).toBe('pending');
      await app.decide(execution, 'U0ADA');
      expect((await app.approvalOf(execution)).status).toBe('approved');
    });

    it('are looked at again at the claim', async () => {
      const execution = await asked(null);
      await app.decide(execution, 'U0DANA');
      expect(await app.decide(execution, 'U0BEN2')).toMatchObject({ approval: { status: 'approved' } });
      app.directory.change('U0BEN2', { email: 'ben@corp.example' });
      app.services.runner.take(execution._id);
      await expect
        .poll(async () => (await app.services.executions.record(execution._id)).error?.message)
        .toContain('two of the approvals are one person’s');
    });

    it('is one vote where the second account is the delegate', async () => {
      app.directory.change('U0BEN2', { name: 'Ben again', email: 'ben@corp.example' });
      await app.services.delegations.set('U0BEN', 'U0BEN2', TOMORROW());
      const execution = await app.ask(
        await app.desk({ approvers: { ...NOBODY, users: ['U0BEN', 'U0ADA'] }, quorum: 2 }),
      );
      expect((await app.decide(execution, 'U0BEN2')).kind).toBe('recorded');
      expect(await app.decide(execution, 'U0ADA')).toMatchObject({ approval: { status: 'approved' } });
    });
  });

  it('decides nothing about her own request, nor for a requester, nor as a guest', async () => {
    await app.services.delegations.set('U0BEN', 'U0CLEO', TOMORROW());
    const execution = await app.ask(await app.desk());
    expect((await app.decide(execution, 'U0CLEO')).kind).toBe('refused');
    await app.services.delegations.set('U0CLEO', 'U0DANA', TOMORROW());
    const hers = await app.ask(await app.desk({ approvers: { ...NOBODY, users: ['U0CLEO'] } }));
    expect((await app.decide(hers, 'U0DANA')).kind).toBe('refused');
    await app.services.delegations.set('U0BEN', 'U0DANA', TOMORROW());
    app.directory.change('U0DANA', { outsider: true });
    expect((await app.decide(execution, 'U0DANA')).kind).toBe('refused');
    app.directory.change('U0DANA', { outsider: false });
  });

  it('decides no longer after the end, and a call that she approved is looked at again', async () => {
    await app.services.delegations.set('U0BEN', 'U0DANA', TOMORROW());
    const execution = await app.ask(await app.desk());
    await app.decide(execution, 'U0DANA');
    await app.services.delegations.end('U0BEN');
    app.services.runner.take(execution._id);
    await expect
      .poll(async () => (await app.services.executions.record(execution._id)).error?.code)
      .toBe('refused_recheck');
    const later = await app.ask(await app.desk());
    expect((await app.decide(later, 'U0DANA')).kind).toBe('refused');
  });

  it('is somebody of the workspace, other than herself, for a time', async () => {
    const { delegations } = app.services;
    await expect(delegations.set('U0BEN', 'U0BEN', TOMORROW())).rejects.toMatchObject({ path: '/delegate' });
    await expect(delegations.set('U0BEN', 'U0NOBODY', TOMORROW())).rejects.toMatchObject({
      path: '/delegate',
    });
    const past = new Date(Date.now() - MINUTE);
    await expect(delegations.set('U0BEN', 'U0DANA', past)).rejects.toMatchObject({ path: '/until' });
    const years = new Date(Date.now() + 1_000 * 24 * 60 * MINUTE);
    await expect(delegations.set('U0BEN', 'U0DANA', years)).rejects.toMatchObject({ path: '/until' });
  });
});

describe('a grant of the second list', () => {
  it('answers the next call, like one of the first', async () => {
    const escalation = { approvers: { ...NOBODY, users: ['U0DANA'] }, afterMinutes: 20 };
    const desk = await app.desk({ escalation });
    const execution = await app.ask(desk);
    await app.pass(21, execution);
    await app.services.reminders.escalate();
    expect((await app.decide(execution, 'U0DANA')).kind).toBe('recorded');
    const { grants } = app.services;
    const card = {
      executionId: execution._id,
      hash: shortHash((await app.approvalOf(execution)).bindingHash),
    };
    const grant = await grants.make('U0DANA', card, { kind: 'hour', chosen: [] });
    expect(await grants.live({ connectionId: desk.connectionId })).toMatchObject([{ _id: grant._id }]);
    expect(await app.ask(desk)).toMatchObject({ requirement: 'granted', grantId: grant._id });
  });

  it('does not once the policy names another', async () => {
    const escalation = { approvers: { ...NOBODY, users: ['U0DANA'] }, afterMinutes: 20 };
    const desk = await app.desk({ escalation });
    const execution = await app.ask(desk);
    await app.pass(21, execution);
    await app.services.reminders.escalate();
    await app.decide(execution, 'U0DANA');
    const hash = shortHash((await app.approvalOf(execution)).bindingHash);
    const { grants, connections } = app.services;
    await grants.make('U0DANA', { executionId: execution._id, hash }, { kind: 'hour', chosen: [] });
    const connection = await connections.find(desk.connectionId);
    if (!connection) throw new Error('the connection is gone');
    const rules = connection.policy.rules.map((each) => ({ ...each, escalation: null }));
    await connections.setPolicy(ADA, connection, rules);
    expect(await grants.live({ connectionId: desk.connectionId })).toEqual([]);
    expect((await app.ask(desk)).requirement).toBe('required');
  });
});

describe('“I have it”', () => {
  it('says who looks at it, takes that back, and decides nothing', async () => {
    const execution = await app.ask(await app.desk({ approvers: { ...NOBODY, users: ['U0BEN', 'U0DANA'] } }));
    const { attention } = app.services;
    expect(await attention.toggle(execution._id, 'U0BEN')).toBeNull();
    expect((await app.approvalOf(execution)).looking).toMatchObject([{ userId: 'U0BEN' }]);
    expect(await attention.toggle(execution._id, 'U0CLEO')).toMatch(/Somebody else/);
    expect((await app.decide(execution, 'U0DANA')).kind).toBe('recorded');
    expect(await attention.toggle(execution._id, 'U0BEN')).toMatch(/decided already/);
    const other = await app.ask(await app.desk());
    await attention.toggle(other._id, 'U0BEN');
    await attention.toggle(other._id, 'U0BEN');
    expect((await app.approvalOf(other)).looking).toEqual([]);
  });
});
