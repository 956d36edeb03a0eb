/** Whom a request waits for, in words. Pure. */
import { group, person } from './text.js';

export interface Deciders {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

const NAMED = 12;
const NOBODY_FURTHER = ':warning: a further approver (nobody is left who may be one)';

/** "A or B"; with a further approver besides, "A *and* B or C". Empty where nobody is left. */
export function waitedFor({
  deciders,
  further,
}: {
  readonly deciders: Deciders;
  readonly further?: Deciders | null;
}): string {
  const others = further ? anyOf(further) || NOBODY_FURTHER : '';
  return [anyOf(deciders), others].filter((part) => part !== '').join(' *and* ');
}

function anyOf({ users, groups }: Deciders): string {
  const all = [...users.map(person), ...groups.map(group)];
  const named = all.slice(0, NAMED);
  const left = all.length - named.length;
  if (left > 0) return `${named.join(', ')} or ${left} more`;
  return [named.slice(0, -1).join(', '), ...named.slice(-1)].filter((part) => part !== '').join(' or ');
}
