/** Whoever could decide may leave while a request waits: admins hear of it, and the card waits for nobody who is gone. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noticeMessage } from '../../blocks/notices.js';
import type { ExecutionDocument, PolicyRule } from '../../models/types.js';
import { whoDecides } from '../../src/slack/who-decides.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';

const NOBODY = { users: [], usergroups: [], connectionOwner: false };

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
  app.directory.change('U0ADA', { isWorkspaceOwner: true });
});
afterAll(() => app.close());
beforeEach(async () => {
  app.directory.away = false;
  app.directory.change('U0BEN', { active: true });
  await app.models.throttles.deleteMany({});
  await app.models.approvals.deleteMany({});
  await app.models.outbox.deleteMany({});
});

const ask = async (rule: Partial<PolicyRule>) => app.ask(await app.desk(rule));
const reminding = async (execution: ExecutionDocument) => {
  await app.pass(31, execution);
  await app.services.reminders.remind();
};

/** What admins were told of nobody, or too few, being left. */
async function heard(): Promise<string[]> {
  const rows = await app.models.outbox.find({ to: 'U0ADA', view: 'notice' }).lean();
  return rows.flatMap(({ message }) =>
    message?.kind === 'nobody_can_decide' ? [noticeMessage(message).text] : [],
  );
}

async function named(execution: ExecutionDocument) {
  const approval = await app.approvalOf(execution);
  const connection = await app.services.connections.find(execution.connectionId);
  const { deciders } = await whoDecides(execution, approval, connection, null, app.services, app.deps);
  return deciders;
}

describe('while a request waits', () => {
  it('the only one leaves: admins are asked at the next reminder, and the card names nobody', async () => {
    const execution = await ask({});
    expect((await named(execution)).users).toEqual(['U0BEN']);
    app.directory.change('U0BEN', { active: false });
    await app.models.outbox.updateMany({ view: 'approval' }, { $set: { notBefore: null } });
    await reminding(execution);
    expect(await heard()).toEqual([expect.stringContaining('Nobody is left who may decide')]);
    expect(await app.models.outbox.countDocuments({ view: 'approval', notBefore: { $ne: null } })).toBe(1);
    expect((await named(execution)).users).toEqual([]);
  });

  it('one of two leaves whose approvals it takes both: admins are asked, and the other is reminded', async () => {
    const execution = await ask({ approvers: { ...NOBODY, users: ['U0BEN', 'U0DANA'] }, quorum: 2 });
    expect(await heard()).toEqual([]);
    app.directory.change('U0BEN', { active: false });
    await reminding(execution);
    expect(await heard()).toEqual([expect.stringContaining('Only 1 of the 2 people needed may decide')]);
    expect((await named(execution)).users).toEqual(['U0DANA']);
    expect(await app.models.outbox.distinct('to', { view: 'reminder' })).toEqual(['U0DANA']);
  });

  it('nobody leaves: no admin hears anything', async () => {
    await reminding(await ask({}));
    expect(await heard()).toEqual([]);
  });

  it('Slack does not say who has left: the card goes on naming everybody', async () => {
    const execution = await ask({});
    app.directory.away = true;
    expect((await named(execution)).users).toEqual(['U0BEN']);
  });
});

it('a list shorter than the number of approvals it takes is told to admins at once', async () => {
  await ask({ quorum: 2 });
  expect(await heard()).toEqual([expect.stringContaining('Only 1 of the 2 people needed may decide')]);
});

it('a group without members is not waited for', async () => {
  const execution = await ask({ approvers: { ...NOBODY, users: ['U0BEN'], usergroups: ['S0EMPTY'] } });
  expect(await named(execution)).toEqual({ users: ['U0BEN'], groups: [] });
});
