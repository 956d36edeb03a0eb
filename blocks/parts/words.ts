/** PRODUCT.md's words for risk, effect and approvers, said the same way everywhere. */
import type { Approvers, Effect, Escalation, PolicyRule, Risk, SecondProof } from '../../models/types.js';
import { channel, group, person } from './text.js';

export const EFFECT_WORDS: Record<Effect, string> = {
  allow: 'Runs directly',
  ask: 'Needs approval',
  deny: 'Blocked',
};

export const RISK_MARKS: Record<Risk, string> = {
  read: ':mag: read',
  write: ':pencil2: write',
  destructive: ':warning: destructive',
};

/** For places that show plain text. */
export const RISK_WORDS: Record<Risk, string> = {
  read: 'Read',
  write: 'Write',
  destructive: 'Destructive',
};

/** Who may decide; empty when nobody is named. */
export function approversText(approvers: Approvers): string {
  const { users, usergroups, connectionOwner, businessOwner, requesterManager } = approvers;
  return [
    ...users.map(person),
    ...usergroups.map(group),
    ...(connectionOwner ? ['the connection’s owner'] : []),
    ...(businessOwner ? ['its business owner'] : []),
    ...(requesterManager ? ['the requester’s manager'] : []),
  ].join(', ');
}

export type TargetCheck = NonNullable<PolicyRule['targetCheck']>;

/** Whether the target of a call is held to what the approver saw. */
export const TARGET_CHECK_WORDS: Record<TargetCheck, string> = {
  required: 'Required',
  best_effort: 'Best effort',
  off: 'Off',
};

const PROOF: Readonly<Record<SecondProof, string>> = {
  totp: ' · with a second proof',
  oidc: ' · with a fresh sign-in',
};

export interface Question {
  /** The second list, and when it is asked too. */
  readonly escalation?: Escalation | null;
  readonly approvers: Approvers;
  /** On a private connection. */
  readonly furtherApprovers?: Approvers | null;
  readonly quorum: number;
  readonly route: string | null;
  readonly expiresInMinutes: number;
  readonly stepUp?: SecondProof | null;
  readonly targetCheck?: TargetCheck | null;
}

function besides({ furtherApprovers }: Question): string {
  return furtherApprovers ? ` *and* one of ${approversText(furtherApprovers)}` : '';
}

/** How a question is asked: by whom it is answered, where it is posted, how long it stands. */
export function questionText(question: Question, identity: 'shared' | 'private'): string {
  const { approvers, quorum, route, expiresInMinutes } = question;
  const proof = question.stepUp ? PROOF[question.stepUp] : '';
  const check = question.targetCheck;
  const target = check ? ` · target check: ${TARGET_CHECK_WORDS[check].toLowerCase()}` : '';
  const expiry = `expires after ${expiresInMinutes} min${proof}${target}`;
  if (identity === 'private')
    return `by the member whose account it is${besides(question)}, ${question.furtherApprovers ? 'by DM' : 'in her DM'} · ${expiry}`;
  const who = approversText(approvers) || ':warning: nobody yet';
  const how = quorum > 1 ? ` · ${quorum} approvals` : '';
  const where = route ? `in ${channel(route)} and by DM` : 'by DM';
  const second = question.escalation;
  const next = second ? ` · after ${second.afterMinutes} min ${approversText(second.approvers)} too` : '';
  return `by ${who}${how}${next} · ${where} · ${expiry}`;
}

/** Below a list of what waits for a person, where it was cut. */
export const MORE_WAIT = 'There are more; they move up as these are decided.';
