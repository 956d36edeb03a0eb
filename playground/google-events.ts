/** The calendars of the playground, and what is in them at the start. */
import { ACCOUNTS, NAMES, PEOPLE } from './google-accounts.js';

export interface SeedCalendar {
  readonly id: string;
  readonly user_email: string;
  readonly summary: string;
  readonly primary: boolean;
}

export interface SeedEvent {
  readonly id: string;
  readonly user_email: string;
  readonly calendar_id: string;
  readonly summary: string;
  readonly description: string;
  readonly start_date_time: string;
  readonly end_date_time: string;
  readonly attendees: readonly { readonly email: string; readonly display_name: string }[];
}

/** As with Google, the id of a primary calendar is the account's address. */
export function seedCalendars(): SeedCalendar[] {
  return PEOPLE.map((person) => {
    const email = ACCOUNTS[person];
    return { id: email, user_email: email, summary: email, primary: true };
  });
}

const DAY_MS = 86_400_000;

/** Two events for each person tomorrow, one of them with everybody. As emulate takes them. */
export function seedEvents(now: Date): SeedEvent[] {
  const tomorrow = Math.floor(now.getTime() / DAY_MS) * DAY_MS + DAY_MS;
  const at = (hour: number): string => new Date(tomorrow + hour * 3_600_000).toISOString();
  const everybody = PEOPLE.map((person) => ({ email: ACCOUNTS[person], display_name: NAMES[person] }));
  return PEOPLE.flatMap((person) => {
    const own = { user_email: ACCOUNTS[person], calendar_id: ACCOUNTS[person] };
    return [
      {
        ...own,
        id: `${person}focus`,
        summary: 'Answer the long tickets',
        description: 'Nobody books over this, please.',
        start_date_time: at(8),
        end_date_time: at(10),
        attendees: [],
      },
      {
        ...own,
        id: `${person}thursday`,
        summary: 'Support round',
        description: 'The coffee machine, the new laptops, and who writes the minutes.',
        start_date_time: at(14),
        end_date_time: at(14.5),
        attendees: everybody,
      },
    ];
  });
}
