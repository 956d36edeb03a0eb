/**
 * Every change of every execution and approval request, as the database tells of it, in order. What the table of states
 * does not allow, or what changes a record after its end, is seen here whoever did it and however short it lasted.
 */
import type { ChangeStream, ChangeStreamDocument, Document } from 'mongodb';
import type { Models } from '../../../models/index.js';
import {
  APPROVAL_TRANSITIONS,
  EXECUTION_STARTS,
  EXECUTION_TRANSITIONS,
  isTerminal,
} from '../../../models/state-machines.js';
import type { ApprovalDocument, ExecutionStatus } from '../../../models/types.js';

/** What may still be written on an execution that has ended: what people make of it, and that it is looked after. */
const AFTER_THE_END = new Set([
  'resolution',
  'replacedBy',
  'nextActionAt',
  'handedOut',
  'told',
  'updatedAt',
  'rev',
]);
/** And on a request: that its execution followed, and that people were told. */
const AFTER_THE_ANSWER = new Set(['settled', 'told']);

type Kind = 'executions' | 'approvals';

export class Journal {
  /** How often each change of state was seen, `(new)` being before the first. */
  readonly seen = new Map<string, number>();
  private readonly status = new Map<string, string>();
  private readonly wrong = new Map<string, string[]>();
  private readonly marks = new Map<string, () => void>();
  private readonly workspaces = new Map<string, string>();
  private readonly stream: ChangeStream;

  /** @param models on a connection that may wait */
  constructor(private readonly models: Models) {
    const { db } = models.executions;
    const names = new Map<string, Kind>([
      [models.executions.collection.name, 'executions'],
      [models.approvals.collection.name, 'approvals'],
    ]);
    const ours = {
      'ns.coll': { $in: [...names.keys()] },
      operationType: { $in: ['insert', 'update', 'replace'] },
    };
    this.stream = db.watch([{ $match: ours }]);
    this.stream.on('change', (change: ChangeStreamDocument) => {
      const kind = 'ns' in change && 'coll' in change.ns ? names.get(change.ns.coll) : undefined;
      if (kind) this.note(kind, change);
    });
  }

  /** Resolves when the stream is open: what happens from then on is seen. */
  async open(): Promise<void> {
    await this.upTo('the beginning');
  }

  /** What was wrong in a workspace up to now, once everything up to now was seen. */
  async upTo(workspaceId: string): Promise<readonly string[]> {
    const marked = new Promise<void>((resolve) => {
      this.marks.set(workspaceId, resolve);
    });
    const _id = `mark ${workspaceId}`;
    const { collection } = this.models.executions;
    let seen = false;
    void marked.then(() => {
      seen = true;
    });
    // The stream may not have begun yet, and a mark from before it is not seen.
    while (!seen) {
      await collection.deleteOne({ _id: _id as never });
      await collection.insertOne({ _id: _id as never, workspaceId });
      await Promise.race([marked, new Promise((resolve) => setTimeout(resolve, 500))]);
    }
    await collection.deleteOne({ _id: _id as never });
    const wrong = this.wrong.get(workspaceId) ?? [];
    this.wrong.delete(workspaceId);
    for (const [id, workspace] of this.workspaces) {
      if (workspace !== workspaceId) continue;
      this.workspaces.delete(id);
      this.status.delete(id);
    }
    return wrong;
  }

  async close(): Promise<void> {
    await this.stream.close();
  }

  private note(kind: Kind, change: ChangeStreamDocument): void {
    if (change.operationType === 'insert') this.begin(kind, change.fullDocument);
    else if (change.operationType === 'update') {
      const { updatedFields = {}, removedFields = [] } = change.updateDescription;
      this.go(kind, String(change.documentKey._id), updatedFields, removedFields);
    } else if (change.operationType === 'replace') {
      this.say(String(change.documentKey._id), 'was replaced as a whole');
    }
  }

  private begin(kind: Kind, { _id, workspaceId, status }: Document): void {
    const mark = this.marks.get(workspaceId);
    if (String(_id).startsWith('mark ')) {
      this.marks.delete(workspaceId);
      mark?.();
      return;
    }
    const id = String(_id);
    this.workspaces.set(id, workspaceId);
    this.status.set(id, status);
    this.count(kind, '(new)', status);
    const starts: readonly string[] = kind === 'executions' ? EXECUTION_STARTS : ['pending'];
    if (!starts.includes(status)) this.say(id, `begins as ${status}`);
  }

  private go(kind: Kind, id: string, changed: Document, removed: readonly string[]): void {
    const before = this.status.get(id);
    if (before === undefined) return;
    const after: string = changed.status ?? before;
    if (hasEnded(kind, before)) {
      const fields = [...Object.keys(changed), ...removed].map((path) => path.split('.')[0] ?? '');
      const allowed = kind === 'executions' ? AFTER_THE_END : AFTER_THE_ANSWER;
      // The world's own time: see `World.pass`.
      const own = Object.keys(changed).filter((path) => path === 'attempt.leaseUntil').length > 0;
      const others = fields.filter((field) => !allowed.has(field) && !(own && field === 'attempt'));
      if (others.length > 0) this.say(id, `${before}, and then ${others.join(', ')} changed`);
    }
    if (after === before) return;
    this.status.set(id, after);
    this.count(kind, before, after);
    if (!nextOf(kind, before).includes(after)) this.say(id, `went from ${before} to ${after}`);
  }

  private count(kind: Kind, before: string, after: string): void {
    const which = `${kind === 'approvals' ? 'request: ' : ''}${before} → ${after}`;
    this.seen.set(which, (this.seen.get(which) ?? 0) + 1);
  }

  private say(id: string, what: string): void {
    const workspace = this.workspaces.get(id) ?? '';
    this.wrong.set(workspace, [...(this.wrong.get(workspace) ?? []), `${id} ${what}`]);
  }
}

function nextOf(kind: Kind, status: string): readonly string[] {
  return kind === 'executions'
    ? EXECUTION_TRANSITIONS[status as ExecutionStatus]
    : APPROVAL_TRANSITIONS[status as ApprovalDocument['status']];
}

function hasEnded(kind: Kind, status: string): boolean {
  return kind === 'executions' ? isTerminal(status as ExecutionStatus) : nextOf(kind, status).length === 0;
}
