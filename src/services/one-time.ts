/** What the one-time pages have in common: how they refuse, and who may still act through them. */
import { AppError } from '../errors.js';
import type { Directory, Freshness, Person } from './directory.js';

/**
 * `browser`: the flow was started in another one. `person`: the Slack user of the link may not do this (any more).
 * `declined`: she said no at the provider. `provider`: the provider's answer was not what it has to be.
 */
export type RefusalReason = 'unknown' | 'used' | 'expired' | 'browser' | 'person' | 'declined' | 'provider';

const MESSAGES: Record<RefusalReason, string> = {
  unknown: 'This link is not valid. Open the newest one from your Slack DM.',
  used: 'This link was used already. Ask for a new one in Slack.',
  expired: 'Links work for ten minutes, and these are over. Ask for a new one in Slack.',
  browser: 'This was started in another browser. Open the link from your own Slack DM.',
  person: 'The Slack user this link was made for may not do this any more.',
  declined:
    'You did not allow it, so nothing was connected. Ask for a new link in Slack if you change your mind.',
  provider: 'The sign-in service refused, so nothing was connected. Ask for a new link in Slack.',
};

/** A one-time page says no. Nothing was stored. */
export class OneTimeRefusal extends AppError {
  constructor(
    readonly reason: RefusalReason,
    message: string = MESSAGES[reason],
  ) {
    super(reason === 'unknown' ? 'not_found' : 'forbidden', message);
    this.name = 'OneTimeRefusal';
  }
}

/** The person behind a link, if she still counts. @throws OneTimeRefusal `person` | DirectoryUnavailable */
export async function activePerson(
  directory: Directory,
  userId: string,
  freshness: Freshness,
): Promise<Person> {
  const person = await directory.person(userId, freshness);
  if (person?.active && !person.outsider && !person.isBot) return person;
  throw new OneTimeRefusal('person');
}

/** Runs a check of the services; its refusal becomes the page's, without Slack's mark-up in it. */
export async function refusingPerson<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof AppError && (error.code === 'forbidden' || error.code === 'not_found')) {
      throw new OneTimeRefusal('person');
    }
    throw error;
  }
}
