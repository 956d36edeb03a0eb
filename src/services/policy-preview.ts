/** Looks before a policy is saved: what it would have asked in the last days, and who on its lists has left. */
import type { ApprovalDocument, ConnectionDocument, PolicyRule } from '../../models/types.js';
import type { CallFacts } from './call-facts.js';
import type { Dependencies } from './dependencies.js';
import type { EligibilityService } from './eligibility.js';
import { enabledFunctions } from './functions.js';
import type { PayloadService } from './payloads.js';
import { evaluate } from './policy.js';
import { type PolicyWarning, policyWarnings } from './policy-words.js';

const PREVIEW_DAYS = 7;
/** The newest of them: each may have arguments to unseal. */
const MOST_CALLS = 500;

export interface Preview {
  readonly days: number;
  /** Calls that were looked at; `more`: there were others, older ones. */
  readonly calls: number;
  readonly more: boolean;
  readonly asked: number;
  readonly direct: number;
  readonly blocked: number;
  /** How many people would have been asked. */
  readonly people: number;
  /** How many of these calls really were asked about. */
  readonly askedThen: number;
}

export type Warning = PolicyWarning | { readonly kind: 'approver_left'; readonly userId: string };

export class PolicyPreview {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'connector' | 'directory'>,
    private readonly payloads: PayloadService,
    private readonly eligibility: EligibilityService,
    private readonly facts: CallFacts,
  ) {}

  /** What these rules would have made of the last days' calls. Arguments that are no longer kept count as unknown. */
  async preview(connection: ConnectionDocument, rules: readonly PolicyRule[]): Promise<Preview> {
    const { models, workspaceId, clock, connector } = this.deps;
    const since = new Date(clock.now().getTime() - PREVIEW_DAYS * 86_400_000);
    const [found, loaded, known] = await Promise.all([
      models.executions
        .find({ workspaceId, connectionId: connection._id, createdAt: { $gt: since } })
        .sort({ createdAt: -1, _id: -1 })
        .limit(MOST_CALLS + 1)
        .lean(),
      connector(connection.connector),
      this.facts.known(connection, rules, ''),
    ]);
    const functions = new Map(enabledFunctions(loaded, connection).map((fn) => [fn.name, fn]));
    const next = { ...connection, policy: { version: 0, rules: [...rules] } };
    const needsArguments = rules.some(({ when }) => when);
    const count = { allow: 0, ask: 0, deny: 0 };
    const asking = new Map<string, Pick<ApprovalDocument, 'approvers' | 'excluded'>>();
    let askedThen = 0;
    const calls = found.slice(0, MOST_CALLS);
    for (const execution of calls) {
      const fn = functions.get(execution.function);
      if (!fn) continue;
      const args =
        needsArguments || fn.riskOf ? await this.payloads.arguments(execution).catch(() => null) : null;
      const call = { ...known, now: execution.createdAt, callerName: execution.callerName };
      const { effect, rule } = evaluate(next, fn, args ?? undefined, call);
      count[effect] += 1;
      if (execution.requirement === 'required') askedThen += 1;
      if (effect !== 'ask') continue;
      const isPrivate = connection.identity === 'private';
      const approvers = isPrivate
        ? { users: [execution.subject], usergroups: [], connectionOwner: false }
        : rule.approvers;
      const excluded = isPrivate ? [] : [...new Set([execution.requesterId, execution.callerOwnerId])];
      asking.set(JSON.stringify([approvers, excluded]), { approvers, excluded });
    }
    const lists = await Promise.all(
      [...asking.values()].slice(0, 50).map((question) => this.eligibility.deciders(question, connection)),
    );
    return {
      days: PREVIEW_DAYS,
      calls: calls.length,
      more: found.length > MOST_CALLS,
      asked: count.ask,
      direct: count.allow,
      blocked: count.deny,
      people: new Set(lists.flat()).size,
      askedThen,
    };
  }

  /** What these rules should not be saved without being told. @throws DirectoryUnavailable */
  async warnings(connection: ConnectionDocument, rules: readonly PolicyRule[]): Promise<Warning[]> {
    const { directory, connector } = this.deps;
    const functions = enabledFunctions(await connector(connection.connector), connection);
    const named = [...new Set(rules.flatMap(({ approvers }) => approvers.users))];
    const people = await Promise.all(named.map((id) => directory.person(id)));
    return [
      ...policyWarnings(connection, rules, functions),
      ...named.flatMap((userId, index): Warning[] => {
        const person = people[index];
        return person?.active && !person.outsider ? [] : [{ kind: 'approver_left', userId }];
      }),
    ];
  }
}
