/**
 * Grants: "Don't ask for this again", made by a person from a card, bounded and revocable. A grant answers the question
 * of one rule for one caller, function, connection and identity; it ends with its time or its uses, and as soon as the
 * policy, the credential or the function's definition is another.
 */
import type {
  ApprovalDocument,
  ConnectionDocument,
  ExecutionDocument,
  GrantDocument,
} from '../../models/types.js';
import type { Arguments, FunctionDefinition } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import type { ApprovalService } from './approvals.js';
import type { AuditService } from './audit.js';
import { shortHash } from './binding.js';
import type { CallFacts } from './call-facts.js';
import { type HasToRead, OUT_OF_DATE } from './decisions.js';
import type { Dependencies } from './dependencies.js';
import { DirectoryUnavailable } from './directory.js';
import type { EligibilityService } from './eligibility.js';
import type { ExecutionStore } from './execution-store.js';
import { definitionHashOf, enabledFunction } from './functions.js';
import { liveGrants, MOST_LISTED, usableAt } from './grant-currency.js';
import { canBeLimited, type ScopeChoice, scopeChoices, scopeFits, scopeOf } from './grant-scope.js';
import { suggestsGrant } from './grant-suggestion.js';
import { checkTerms, type GrantTerms } from './grant-terms.js';
import type { PayloadService } from './payloads.js';
import { asksEveryTime, evaluate, higherRisk, type Verdict } from './policy.js';
import type { RoleService } from './roles.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A grant by count ends with its uses, or with this. */
export const USES_WINDOW_MS = 7 * DAY_MS;

/** A call that policy asks about. */
export interface Question {
  readonly execution: ExecutionDocument;
  readonly connection: ConnectionDocument;
  readonly fn: FunctionDefinition;
  readonly args: Arguments;
  readonly verdict: Verdict;
}

/** The card that she has before her; the digest's first digits are those of what it shows. */
export interface GrantTarget {
  readonly executionId: string;
  readonly hash: string;
}

/** What the form is made of. */
export interface GrantOffer {
  readonly execution: ExecutionDocument;
  readonly approval: ApprovalDocument;
  readonly choices: readonly ScopeChoice[];
  /** At least one limit has to be chosen: the call changes something, and there are limits to choose. */
  readonly needsLimit: boolean;
}

export interface GrantParts {
  readonly approvals: ApprovalService;
  readonly eligibility: EligibilityService;
  readonly executions: ExecutionStore;
  readonly payloads: PayloadService;
  readonly roles: RoleService;
  readonly audit: AuditService;
  readonly facts: CallFacts;
}

const UNREAD = 'The card does not show all of it. Read every page of Details first.';
const forbidden = (message: string): AppError => new AppError('forbidden', message);

/** The pure part: whether this grant answers this question, use and people aside. */
export function answers(grant: GrantDocument, { execution, args, verdict }: Question, at: Date): boolean {
  return (
    verdict.rememberable &&
    verdict.effect !== 'deny' &&
    grant.revokedAt === null &&
    grant.expiresAt > at &&
    grant.workspaceId === execution.workspaceId &&
    grant.connectionId === execution.connectionId &&
    grant.callerId === execution.callerId &&
    grant.function === execution.function &&
    grant.subject === execution.subject &&
    grant.ruleId === verdict.rule.id &&
    grant.policyVersion === execution.policyVersion &&
    grant.credentialGeneration === execution.credentialGeneration &&
    grant.definitionHash === execution.definitionHash &&
    higherRisk(grant.risk ?? 'read', verdict.risk) === grant.risk &&
    scopeFits(grant._id, grant.scope ?? [], args)
  );
}

