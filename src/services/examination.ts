/** What becomes of a request, before anything is recorded: who asks for what, and what policy and the state of things say. */
import { initialApprovalStatus } from '../../models/state-machines.js';
import type {
  CallerDocument,
  ConnectionDocument,
  CredentialDocument,
  ExecutionDocument,
  Settings,
} from '../../models/types.js';
import type { Arguments, FunctionDefinition, JsonValue } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import type { CallFacts } from './call-facts.js';
import type { CallLimits } from './call-limits.js';
import type { ConnectionService } from './connections.js';
import type { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { type ExecutionStore, untouched } from './execution-store.js';
import { type Examination, PENDING_LIMIT } from './fate.js';
import type { FileService } from './files.js';
import { missingFile } from './files.js';
import { definitionHashOf, enabledFunction, scopeGap } from './functions.js';
import type { MemberService } from './members.js';
import { personOf } from './person-caller-id.js';
import type { CallerIdentity } from './person-callers.js';
import { evaluate, limitOf, overLimit, type Verdict } from './policy.js';
import { hasAccess, stopped } from './recheck.js';
import type { SettingsService } from './settings.js';

export interface CallRequest {
  readonly connection: string;
  readonly function: string;
  readonly arguments: Readonly<Record<string, JsonValue>>;
  readonly onBehalfOf: string | null;
  readonly reason: string | null;
  readonly idempotencyKey: string;
  /** Fires when the caller has been told that the call was not accepted: then it must not be. */
  readonly tooLate?: AbortSignal;
}

export interface Plan {
  readonly connection: ConnectionDocument;
  readonly fn: FunctionDefinition;
  readonly args: Arguments;
  readonly verdict: Verdict;
  readonly execution: ExecutionDocument;
  /** On the monotonic clock: not later than what is paused was read. */
  readonly lookedAt: number;
  readonly tooLate: AbortSignal | undefined;
}

export interface Examined extends Examination {
  readonly plan: Plan;
}

/** What was read for a look. */
interface Read {
  readonly requestHash: string;
  readonly connection: ConnectionDocument | null;
  readonly settings: Settings;
  readonly lookedAt: number;
}

/** A call whose every part is known. */
interface Call {
  readonly connection: ConnectionDocument;
  readonly fn: FunctionDefinition;
  readonly verdict: Verdict;
  readonly onBehalfOf: string | null;
  readonly credential: CredentialDocument | null;
}

export interface ExaminerParts {
  readonly executions: ExecutionStore;
  readonly connections: ConnectionService;
  readonly members: MemberService;
  readonly credentials: CredentialService;
  readonly settings: SettingsService;
  readonly files: FileService;
  readonly facts: CallFacts;
  readonly limits: CallLimits;
}

export class Examiner {
  constructor(
    private readonly deps: Pick<Dependencies, 'clock' | 'workspaceId' | 'connector' | 'directory'>,
    private readonly parts: ExaminerParts,
  ) {}

  /**
   * Everything that decides what becomes of a request, with nothing recorded.
   * @throws AppError `not_found` | `invalid_arguments`
   */
  async examine(caller: CallerIdentity, request: CallRequest): Promise<Examined> {
    const lookedAt = performance.now();
    const [connection, settings] = await Promise.all([
      this.parts.connections.find(request.connection),
      this.parts.settings.get(),
    ]);
    return this.look(caller, request, { requestHash: '', connection, settings, lookedAt });
  }

  /**
   * The same with what was read already.
   * @param isUsedUp somebody else took the last place of the hour
   */
  async look(
    caller: CallerIdentity,
    request: CallRequest,
    { requestHash, connection, settings, lookedAt }: Read,
    isUsedUp?: true,
  ): Promise<Examined> {
    const named = connection?.access.some((each) => each.callerId === caller._id) ?? false;
    if (!connection || !(named || personOf(caller._id) !== null)) {
      throw new AppError(
        'not_found',
        `There is no connection “${request.connection}” that this caller may use.`,
        { path: '/connection' },
      );
    }
    const fn = enabledFunction(await this.deps.connector(connection.connector), connection, request.function);
    if (!fn || !hasAccess(connection, caller._id, fn.name)) {
      throw new AppError(
        'not_found',
        `“${connection.key}” has no function “${request.function}” that this caller may use.`,
        { path: '/function' },
      );
    }
    const args = parseArguments(fn, request.arguments);
    await this.checkFiles(caller, fn, args);
    const verdict = await this.verdict(caller, connection, fn, args, isUsedUp);
    const onBehalfOf = await this.member(request.onBehalfOf, connection);
    const [credential, allowed, pending] = await Promise.all([
      this.credentialOf(connection, onBehalfOf),
      onBehalfOf === null || this.parts.members.allows(onBehalfOf, caller._id, connection),
      onBehalfOf === null && verdict.effect !== 'ask'
        ? 0
        : this.parts.executions.pendingOf(caller._id, PENDING_LIMIT),
    ]);
    const call = { connection, fn, verdict, onBehalfOf, credential };
    const execution = await this.compose(caller, request, requestHash, call);
    return {
      plan: { connection, fn, args, verdict, execution, lookedAt, tooLate: request.tooLate },
      verdict,
      stop: stopped(settings, connection, caller, { risk: verdict.risk, requirement: verdict.requirement }),
      onlyAsking: settings.paused !== null && settings.resuming === 'asks',
      allowed,
      pending,
      gap: scopeGap(fn, credential),
    };
  }

  /** The record of a call as it stands before anything happened to it. */
  async compose(
    caller: Pick<CallerDocument, '_id' | 'name' | 'ownerId'>,
    request: CallRequest,
    requestHash: string,
    { connection, fn, verdict, onBehalfOf, credential }: Call,
  ): Promise<ExecutionDocument> {
    const subject = this.parts.members.subjectFor(connection, onBehalfOf);
    return {
      ...untouched(this.deps.clock.now()),
      _id: newId('ex'),
      workspaceId: this.deps.workspaceId,
      status: 'queued',
      connectionId: connection._id,
      connectionKey: connection.key,
      connectionName: connection.name,
      connectionOwnerId: connection.ownerId,
      connector: connection.connector,
      function: fn.name,
      functionTitle: fn.title,
      risk: verdict.risk,
      callerId: caller._id,
      callerName: caller.name,
      callerOwnerId: caller.ownerId,
      requesterId: onBehalfOf ?? caller.ownerId,
      onBehalfOf,
      subject,
      reason: request.reason,
      requirement: verdict.requirement,
      approvalStatus: initialApprovalStatus(verdict.requirement),
      policyVersion: connection.policy.version,
      definitionHash: definitionHashOf(await this.deps.connector(connection.connector), connection, fn),
      credentialGeneration: credential?.generation ?? 0,
      idempotencyKey: request.idempotencyKey,
      requestHash,
    };
  }

  /** What the call signs in with; null where there is nothing (yet). */
  async credentialOf(
    connection: ConnectionDocument,
    onBehalfOf: string | null,
  ): Promise<CredentialDocument | null> {
    if (connection.auth === 'none') return null;
    return this.parts.credentials.find(connection._id, this.parts.members.subjectFor(connection, onBehalfOf));
  }

  /** What policy says; an allow with a limit becomes a question once the limit is used up. */
  private async verdict(
    caller: CallerIdentity,
    connection: ConnectionDocument,
    fn: FunctionDefinition,
    args: Arguments,
    isUsedUp?: true,
  ): Promise<Verdict> {
    const known = await this.parts.facts.known(connection, connection.policy.rules, caller.name);
    const verdict = evaluate(connection, fn, args, known);
    const limit = limitOf(verdict);
    if (limit === null) return verdict;
    const call = { connectionId: connection._id, function: fn.name, callerId: caller._id };
    return isUsedUp || (await this.parts.limits.isUsedUp(call, limit)) ? overLimit(verdict) : verdict;
  }

  /** @throws AppError `invalid_arguments` for a file that is not there, or not this caller's */
  private async checkFiles(caller: CallerIdentity, fn: FunctionDefinition, args: Arguments): Promise<void> {
    for (const reference of fn.files?.(args) ?? []) {
      if (await this.parts.files.find(caller._id, reference)) continue;
      throw new AppError('invalid_arguments', missingFile(reference), { path: '/arguments' });
    }
  }

  /** `on_behalf_of` is a Slack user id or an email. */
  private async member(named: string | null, connection: ConnectionDocument): Promise<string | null> {
    if (named === null) {
      if (connection.identity === 'shared') return null;
      const message = `“${connection.name}” is private: say in on_behalf_of for which member the call is (a Slack user id or an email).`;
      throw new AppError('invalid_arguments', message, { path: '/on_behalf_of' });
    }
    const { directory } = this.deps;
    const person = named.includes('@') ? await directory.personByEmail(named) : await directory.person(named);
    if (person?.active && !person.isBot && !person.outsider) return person.id;
    const message = 'on_behalf_of names nobody who is an active member of this workspace.';
    throw new AppError('invalid_arguments', message, { path: '/on_behalf_of' });
  }
}

/** @throws AppError `invalid_arguments` with the path of the first problem */
export function parseArguments(
  fn: FunctionDefinition,
  given: Readonly<Record<string, JsonValue>>,
): Arguments {
  const parsed = fn.input.parse(given);
  if (parsed.ok) return parsed.value;
  const issue = parsed.issues[0];
  const path = `/arguments${issue?.path ?? ''}`;
  throw new AppError('invalid_arguments', `${path}: ${issue?.message ?? 'not valid'}`, { path });
}
