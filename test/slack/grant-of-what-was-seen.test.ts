/** “Don’t ask again” is about the call that its maker had before her, whoever approved it and however it was changed since. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { shortHash } from '../../src/services/binding.js';
import { ACTIONS } from '../../src/slack/ids.js';
import { until } from '../harness/app-process.js';
import { type Asked, type HostileDesk, startHostileDesk, textOf } from './hostile-desk.js';

let desk: HostileDesk;
beforeAll(async () => {
  desk = await startHostileDesk(inject('mongoUri'));
});
afterAll(async () => {
  expect(desk.slack.workspace.violations).toEqual([]);
  await desk.close();
});

/** Somebody else who may decide it, and whom no card holds to reading. */
async function anotherOf(asked: Asked) {
  const userId = desk.lanes.find(({ approver }) => approver.id !== asked.approver.id)?.approver.id ?? '';
  const { models, workspaceId } = desk.looking.deps;
  await models.approvals.updateOne(
    { workspaceId, executionId: asked.id },
    { $push: { 'approvers.users': userId } },
  );
  const approval = await desk.looking.services.approvals.ofExecution(asked.id);
  return { executionId: asked.id, hash: shortHash(approval?.bindingHash ?? ''), userId };
}
const settle = () => desk.looking.services.recovery.settleApprovals();
const grantsFrom = ({ id }: Asked) => desk.looking.deps.models.grants.countDocuments({ executionId: id });

it('is refused to whoever opened the form before somebody changed the arguments', async () => {
  const asked = await desk.ask((t) => ({ text: `to Bob ${t}` }));
  const { approver } = asked;
  await approver.click(await desk.cardOf(asked), ACTIONS.grantOffer);
  await approver.waitForView(/What will no longer be asked/);

  const { services } = desk.looking;
  const another = await anotherOf(asked);
  const edited = await services.edits.submit(another, { body: { text: `to Eve ${asked.token}` } });
  expect(edited).toMatchObject({ kind: 'recorded', approval: { status: 'approved' } });
  await settle();

  const problems = await approver.submit({ 'Only where this stays the same': ['Same body.text'] });
  expect(Object.values(problems ?? {})).toEqual([expect.stringContaining('This card is out of date')]);
  expect(await grantsFrom(asked)).toBe(0);
  expect(await desk.audited(asked, approver.id)).toEqual(['slack.refused']);
  await approver.close(true);

  // The card of what was approved is about that.
  const card = await desk.cardOf(asked, (each) => textOf(each).includes('to Eve'));
  await approver.click(card, ACTIONS.grantOffer);
  expect(textOf(await approver.waitForView(/What will no longer be asked/))).toContain('to Eve');
  expect(await approver.submit({ 'Only where this stays the same': ['Same body.text'] })).toBeNull();
  await approver.waitForMessage(/Remembered/);
  expect(await grantsFrom(asked)).toBe(1);
});

it('is not offered on a card with other arguments, nor before all of them were read', async () => {
  // Two pages of Details.
  const asked = await desk.ask((t) => ({ text: `${t}${'a'.repeat(70_000)}DROP TABLE${t}` }));
  const { approver } = asked;
  await desk.cardOf(asked);
  const { services } = desk.looking;
  const another = await anotherOf(asked);
  const outcome = await services.decisions.decide({ ...another, decision: 'approved', reason: null });
  expect(outcome).toMatchObject({ kind: 'recorded' });
  await settle();
  expect(await desk.statusOf(asked, 10)).toMatchObject({ status: 'succeeded' });

  const card = await desk.cardOf(asked, (each) => JSON.stringify(each.blocks).includes(ACTIONS.grantOffer));
  const refused = async (times: number) => {
    const told = () => approver.dm().filter((each) => /Read every page of Details first/.test(textOf(each)));
    await approver.click(card, ACTIONS.grantOffer);
    await until(() => told().length === times, 10_000);
  };
  await refused(1);
  const page = (at: number) =>
    approver.waitForView(
      (view) => view.private_metadata === JSON.stringify({ execution: asked.id, page: String(at) }),
    );
  await approver.click(card, ACTIONS.details);
  await page(0);
  await approver.close(true);
  await refused(2);
  await approver.click(card, ACTIONS.details);
  await page(0);
  await approver.click('modal', ACTIONS.pageOn);
  await page(1);
  await approver.close(true);
  await approver.click(card, ACTIONS.grantOffer);
  await approver.waitForView(/What will no longer be asked/);
  await approver.close(true);

  const other = { executionId: asked.id, hash: '00000000' };
  await expect(services.grants.offer(approver.id, other)).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('This card is out of date'),
  });
});
