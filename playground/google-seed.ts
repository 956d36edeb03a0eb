/** Everything that is at the playground's Google at the start. */
import { ACCOUNTS, NAMES, PEOPLE } from './google-accounts.js';
import { type SeedCalendar, type SeedEvent, seedCalendars, seedEvents } from './google-events.js';
import { type SeedFile, seedFiles } from './google-files.js';
import { type SeedMail, seedMails } from './google-mails.js';

/** The `google` part of emulate's seed, without clients. */
export interface GoogleSeed {
  readonly users: readonly { readonly email: string; readonly name: string }[];
  readonly messages: readonly SeedMail[];
  readonly calendars: readonly SeedCalendar[];
  readonly calendar_events: readonly SeedEvent[];
  readonly drive_items: readonly SeedFile[];
}

export function googleSeed(now: Date): GoogleSeed {
  return {
    users: PEOPLE.map((person) => ({ email: ACCOUNTS[person], name: NAMES[person] })),
    messages: seedMails(now),
    calendars: seedCalendars(),
    calendar_events: seedEvents(now),
    drive_items: seedFiles(),
  };
}
