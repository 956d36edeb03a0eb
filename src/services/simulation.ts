/** Dry run: what would become of a request, with nothing recorded and nothing sent. */
import type { CallerDocument, Risk } from '../../models/types.js';
import type { ApprovalService } from './approvals.js';
import type { EligibilityService } from './eligibility.js';
import type { CallRequest, Examiner } from './examination.js';
import { fateOf, grantWouldHelp, PENDING_LIMIT } from './fate.js';
import type { GrantService } from './grants.js';
import { asksEveryTime } from './policy.js';
import { ruleWords } from './policy-words.js';
import type { ScopeService } from './scopes.js';

/** `refused`: something is missing, see there. `authorize`: a member is asked first, then policy holds as said. */
export type Outcome = 'run' | 'ask' | 'blocked' | 'authorize' | 'refused';

export interface Missing {
  readonly code:
    | 'paused'
    | 'not_ready'
    | 'needs_authorization'
    | 'needs_more_scopes'
    | 'too_many_pending'
    | 'no_approver';
  readonly message: string;
}

/** As `POST /v1/executions/simulate` answers it (snake_case there). */
export interface Simulated {
  readonly outcome: Outcome;
  readonly requirement: 'none' | 'required' | 'granted' | 'blocked';
  readonly risk: Risk;
  readonly rule: { readonly id: string; readonly text: string };
  /** The grant that would answer. */
  readonly grant: { readonly id: string; readonly expiresAt: Date; readonly usesLeft: number | null } | null;
  /** Who could decide, where somebody is asked: Slack ids. */
  readonly approvers: readonly string[];
  readonly quorum: number;
  readonly missing: readonly Missing[];
}

export class SimulationService {
  constructor(
    private readonly examiner: Examiner,
    private readonly approvals: ApprovalService,
    private readonly eligibility: EligibilityService,
    private readonly grants: GrantService,
    private readonly scopes: ScopeService,
  ) {}

  /** @throws AppError as a submission: `not_found` | `invalid_arguments`; DirectoryUnavailable */
  async simulate(caller: CallerDocument, request: Omit<CallRequest, 'idempotencyKey'>): Promise<Simulated> {
    const examined = await this.examiner.examine(caller, { ...request, idempotencyKey: '' });
    const { plan, verdict, stop, allowed, gap, pending } = examined;
    const { connection, fn, execution } = plan;
    const grant = grantWouldHelp(examined) ? await this.grants.find(plan) : null;
    const fate = fateOf(examined, grant !== null);
    const asks = verdict.effect === 'ask' && !grant;
    const asked = asks ? await this.approvals.draft(execution, connection, verdict, '') : null;
    const approvers = asked ? await this.eligibility.deciders(asked, connection) : [];
    const missing: Missing[] = [
      ...(stop ? [stop] : []),
      ...(fate === 'too_many_pending'
        ? [
            {
              code: 'too_many_pending' as const,
              message: `${pending} of ${PENDING_LIMIT} requests wait for people.`,
            },
          ]
        : []),
      ...(allowed
        ? []
        : [
            {
              code: 'needs_authorization' as const,
              message:
                'The member has not allowed this caller to act for her, or has not connected her account.',
            },
          ]),
      ...(gap.length > 0
        ? [{ code: 'needs_more_scopes' as const, message: this.scopes.explain(connection, fn, gap) }]
        : []),
      ...(asked && approvers.length < asked.quorum
        ? [{ code: 'no_approver' as const, message: 'There are not enough people who may decide.' }]
        : []),
    ];
    const outcomes = {
      stopped: 'refused',
      blocked: 'blocked',
      too_many_pending: 'refused',
      waits_for_member: 'authorize',
      needs_more_scopes: 'refused',
      asks: 'ask',
      granted: 'run',
      runs: 'run',
    } as const satisfies Record<typeof fate, Outcome>;
    return {
      outcome: outcomes[fate],
      requirement:
        fate === 'granted' ? 'granted' : verdict.requirement === 'granted' ? 'required' : verdict.requirement,
      risk: verdict.risk,
      rule: { id: verdict.rule.id, text: ruleWords(verdict.rule, asksEveryTime(plan.connection, fn)) },
      grant: grant ? { id: grant._id, expiresAt: grant.expiresAt, usesLeft: grant.usesLeft } : null,
      approvers,
      quorum: asked?.quorum ?? 0,
      missing,
    };
  }
}
