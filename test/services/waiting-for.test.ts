/** What waits for me: soonest to expire first, and nobody's flood hides it. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ApprovalDocument } from '../../models/types.js';
import { waitingRows, waitingShown } from '../../src/slack/features/home/waiting.js';
import { type DecidersApp, MINUTE, startDecidersApp } from './deciders-app.js';

const NOBODY = { users: [], usergroups: [], connectionOwner: false };
const BENS = { approvers: { ...NOBODY, users: ['U0BEN'] } };
const WORKSPACE = 'T0TEST';

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
afterEach(async () => {
  vi.restoreAllMocks();
  await app.models.approvals.updateMany(
    { workspaceId: WORKSPACE, status: 'pending' },
    { $set: { status: 'cancelled', settled: true } },
  );
});

const waitingIds = async (userId: string, limit?: number): Promise<string[]> =>
  (await app.services.approvals.waitingFor(userId, limit)).map(({ executionId }) => executionId);

/** So many requests like this one, a millisecond after one another. */
async function flood(
  like: ApprovalDocument,
  count: number,
  change: Partial<ApprovalDocument>,
): Promise<void> {
  const many = Array.from({ length: count }, (_, at) => ({
    ...like,
    ...change,
    _id: `ap_flood_${like._id}_${at}`,
    executionId: `ex_flood_${like._id}_${at}`,
    expiresAt: new Date((change.expiresAt ?? like.expiresAt).getTime() + at),
  }));
  await app.models.approvals.insertMany(many);
}

describe('the order', () => {
  it('is by what expires soonest, whenever it was asked; what stands still comes last', async () => {
    const slow = await app.desk({ ...BENS, expiresInMinutes: 300 });
    const quick = await app.desk({ ...BENS, expiresInMinutes: 10 });
    const [frozen, later, soon, sooner] = [
      await app.ask(quick),
      await app.ask(slow),
      await app.ask(quick),
      await app.ask(quick),
    ];
    await app.pass(2, sooner);
    await app.models.approvals.updateOne(
      { workspaceId: WORKSPACE, executionId: frozen._id },
      { $set: { frozenAt: new Date(), expiresAt: new Date(Date.now() - MINUTE) } },
    );
    const expected = [sooner, soon, later, frozen].map(({ _id }) => _id);
    expect(await waitingIds('U0BEN')).toEqual(expected);
    expect(await waitingIds('U0BEN', 2)).toEqual(expected.slice(0, 2));
    const { rows } = await waitingRows(app, 'U0BEN');
    // The same call three times is one row, where the first of them is.
    expect(rows.map(({ executionId, count }) => [executionId, count])).toEqual([
      [sooner._id, 3],
      [later._id, undefined],
    ]);
  });

  it('leaves out what is over, what she voted on, and what she would vote on twice', async () => {
    const desk = await app.desk({
      approvers: { ...NOBODY, users: ['U0BEN', 'U0DANA'] },
      quorum: 2,
    });
    const [over, voted, open] = [await app.ask(desk), await app.ask(desk), await app.ask(desk)];
    await app.pass(61, over);
    await app.decide(voted, 'U0BEN');
    expect(await waitingIds('U0BEN')).toEqual([open._id]);
    expect(await waitingIds('U0DANA')).toEqual([voted._id, open._id]);
    // Ada decides for Ben: of the two votes of the first, his is given.
    await app.services.delegations.set('U0BEN', 'U0ADA', new Date(Date.now() + 60 * MINUTE));
    expect(await waitingIds('U0ADA')).toEqual([open._id]);
    await app.services.delegations.end('U0BEN');
  });
});

describe('a flood of requests for others', () => {
  it('hides none of hers, and is asked about once for each question', async () => {
    const mine = await app.ask(await app.desk(BENS));
    const theirs = await app.desk({ approvers: { ...NOBODY, users: ['U0DANA'] } });
    const like = await app.approvalOf(await app.ask(theirs));
    const { expiresAt } = await app.approvalOf(mine);
    await flood(like, 700, { expiresAt: new Date(expiresAt.getTime() - 10 * MINUTE) });
    await flood({ ...like, _id: 'late' }, 700, { expiresAt: new Date(expiresAt.getTime() + MINUTE) });
    const asked = vi.spyOn(app.services.eligibility, 'mayDecide');
    const connections = vi.spyOn(app.models.connections, 'find');
    const single = vi.spyOn(app.models.connections, 'findOne');
    expect(await waitingIds('U0BEN')).toEqual([mine._id]);
    expect(asked).toHaveBeenCalledTimes(2);
    expect(connections.mock.calls.length + single.mock.calls.length).toBe(2);
  });

  it('of her own is cut, and said to be', async () => {
    const like = await app.approvalOf(await app.ask(await app.desk(BENS)));
    await flood(like, 60, {});
    const { rows, more } = await waitingRows(app, 'U0BEN');
    expect(more).toBe(true);
    // Only those of the flood have no execution.
    expect(rows.map(({ executionId }) => executionId)).toEqual([like.executionId]);
  });
});

describe('the rows', () => {
  it('say what tells them apart, with one question to the payloads, and that it was seen is on record', async () => {
    const desk = await app.desk(BENS);
    const asked = [await app.ask(desk), await app.ask(desk), await app.ask(desk)];
    const payloads = vi.spyOn(app.models.payloads, 'find');
    const { rows } = await waitingShown(app, 'U0BEN');
    expect(payloads).toHaveBeenCalledTimes(1);
    expect(rows).toMatchObject([
      { count: 3, about: [{ label: 'Method', value: 'POST' }, { label: 'Host' }] },
    ]);
    const seen = await app.models.auditEvents
      .find({ workspaceId: WORKSPACE, action: 'payload.listed' })
      .lean();
    expect(seen).toMatchObject([
      { actor: { kind: 'user', id: 'U0BEN' }, details: { executionIds: [asked[0]?._id] } },
    ]);
    // Nothing is said where nothing of it may be said: it waits for nobody else.
    expect((await waitingShown(app, 'U0DANA')).rows).toEqual([]);
  });
});