export class GrantService {
  private hasToRead: HasToRead = async () => false;

  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'connector' | 'log'>,
    private readonly parts: GrantParts,
  ) {}

  /** As of decisions: a grant answers for what its maker had before her, also where another approved it. */
  holdToReading(hasToRead: HasToRead): void {
    this.hasToRead = hasToRead;
  }

  /** A live grant that would answer, unused by this look. Null also when Slack cannot say who its maker is now. */
  async find(question: Question): Promise<GrantDocument | null> {
    for (const grant of await this.fitting(question)) if (await this.stands(grant, question)) return grant;
    return null;
  }

  /** As `find`, and takes one of its uses. The call that has it is recorded next, or gives it back. */
  async take(question: Question): Promise<GrantDocument | null> {
    const { models, workspaceId } = this.deps;
    for (const grant of await this.fitting(question)) {
      if (!(await this.stands(grant, question))) continue;
      if (grant.usesLeft === null) return grant;
      const used = await models.grants
        .findOneAndUpdate(
          {
            _id: grant._id,
            workspaceId,
            revokedAt: null,
            usesLeft: { $gt: 0 },
            $expr: { $gt: ['$expiresAt', '$$NOW'] },
          },
          { $inc: { usesLeft: -1 } },
          { returnDocument: 'after' },
        )
        .lean();
      if (used) return used;
    }
    return null;
  }

  /** The call was not recorded after all. */
  async giveBack(grant: GrantDocument): Promise<void> {
    if (grant.usesLeft === null) return;
    const { models, workspaceId } = this.deps;
    await models.grants.updateOne({ _id: grant._id, workspaceId }, { $inc: { usesLeft: 1 } });
  }

  /**
   * Asked again at the claim: a reason to refuse, or null.
   * @throws DirectoryUnavailable: then nothing runs yet (G7)
   */
  async reasonToRefuse(
    execution: ExecutionDocument,
    connection: ConnectionDocument,
    fn: FunctionDefinition,
    args: Arguments,
  ): Promise<string | null> {
    if (execution.requirement !== 'granted') return null;
    const { models, workspaceId } = this.deps;
    const grant = await models.grants.findOne({ _id: execution.grantId ?? '', workspaceId }).lean();
    if (!grant) return 'there is no grant';
    if (grant.revokedAt) return 'the grant was revoked';
    const { rules } = connection.policy;
    const known = await this.parts.facts.known(connection, rules, execution.callerName);
    const question = { execution, connection, fn, args, verdict: evaluate(connection, fn, args, known) };
    if (!answers(grant, question, execution.createdAt)) return 'the grant does not cover this call';
    return (await this.makerMayDecide(grant, question)) ? null : 'who made the grant may no longer decide';
  }

  /**
   * What a grant made from this request could be limited to: from the call that her card shows, and no other.
   * @throws AppError `not_found` | `forbidden` with the reason in words; DirectoryUnavailable
   */
  async offer(userId: string, { executionId, hash }: GrantTarget): Promise<GrantOffer> {
    const { approval, execution, connection, fn, args } = await this.request(executionId);
    const { ok } = await this.parts.eligibility.mayDecide(approval, connection, userId);
    if (!ok) throw forbidden('Only people who may decide this request can answer for the next ones.');
    if (shortHash(approval.bindingHash) !== hash) throw forbidden(OUT_OF_DATE);
    if (!approval.rememberable || asksEveryTime(connection, fn)) throw forbidden('This is asked every time.');
    if (approval.quorum > 1)
      throw forbidden('This needs several approvals: nobody alone can answer for the next ones.');
    if (approval.status !== 'pending' && approval.status !== 'approved')
      throw forbidden('This request was not approved, so there is nothing to remember.');
    if (!canBeLimited(execution.risk, args))
      throw forbidden('Nothing in the arguments of this call could be held to, so it is asked every time.');
    if (await this.hasToRead(approval, execution, userId)) throw forbidden(UNREAD);
    const choices = scopeChoices(args);
    return { execution, approval, choices, needsLimit: execution.risk !== 'read' && choices.length > 0 };
  }

  /** As `offer`, and whether these terms can be had. @throws AppError besides with the path of the input */
  async check(userId: string, target: GrantTarget, terms: GrantTerms): Promise<GrantOffer> {
    const offer = await this.offer(userId, target);
    checkTerms(terms, offer.choices, offer.needsLimit);
    return offer;
  }

  /**
   * Makes a grant from an approved request.
   * @throws AppError `not_found` | `forbidden` | `invalid_arguments` with the path of the input; DirectoryUnavailable
   */
  async make(userId: string, target: GrantTarget, terms: GrantTerms): Promise<GrantDocument> {
    const { executionId } = target;
    const { execution, approval, choices } = await this.check(userId, target, terms);
    if (approval.status !== 'approved') throw forbidden('The request has to be approved first.');
    const { args, connection, fn, definitionHash } = await this.request(executionId);
    if (connection.policy.version !== execution.policyVersion || definitionHash !== execution.definitionHash)
      throw forbidden('The policy or the function changed after this was asked; nothing is remembered.');
    const { rules } = connection.policy;
    const known = await this.parts.facts.known(connection, rules, execution.callerName, execution.createdAt);
    const verdict = evaluate(connection, fn, args, known);
    if (!verdict.rememberable || verdict.effect === 'deny') throw forbidden('This is asked every time.');
    const now = this.deps.clock.now();
    const id = newId('gr');
    const lasts = { hour: HOUR_MS, day: DAY_MS, uses: USES_WINDOW_MS }[terms.kind];
    const grant: GrantDocument = {
      _id: id,
      workspaceId: this.deps.workspaceId,
      connectionId: execution.connectionId,
      callerId: execution.callerId,
      function: execution.function,
      scope: scopeOf(
        id,
        args,
        terms.chosen.flatMap((index) => choices[index] ?? []),
      ),
      policyVersion: execution.policyVersion,
      credentialGeneration: execution.credentialGeneration,
      definitionHash: execution.definitionHash,
      ruleId: verdict.rule.id,
      risk: verdict.risk,
      subject: execution.subject,
      executionId,
      grantedBy: userId,
      createdAt: now,
      expiresAt: new Date(now.getTime() + lasts),
      usesLeft: terms.kind === 'uses' ? terms.uses : null,
      revokedAt: null,
    };
    const { scope, connectionId, callerId, expiresAt, usesLeft } = grant;
    await this.parts.audit.change(
      {
        actor: { kind: 'user', id: userId },
        action: 'grant.made',
        subject: { kind: 'grant', id },
        details: {
          executionId,
          connectionId,
          callerId,
          function: grant.function,
          limits: (scope ?? []).map(({ path, kind }) => `${kind} ${path}`),
          expiresAt,
          usesLeft,
        },
      },
      async (session) => {
        await this.deps.models.grants.create([grant], { session });
      },
    );
    return grant;
  }

  /** In one click, by who made it, an admin or the connection's owner. @throws AppError `not_found` | `forbidden` */
  async revoke(userId: string, grantId: string): Promise<GrantDocument> {
    const { models, workspaceId, clock } = this.deps;
    const grant = await models.grants.findOne({ _id: grantId, workspaceId }).lean();
    if (!grant) throw new AppError('not_found', 'There is no such grant.');
    const connection = await models.connections.findOne({ _id: grant.connectionId, workspaceId }).lean();
    const may =
      grant.grantedBy === userId ||
      connection?.ownerId === userId ||
      (await this.parts.roles.of(userId)).admin;
    if (!may) throw forbidden('Who made a grant, the connection’s owner and admins can take it back.');
    if (grant.revokedAt) return grant;
    await this.parts.audit.change(
      {
        actor: { kind: 'user', id: userId },
        action: 'grant.revoked',
        subject: { kind: 'grant', id: grantId },
        details: { connectionId: grant.connectionId, callerId: grant.callerId, function: grant.function },
      },
      async (session) => {
        const filter = { _id: grantId, workspaceId, revokedAt: null };
        await models.grants.updateOne(filter, { $set: { revokedAt: clock.now() } }, { session });
      },
    );
    return grant;
  }

  /** Those that still answer something, newest first: of one person, of one connection, or (neither) all. */
  live(of: { readonly grantedBy?: string; readonly connectionId?: string } = {}): Promise<GrantDocument[]> {
    return liveGrants(of, this.deps);
  }

  /** The grant that was made from this request and still answers; it covers its call, for it was read off it. */
  async madeFrom({ _id, connectionId, callerId, ...call }: ExecutionDocument): Promise<GrantDocument | null> {
    const of = { connectionId, callerId, function: call.function, executionId: _id };
    return (await liveGrants(of, this.deps))[0] ?? null;
  }

  /** Whether the card of this request suggests a grant. It is never made without a person. */
  suggests(execution: ExecutionDocument, approval: ApprovalDocument): Promise<boolean> {
    return suggestsGrant(execution, approval, this.deps, this.parts);
  }

  private async fitting(question: Question): Promise<GrantDocument[]> {
    if (question.verdict.effect !== 'ask' || !question.verdict.rememberable) return [];
    const { models, workspaceId, clock } = this.deps;
    const { connectionId, callerId } = question.execution;
    const now = clock.now();
    const found = await models.grants
      .find({
        workspaceId,
        connectionId,
        callerId,
        function: question.fn.name,
        ...usableAt(now),
      })
      // Those without a count first: nothing is used up where nothing has to be.
      .sort({ usesLeft: 1, expiresAt: 1 })
      .limit(MOST_LISTED)
      .lean();
    return found.filter((grant) => answers(grant, question, now));
  }

  private async stands(grant: GrantDocument, question: Question): Promise<boolean> {
    try {
      return await this.makerMayDecide(grant, question);
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      this.deps.log.warn(
        { err: error, grant: grant._id },
        'grant not used: its maker could not be looked up',
      );
      return false;
    }
  }

  /** Whoever made it must be one who could say yes to this very call, alone: on the first list, or on the second. */
  private async makerMayDecide(grant: GrantDocument, question: Question): Promise<boolean> {
    const { execution, connection, verdict } = question;
    const { approvals, eligibility } = this.parts;
    const asked = await approvals.draft(execution, connection, verdict, '');
    if (asked.quorum > 1) return false;
    // She could once it is escalated, and an answer that is there already waits for nothing.
    const escalated = { ...asked, escalatedAt: asked.escalateTo ? asked.createdAt : null };
    return (await eligibility.mayDecide(escalated, connection, grant.grantedBy)).ok;
  }

  /** @throws AppError `not_found` */
  private async request(executionId: string) {
    const { executions, approvals, payloads } = this.parts;
    const { models, workspaceId, connector: load } = this.deps;
    const [execution, approval] = await Promise.all([
      executions.get(executionId),
      approvals.ofExecution(executionId),
    ]);
    const connection = execution
      ? await models.connections.findOne({ _id: execution.connectionId, workspaceId }).lean()
      : null;
    if (!execution || !approval || !connection || connection.status === 'removed')
      throw new AppError('not_found', 'That request does not exist any more.');
    const connector = await load(connection.connector);
    const fn = enabledFunction(connector, connection, execution.function);
    const args = await payloads.arguments({ _id: executionId, bindingHash: approval.bindingHash });
    if (!fn || !args) throw new AppError('not_found', 'The function or its arguments are gone.');
    const definitionHash = definitionHashOf(connector, connection, fn);
    return { execution, approval, connection, fn, args, definitionHash };
  }
}
