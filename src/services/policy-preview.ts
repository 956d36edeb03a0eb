/** Looks before a policy is saved: what it would have asked in the last days, and who on its lists has left. */
import type {
  ApprovalDocument,
  Approvers,
  ConnectionDocument,
  ExecutionDocument,
  PolicyRule,
} from '../../models/types.js';
import type { CallFacts } from './call-facts.js';
import type { Dependencies } from './dependencies.js';
import { DirectoryUnavailable } from './directory.js';
import type { EligibilityService } from './eligibility.js';
import { enabledFunctions } from './functions.js';
import { furtherOf } from './further-approvers.js';
import type { PayloadService } from './payloads.js';
import { evaluate, limitOf, overLimit, type Verdict } from './policy.js';
import { type PolicyWarning, policyWarnings } from './policy-words.js';

const PREVIEW_DAYS = 7;
/** The newest of them: each may have arguments to unseal. */
const MOST_CALLS = 500;
const MOST_QUESTIONS = 50;
const HOUR_MS = 3_600_000;
/** Of a user group: more than the largest quorum, some of whom may have left. */
const MOST_MEMBERS = 50;

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
  /** There may be others: not every kind of question was looked at. */
  readonly morePeople: boolean;
  /** How many of these calls really were asked about. */
  readonly askedThen: number;
}

export type Warning =
  | PolicyWarning
  | { readonly kind: 'approver_left'; readonly userId: string }
  | { readonly kind: 'group_empty'; readonly groupId: string }
  | {
      readonly kind: 'quorum_too_large';
      readonly rule: string;
      readonly index: number;
      readonly quorum: number;
      /** How many on its lists can decide. */
      readonly people: number;
    };

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
    const asking = new Map<string, Pick<ApprovalDocument, 'approvers' | 'excluded' | 'further'>>();
    let askedThen = 0;
    const calls = found.slice(0, MOST_CALLS);
    const limits = new HourlyCounts();
    // Oldest first, as they came: a limit is used up by those before.
    for (const execution of calls.toReversed()) {
      const fn = functions.get(execution.function);
      if (!fn) continue;
      const args =
        needsArguments || fn.riskOf ? await this.payloads.arguments(execution).catch(() => null) : null;
      const call = { ...known, now: execution.createdAt, callerName: execution.callerName };
      const { effect, rule } = limits.applied(evaluate(next, fn, args ?? undefined, call), execution);
      count[effect] += 1;
      if (execution.requirement === 'required') askedThen += 1;
      if (effect !== 'ask') continue;
      const isPrivate = connection.identity === 'private';
      const further = furtherOf(connection, rule);
      const approvers = isPrivate
        ? { users: [execution.subject], usergroups: [], connectionOwner: false }
        : rule.approvers;
      const excluded = isPrivate ? [] : [...new Set([execution.requesterId, execution.callerOwnerId])];
      asking.set(JSON.stringify([approvers, further, excluded]), { approvers, further, excluded });
    }
    const lists = await Promise.all(
      [...asking.values()]
        .slice(0, MOST_QUESTIONS)
        .map((question) => this.eligibility.deciders(question, connection)),
    );
    return {
      days: PREVIEW_DAYS,
      calls: calls.length,
      more: found.length > MOST_CALLS,
      asked: count.ask,
      direct: count.allow,
      blocked: count.deny,
      people: new Set(lists.flat()).size,
      morePeople: asking.size > MOST_QUESTIONS,
      askedThen,
    };
  }

  /** What these rules should not be saved without being told; of people only while they can be looked up. */
  async warnings(connection: ConnectionDocument, rules: readonly PolicyRule[]): Promise<Warning[]> {
    const functions = enabledFunctions(await this.deps.connector(connection.connector), connection);
    const ofPeople = this.warningsOfPeople(connection, rules).catch((error: unknown): Warning[] => {
      if (error instanceof DirectoryUnavailable) return [];
      throw error;
    });
    return [...policyWarnings(connection, rules, functions), ...(await ofPeople)];
  }

  /** @throws DirectoryUnavailable */
  private async warningsOfPeople(
    connection: ConnectionDocument,
    rules: readonly PolicyRule[],
  ): Promise<Warning[]> {
    const asking = rules.flatMap((rule, index) =>
      asks(rule) ? [{ rule, index, lists: listsOf(rule, connection) }] : [],
    );
    const groupIds = unique(asking.flatMap(({ lists }) => lists.flatMap((list) => list.usergroups)));
    const groups = new Map(
      await Promise.all(
        groupIds.map(async (id) => [id, await this.deciding(await this.members(id))] as const),
      ),
    );
    const named = unique(asking.flatMap(({ lists }) => peopleOf(lists, connection)));
    const able = new Set(await this.deciding(named));
    const quorums = asking.flatMap(({ rule, index, lists }): Warning[] => {
      if (connection.identity === 'private') return [];
      const inGroups = lists.flatMap((list) => list.usergroups.flatMap((id) => groups.get(id) ?? []));
      const onLists = unique([...peopleOf(lists, connection).filter((id) => able.has(id)), ...inGroups]);
      const manager = lists.some(({ requesterManager }) => requesterManager) ? 1 : 0;
      const people = onLists.length + manager;
      if (people === 0 || people >= rule.quorum) return [];
      return [{ kind: 'quorum_too_large', rule: rule.id, index, quorum: rule.quorum, people }];
    });
    return [
      ...named.flatMap((userId): Warning[] => (able.has(userId) ? [] : [{ kind: 'approver_left', userId }])),
      ...groupIds.flatMap((groupId): Warning[] =>
        groups.get(groupId)?.length === 0 ? [{ kind: 'group_empty', groupId }] : [],
      ),
      ...quorums,
    ];
  }

  /** As many of them as any quorum asks for, and some more for those who left. */
  private async members(groupId: string): Promise<readonly string[]> {
    return (await this.deps.directory.groupMembers(groupId)).slice(0, MOST_MEMBERS);
  }

  private async deciding(userIds: readonly string[]): Promise<string[]> {
    const people = await Promise.all(userIds.map((id) => this.deps.directory.person(id)));
    return people.flatMap((person) =>
      person?.active && !person.outsider && !person.isBot ? [person.id] : [],
    );
  }
}

