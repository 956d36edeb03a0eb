/** The caller id of a person who runs functions by hand. Callers with a token have ids of another form. Pure. */
const PERSON = 'person:';

export function personCallerId(userId: string): string {
  return `${PERSON}${userId}`;
}

/** Whose id it is; null for a caller with a token. */
export function personOf(callerId: string): string | null {
  return callerId.startsWith(PERSON) ? callerId.slice(PERSON.length) : null;
}
