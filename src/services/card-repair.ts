/**
 * Cards whose last drawing is older than what happened since. Whatever changes a request or its call asks for a new
 * drawing afterwards; where the process died in between, this does.
 */
import type { ApprovalDocument, ExecutionDocument } from '../../models/types.js';
import type { Dependencies } from './dependencies.js';
import type { OutboxService } from './outbox.js';

/** Ended calls that changed this recently are compared with their cards; those that wait are, however old. */
const WINDOW_MS = 3_600_000;
/** Whoever made a change asks for the drawing itself first. */
const SETTLED_MS = 3_000;
/** The newest: what is older was among them at an earlier sweep, or nothing has changed since. */
const MOST_CHANGED = 1_000;
const AT_ONCE = 500;

interface Shown {
  readonly execution: Pick<ExecutionDocument, 'rev'>;
  readonly approval: Pick<ApprovalDocument, 'rev'>;
}

/** What an approval card shows rises with every change of the call or of the request; neither ever falls. */
export function cardVersion({ execution, approval }: Shown): number {
  return execution.rev + approval.rev;
}

export class CardRepair {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>,
    private readonly outbox: Pick<OutboxService, 'refresh'>,
  ) {}

  /** Has every copy drawn again that is behind. For the sweeper; one drawing too many changes nothing. */
  async sweep(): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const now = clock.now().getTime();
    const recently = { $gte: new Date(now - WINDOW_MS), $lte: new Date(now - SETTLED_MS) };
    const [waiting, changed] = await Promise.all([
      models.approvals.find({ workspaceId, status: 'pending' }, { executionId: 1 }).lean(),
      models.executions
        .find({ workspaceId, approvalId: { $type: 'string' }, updatedAt: recently }, { _id: 1 })
        .sort({ updatedAt: -1 })
        .limit(MOST_CHANGED)
        .lean(),
    ]);
    const subjects = [
      ...new Set([...waiting.map(({ executionId }) => executionId), ...changed.map(({ _id }) => _id)]),
    ];
    for (let at = 0; at < subjects.length; at += AT_ONCE) {
      const behind = await this.behind(subjects.slice(at, at + AT_ONCE));
      if (behind.length > 0) await this.outbox.refresh('approval', behind);
    }
  }

  /** Copies that are due anyway are drawn as things stand then. */
  private async behind(subjects: readonly string[]): Promise<readonly string[]> {
    const { models, workspaceId } = this.deps;
    const ids = { $in: [...subjects] };
    const idle = { view: 'approval' as const, notBefore: null, failed: null };
    const [executions, approvals, copies] = await Promise.all([
      models.executions.find({ workspaceId, _id: ids }, { rev: 1 }).lean(),
      models.approvals.find({ workspaceId, executionId: ids }, { executionId: 1, rev: 1 }).lean(),
      models.outbox.find({ workspaceId, subjectId: ids, ...idle }, { subjectId: 1, drawn: 1 }).lean(),
    ]);
    const executionOf = new Map(executions.map((execution) => [execution._id, execution]));
    const versionOf = new Map(
      approvals.flatMap((approval): [string, number][] => {
        const execution = executionOf.get(approval.executionId);
        return execution ? [[execution._id, cardVersion({ execution, approval })]] : [];
      }),
    );
    const stale = copies.filter(({ subjectId, drawn }) => drawn < (versionOf.get(subjectId) ?? 0));
    return [...new Set(stale.map(({ subjectId }) => subjectId))];
  }
}
