/** "Decide several": an item says of its first request what is true of all, and a list that is cut says so. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { validateView } from '../../blocks/validator/index.js';
import type { ExecutionDocument } from '../../models/types.js';
import { fingerprintOf } from '../../src/services/targets.js';
import { batchPage } from '../../src/slack/features/approvals/batch.js';
import { readTexts } from '../blocks/what-slack-reads.js';
import { type DecidersApp, startDecidersApp } from '../services/deciders-app.js';

const WORKSPACE = 'T0TEST';
const MORE = 'There are more; they move up as these are decided.';

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
afterEach(async () => {
  await app.models.approvals.updateMany(
    { workspaceId: WORKSPACE, status: 'pending' },
    { $set: { status: 'cancelled', settled: true } },
  );
});

async function opened(at = 0) {
  const view = await batchPage(app, 'U0BEN', at);
  expect(validateView(view)).toEqual([]);
  const ticks = view.blocks.flatMap(({ block_id: id }) => (id?.startsWith('tick:') ? [id] : []));
  return { text: readTexts(view).join('\n'), ticks };
}

/** What its card says of the target, and what the run would be held to. */
async function saw(execution: ExecutionDocument, state: string): Promise<void> {
  const kept = await app.services.payloads.keepObservation(execution, {
    fields: [{ label: 'State', value: state, kind: 'short' }],
    version: state,
  });
  await app.models.approvals.updateOne(
    { workspaceId: WORKSPACE, executionId: execution._id },
    {
      $set: { targetCheck: 'required', target: 'bound', targetNote: null, fingerprint: fingerprintOf(kept) },
    },
  );
}

describe('requests for the very same', () => {
  it('have one tick for those that saw the same target, and another one for those that did not', async () => {
    const desk = await app.desk();
    const asked = [await app.ask(desk), await app.ask(desk), await app.ask(desk)] as const;
    const [before, after, alike] = asked;
    await saw(before, 'is open');
    await saw(after, 'is solved');
    await saw(alike, 'is open');
    const { text, ticks } = await opened();
    expect(text).toMatch(/is open[\s\S]*is solved/);
    expect(ticks.map((id) => id.replace(/:[0-9a-f]{8}:/, ':'))).toEqual([
      `tick:${before._id}:2`,
      `tick:${after._id}:1`,
    ]);
  });

  it('have ticks of their own where one asks again, or somebody voted on it', async () => {
    const desk = await app.desk({
      quorum: 2,
      approvers: { users: ['U0BEN', 'U0DANA'], usergroups: [], connectionOwner: false },
    });
    const [plain, voted, again] = [await app.ask(desk), await app.ask(desk), await app.ask(desk)];
    await app.decide(voted, 'U0DANA');
    await app.models.executions.updateOne(
      { workspaceId: WORKSPACE, _id: again._id },
      { $set: { replaces: `ex_${'0'.repeat(20)}` } },
    );
    const { text, ticks } = await opened();
    expect(ticks).toHaveLength(3);
    for (const [at, { _id }] of [plain, voted, again].entries()) expect(ticks[at]).toContain(_id);
    expect(text.match(/\*Approved\* by/g)).toHaveLength(1);
    expect(text.match(/Asked again/g)).toHaveLength(1);
  });
});

describe('more than the list takes', () => {
  it('is said on the last page, and only then', async () => {
    const desk = await app.desk();
    const calls = [];
    for (let at = 0; at < 50; at += 1) calls.push(await app.ask(desk));
    const [first] = calls;
    const all = await opened();
    expect(all.ticks).toEqual([expect.stringMatching(new RegExp(`^tick:${first?._id}:.*:50$`))]);
    expect(all.text).not.toContain(MORE);
    await app.ask(desk);
    const cut = await opened();
    expect(cut.ticks).toEqual(all.ticks);
    expect(cut.text).toContain(MORE);
  });

  it('is said where nothing of it can be decided in a list, too', async () => {
    const desk = await app.desk({ stepUp: 'totp' });
    for (let at = 0; at < 51; at += 1) await app.ask(desk);
    const { text, ticks } = await opened();
    expect(ticks).toEqual([]);
    expect(text).toContain(MORE);
  });
});
