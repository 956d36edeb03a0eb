/** What has to hold of one interleaving: while it goes on, and once everything is let go. */
import { isTerminal } from '../../../models/state-machines.js';
import type {
  ApprovalDocument,
  AuditEventDocument,
  ConnectionDocument,
  ExecutionDocument,
  GrantDocument,
} from '../../../models/types.js';
import { bindingHash } from '../../../src/services/binding.js';
import type { PauseTarget } from '../../../src/services/pauses.js';
import { fingerprintOf } from '../../../src/services/targets.js';
import type { Told } from './actions.js';
import { mailboxOf, type Write } from './outside.js';
import { secretOf, type World } from './world.js';

/** A pause that is in force. From when every process has confirmed it, no attempt may come to be that was not there then. */
interface Hold {
  readonly kind: PauseTarget['kind'];
  readonly reason: string;
  attempts: ReadonlySet<string> | null;
}

/** Pauses: looked at after each group of steps, and at every write that arrives. */
export class Holds {
  confirmed = 0;
  private holds: Hold[] = [];

  constructor(private readonly world: World) {
    world.onResume = (target) => this.lift(target);
    world.onWrite = (record) => {
      const { _id, attempt, status } = record ?? {};
      if (status !== 'executing' || !attempt) {
        world.violations.push(`${_id} was sent while its record said ${status}`);
      } else this.check(_id ?? '', attempt.id, 'sent');
    };
  }

  /** Which pauses are in force now; processes that run say that they have seen them, as they do twice a second. */
  async look(): Promise<void> {
    const found = await this.inForce();
    this.holds = found.map(
      (hold) => this.holds.find(({ reason }) => reason === hold.reason) ?? { ...hold, attempts: null },
    );
    if (this.holds.length === 0) return;
    await this.confirm();
    await this.claimed();
  }

  /** Somebody begins to lift one: it was in force up to now, and what is claimed from now on may be right. */
  private async lift({ kind }: PauseTarget): Promise<void> {
    await this.claimed();
    this.holds = this.holds.filter((hold) => hold.kind !== kind);
  }

  /** Everything is let go: nothing is held back any more. */
  end(): void {
    this.holds = [];
  }

  private async claimed(): Promise<void> {
    if (this.holds.length === 0) return;
    const now = await this.world.executions();
    for (const { _id, attempt } of now) if (attempt) this.check(_id, attempt.id, 'claimed');
  }

  private check(id: string, attempt: string, what: string): void {
    for (const { reason, attempts } of this.holds) {
      if (attempts && !attempts.has(attempt)) {
        this.world.violations.push(`${id} was ${what} after “${reason}” was confirmed`);
      }
    }
  }

  private async confirm(): Promise<void> {
    const { world } = this;
    const open = this.holds.filter(({ attempts }) => attempts === null);
    const [process] = world.running();
    if (open.length === 0 || !process) return;
    const beats = world.running().map(({ services }) => services.processes.beat());
    let all: boolean | undefined;
    const said = Promise.all(beats).then(async () => {
      const { settings, processes } = process.services;
      const { pauseVersion = 0 } = await settings.get();
      all = (await processes.confirmation(pauseVersion)).all;
    });
    said.catch(() => undefined);
    await world.stage.play(() => all !== undefined);
    if (!all) return;
    this.confirmed += open.length;
    const attempts = new Set(
      (await world.executions()).flatMap(({ attempt }) => (attempt ? [attempt.id] : [])),
    );
    for (const hold of open) hold.attempts = attempts;
  }

  private async inForce(): Promise<readonly Pick<Hold, 'kind' | 'reason'>[]> {
    const { models } = this.world.ground;
    const { workspaceId } = this.world;
    const paused = { workspaceId, paused: { $ne: null } };
    const [settings, connections, callers] = await Promise.all([
      models.settings.findOne({ ...paused, resuming: { $ne: 'asks' } }).lean(),
      models.connections.findOne(paused).lean(),
      models.callers.findOne(paused).lean(),
    ]);
    const found = { all: settings, connection: connections, caller: callers };
    return (['all', 'connection', 'caller'] as const).flatMap((kind) => {
      const paused = found[kind]?.paused;
      return paused ? [{ kind, reason: paused.reason }] : [];
    });
  }
}

/** Everything that the workspace has on record. */
export interface Records {
  readonly executions: readonly ExecutionDocument[];
  readonly approvals: readonly ApprovalDocument[];
  readonly grants: readonly GrantDocument[];
  readonly events: readonly AuditEventDocument[];
  readonly connection: ConnectionDocument | null;
}