/** Which of the calls with a limit would have been over it: by caller and function, in any sixty minutes. */
class HourlyCounts {
  private readonly direct = new Map<string, number[]>();

  /** Calls come oldest first. */
  applied(verdict: Verdict, { callerId, function: name, createdAt }: ExecutionDocument): Verdict {
    const limit = limitOf(verdict);
    if (limit === null) return verdict;
    const key = `${callerId} ${name}`;
    const now = createdAt.getTime();
    const recent = (this.direct.get(key) ?? []).filter((at) => at > now - HOUR_MS);
    const fits = recent.length < limit;
    this.direct.set(key, fits ? [...recent, now] : recent);
    return fits ? verdict : overLimit(verdict);
  }
}

const unique = (ids: readonly string[]): string[] => [...new Set(ids)];

/** At once, or beyond its limit. */
function asks({ effect, limitPerHour }: PolicyRule): boolean {
  return effect === 'ask' || (effect === 'allow' && (limitPerHour ?? null) !== null);
}

/** In a member's own name nobody is asked but she, and a further approver. */
function listsOf(rule: PolicyRule, connection: ConnectionDocument): readonly Approvers[] {
  const { approvers, escalation } = rule;
  if (connection.identity === 'private') {
    const further = furtherOf(connection, rule);
    return further ? [further] : [];
  }
  return escalation ? [approvers, escalation.approvers] : [approvers];
}

/** Whom these lists name, by themselves or as the connection's owners. */
function peopleOf(lists: readonly Approvers[], { ownerId, businessOwnerId }: ConnectionDocument): string[] {
  return lists.flatMap((list) => [
    ...list.users,
    ...(list.connectionOwner ? [ownerId] : []),
    ...(list.businessOwner && businessOwnerId ? [businessOwnerId] : []),
  ]);
}
