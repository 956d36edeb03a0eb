/** An event of Google Calendar as callers get it, and as people see it on a card. Pure. */
import { long, short } from '../fields.js';
import type { CardField } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf, textOrNull, textsIn } from '../json.js';

const LONGEST_DESCRIPTION = 20_000;

/** What functions that answer with events say about them. */
export const EVENT_SHAPE =
  '{id, status, summary, description, truncated, location, start, end, all_day, time_zone, organizer, attendees: [{email, name, response, optional, organizer, self}], attendees_omitted, recurrence, recurring_event_id, link, meeting_link, etag, updated}';

/** Times stay as they were given: a day, or a time with its offset. */
export function eventOf(event: JsonObject): JsonObject {
  const [start, end] = [objectOf(event.start), objectOf(event.end)];
  const description = textOf(event.description);
  return {
    id: textOf(event.id),
    status: textOf(event.status),
    summary: textOf(event.summary),
    description: description.slice(0, LONGEST_DESCRIPTION),
    truncated: description.length > LONGEST_DESCRIPTION,
    location: textOf(event.location),
    start: momentOf(start),
    end: momentOf(end),
    all_day: textOf(start.date) !== '',
    time_zone: textOrNull(start.timeZone),
    organizer: textOf(objectOf(event.organizer).email),
    attendees: objectsIn(event.attendees).map((attendee) => ({
      email: textOf(attendee.email),
      name: textOf(attendee.displayName),
      response: textOf(attendee.responseStatus),
      optional: attendee.optional === true,
      organizer: attendee.organizer === true,
      self: attendee.self === true,
    })),
    attendees_omitted: event.attendeesOmitted === true,
    recurrence: textsIn(event.recurrence),
    recurring_event_id: textOrNull(event.recurringEventId),
    link: textOf(event.htmlLink),
    meeting_link: textOrNull(event.hangoutLink),
    etag: textOf(event.etag),
    updated: textOf(event.updated),
  };
}

export function momentOf(time: JsonObject): string {
  return textOf(time.dateTime) || textOf(time.date);
}

/** `2026-05-01T09:00:00+02:00 – 2026-05-01T10:00:00+02:00 (Europe/Zurich)` */
export function whenOf(start: string, end: string, zone: string | null | undefined): string {
  return `${start} – ${end}${zone ? ` (${zone})` : ''}`;
}

/** The event as a person recognises it. */
export function eventFields(event: JsonObject): CardField[] {
  const guests = objectsIn(event.attendees).map(({ email }) => textOf(email));
  const [start, end] = [objectOf(event.start), objectOf(event.end)];
  return [
    ...short('Title', textOf(event.summary) || '(no title)'),
    ...short('When', whenOf(momentOf(start), momentOf(end), textOrNull(start.timeZone))),
    ...short('Repeats', textsIn(event.recurrence)),
    ...short('Where', textOf(event.location) || undefined),
    ...short('Guests', guests),
    ...long('Description', textOf(event.description) || undefined),
  ];
}