export async function recordsOf({ ground, workspaceId }: World): Promise<Records> {
  const { models } = ground;
  const [executions, approvals, grants, events, connection] = await Promise.all([
    models.executions.find({ workspaceId }).lean(),
    models.approvals.find({ workspaceId }).lean(),
    models.grants.find({ workspaceId }).lean(),
    models.auditEvents.find({ workspaceId }).lean(),
    models.connections.findOne({ workspaceId }).lean(),
  ]);
  return { executions, approvals, grants, events, connection };
}

/** What is wrong with it, in words; empty when everything that we promise has held. */
export function faultsOf(records: Records, writes: readonly Write[], told: Told): string[] {
  return [
    ...records.executions.flatMap((execution) => faultsOfExecution(execution, records, writes)),
    ...records.approvals.flatMap((approval) => faultsOfApproval(approval)),
    ...faultsOfGrants(records),
    ...faultsOfAnswers(records, told),
    ...faultsOfPolicy(records),
  ];
}

function faultsOfExecution(execution: ExecutionDocument, records: Records, all: readonly Write[]): string[] {
  const { _id: id, status, requirement } = execution;
  const writes = all.filter(({ executionId }) => executionId === id);
  const approval = records.approvals.find(({ executionId }) => executionId === id) ?? null;
  const faults: string[] = [];
  const wrong = (is: boolean, what: string): void => {
    if (is) faults.push(`${id} (${status}, ${requirement}): ${what}`);
  };
  wrong(!isTerminal(status), 'never ended');
  wrong(writes.length > 1, `sent ${writes.length} times`);
  wrong(
    status === 'succeeded' && !writes.some(({ applied }) => applied),
    'says that it happened, and it did not',
  );
  wrong(
    status === 'failed' && writes.some(({ applied }) => applied),
    'says that it did not happen, and it did',
  );
  wrong(['denied', 'expired', 'cancelled'].includes(status) && writes.length > 0, 'was sent all the same');
  wrong(writes.length > 0 && execution.attempt === null, 'was sent without an attempt on record');
  for (const write of writes) {
    const { record, args, secret } = write;
    if (!record) return [...faults, `${id}: sent with no record of it`];
    wrong(bindingHash(record, args) !== record.bindingHash, 'what was sent is not what its digest says');
    wrong(record.bindingHash !== execution.bindingHash, 'its digest changed after it was sent');
    wrong(record.attempt?.id !== execution.attempt?.id, 'another attempt sent it than is on record');
    wrong(secret !== secretOf(record.credentialGeneration), 'sent with another credential than is bound');
    faults.push(...faultsOfPermission(record, write, approval, records));
  }
  return faults;
}

/** Was it allowed to be sent, by people, by a grant or by the policy itself? */
function faultsOfPermission(
  record: ExecutionDocument,
  write: Write,
  approval: ApprovalDocument | null,
  records: Records,
): string[] {
  const faults: string[] = [];
  const wrong = (is: boolean, what: string): void => {
    if (is) faults.push(`${record._id} was sent, and ${what}`);
  };
  const rule = policyAt(records, record.policyVersion);
  if (record.requirement === 'none') {
    wrong(rule?.effect !== 'allow', `no policy of version ${record.policyVersion} let it run`);
    return faults;
  }
  if (record.requirement === 'granted') {
    const grant = records.grants.find(({ _id }) => _id === record.grantId);
    wrong(!grant, 'its grant is not there');
    wrong(grant?.policyVersion !== record.policyVersion, 'its grant is of another policy');
    wrong(grant?.credentialGeneration !== record.credentialGeneration, 'its grant is for another credential');
    return faults;
  }
  if (!approval || record.requirement !== 'required') return [`${record._id} was sent, and nobody was asked`];
  const { decisions, quorum, edited } = approval;
  const voters = decisions.map(({ userId }) => mailboxOf(userId));
  const voices = decisions.map(({ userId, delegateOf }) => delegateOf ?? userId);
  wrong(approval.status !== 'approved', `its request is ${approval.status}`);
  wrong(approval.bindingHash !== record.bindingHash, 'the approval is of another digest');
  wrong(
    decisions.some(({ decision }) => decision !== 'approved'),
    'somebody denied it',
  );
  wrong(decisions.length < quorum, `${decisions.length} of ${quorum} approved it`);
  wrong(!rule || quorum < rule.quorum, 'fewer had to approve it than the policy says');
  wrong(new Set(voters).size < voters.length, 'one person counted twice');
  wrong(new Set(voices).size < voices.length, 'an approver and her delegate counted twice');
  wrong(voters.includes(mailboxOf('U0ADA')), 'it was her own request');
  wrong(edited ? record.editedBy !== edited.by : Boolean(record.editedBy), 'who edited it is not on record');
  // What the approver saw is still so: the condition says it, or the last look, which was after the claim.
  if (approval.target === 'bound' || approval.target === 'best_effort') {
    const { ifMatch, lastRead } = write;
    const isRead = lastRead !== undefined && lastRead.at >= (record.attempt?.claimedAt ?? lastRead.at);
    const version = ifMatch ?? (isRead ? lastRead.version : undefined);
    wrong(version === undefined, 'its target was not looked at again');
    const fingerprint = fingerprintOf({ fields: [], version: version ?? '' });
    wrong(fingerprint !== approval.fingerprint, 'its target was another than the approver saw');
  }
  wrong(approval.targetCheck === 'required' && approval.target !== 'bound', 'nobody had seen its target');
  return faults;
}

