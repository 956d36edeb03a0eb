/**
 * What waits for one person. Every pending request is looked at, however many wait for others: nobody's flood hides an
 * old one. Whether she may decide is asked once for all requests that put the same question.
 */
import type { ApprovalDocument, ConnectionDocument } from '../../models/types.js';
import type { Dependencies } from './dependencies.js';
import { type Eligibility, type EligibilityService, isSameVote } from './eligibility.js';
import { isSideApproved } from './further-approvers.js';

const BATCH = 200;

type Asked = Pick<ConnectionDocument, '_id' | 'ownerId' | 'businessOwnerId' | 'identity'>;

/**
 * Soonest to expire first; those whose time stands still come last, for they run out for nobody. What she has voted on
 * already, herself or with somebody she decides for, does not wait for her.
 * @throws DirectoryUnavailable
 */
export async function requestsFor(
  userId: string,
  limit: number,
  deps: Pick<Dependencies, 'models' | 'workspaceId' | 'clock'>,
  eligibility: EligibilityService,
): Promise<ApprovalDocument[]> {
  const connections = new Map<string, Asked>();
  const answers = new Map<string, Promise<Eligibility>>();
  const mayDecide = (approval: ApprovalDocument, connection: Asked): Promise<Eligibility> => {
    const key = questionOf(approval);
    const known = answers.get(key) ?? eligibility.mayDecide(approval, connection, userId, 'display');
    answers.set(key, known);
    return known;
  };
  // One that is frozen or thawed meanwhile may come twice.
  const mine = new Map<string, ApprovalDocument>();
  for await (const batch of pending(deps)) {
    await learn(batch, connections, deps);
    const asked = await Promise.all(
      batch.map(async (approval) => {
        const connection = connections.get(approval.connectionId);
        return { approval, answer: connection ? await mayDecide(approval, connection) : null };
      }),
    );
    for (const { approval, answer } of asked) {
      if (!answer?.ok || approval.decisions.some((each) => isSameVote(each, userId, answer))) continue;
      if (isSideApproved(approval, userId)) continue;
      mine.set(approval._id, approval);
      if (mine.size === limit) return [...mine.values()];
    }
  }
  return [...mine.values()];
}

/** All that `EligibilityService.mayDecide` reads of a request. */
function questionOf(approval: ApprovalDocument): string {
  const { connectionId, approvers, excluded, requesterId, escalatedAt, escalateTo, further } = approval;
  const second = escalatedAt ? escalateTo : null;
  return JSON.stringify([connectionId, approvers, excluded, requesterId, second, further]);
}

async function* pending({
  models,
  workspaceId,
  clock,
}: Pick<Dependencies, 'models' | 'workspaceId' | 'clock'>): AsyncGenerator<ApprovalDocument[]> {
  for (const time of [{ frozenAt: null, expiresAt: { $gt: clock.now() } }, { frozenAt: { $ne: null } }]) {
    const cursor = models.approvals
      .find({ workspaceId, status: 'pending', ...time })
      .sort({ expiresAt: 1, _id: 1 })
      .lean()
      .cursor({ batchSize: BATCH });
    let batch: ApprovalDocument[] = [];
    for await (const approval of cursor) {
      batch.push(approval);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }
}

/** The connections of a batch that are not known yet, with one question and without their functions. */
async function learn(
  batch: readonly ApprovalDocument[],
  known: Map<string, Asked>,
  { models, workspaceId }: Pick<Dependencies, 'models' | 'workspaceId'>,
): Promise<void> {
  const ids = new Set(batch.map(({ connectionId }) => connectionId).filter((id) => !known.has(id)));
  if (ids.size === 0) return;
  const found = await models.connections
    .find({ workspaceId, _id: { $in: [...ids] } }, { ownerId: 1, businessOwnerId: 1, identity: 1 })
    .lean();
  for (const connection of found) known.set(connection._id, connection);
}