function faultsOfApproval(approval: ApprovalDocument): string[] {
  const { _id, status, settled, frozenAt } = approval;
  const faults: string[] = [];
  if (status === 'pending') faults.push(`${_id} never ended`);
  if (!settled) faults.push(`${_id} (${status}): its execution never followed`);
  if (status === 'expired' && frozenAt) faults.push(`${_id} expired while its time stood still`);
  return faults;
}

function faultsOfGrants({ grants, executions, events }: Records): string[] {
  return grants.flatMap(({ _id, usesLeft }) => {
    const made = events.find(({ action, subject }) => action === 'grant.made' && subject.id === _id);
    if (!made) return [`${_id} was made without an event`];
    const used = executions.filter(({ grantId }) => grantId === _id).length;
    const uses = typeof made.details.usesLeft === 'number' ? made.details.usesLeft : null;
    if (uses === null) return [];
    const left = usesLeft ?? 0;
    return used <= uses - left && left >= 0
      ? []
      : [`${_id} for ${uses} was used ${used} times, ${left} left`];
  });
}

/** What callers and people were told is so. */
function faultsOfAnswers({ executions, approvals, events }: Records, told: Told): string[] {
  const ids = new Set(executions.map(({ _id }) => _id));
  const accepted = [...told.accepted].flatMap(([key, given]) => [
    ...(given.size > 1 ? [`one key (${key}) was given ${given.size} executions`] : []),
    ...[...given].filter((id) => !ids.has(id)).map((id) => `${id} was accepted and is not there`),
  ]);
  // What was decided before an approver edited the arguments is void, also if another edit made them the same again.
  const isVoid = (decision: Told['decisions'][number]): boolean =>
    told.decisions.some(
      ({ executionId, isEdit, rev }) => isEdit && executionId === decision.executionId && rev > decision.rev,
    );
  const lost = told.decisions
    .filter((decision) => {
      const approval = approvals.find(({ executionId }) => executionId === decision.executionId);
      if (isVoid(decision)) return false;
      // The edit may be one whose process died before it could say so.
      if (approval && approval.bindingHash !== decision.digest) return approval.edited === null;
      return !approval?.decisions.some(({ userId }) => userId === decision.userId);
    })
    .map(({ executionId, userId }) => `a decision of ${userId} on ${executionId} was lost`);
  const late = [...new Set(told.late)].flatMap((id) => {
    const clicks = told.late.filter((each) => each === id).length;
    const audited = events.filter(
      ({ action, subject }) => action === 'approval.late_click' && subject.id === id,
    );
    return audited.length >= clicks
      ? []
      : [`${clicks} clicks on ${id} were late, ${audited.length} on record`];
  });
  return [...accepted, ...lost, ...late];
}

/** Each version of the policy has its event. */
function faultsOfPolicy({ events, connection }: Records): string[] {
  const changes = events.filter(({ action }) => action === 'policy.changed').length;
  return connection && connection.policy.version !== changes + 1
    ? [`the policy has version ${connection.policy.version} after ${changes} events`]
    : [];
}

interface Policy {
  readonly version: number;
  readonly rules: ConnectionDocument['policy']['rules'];
}

/** The one rule of that version, as the audit has it. */
function policyAt({ events, connection }: Records, version: number) {
  const changes = events.filter(({ action }) => action === 'policy.changed').map(({ details }) => details);
  const all = [
    ...changes.flatMap(({ before, after }) => [before as Policy, after as Policy]),
    ...(connection ? [connection.policy] : []),
  ];
  return all.find((policy) => policy.version === version)?.rules[0];
}
