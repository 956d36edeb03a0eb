/** What a change makes of an event: the fields on the card, and the body of the PATCH. Pure. */
import { UpstreamError } from '../../errors.js';
import type { CardField, ObservedField } from '../framework.js';
import { compact, type JsonObject, objectsIn, textOf } from '../json.js';
import { eventFields } from './event.js';
import { eventTime } from './fields.js';

export interface GuestChange {
  readonly add_attendees?: readonly string[];
  readonly remove_attendees?: readonly string[];
}

export interface EventChange {
  readonly summary?: string;
  readonly start?: string;
  readonly end?: string;
  readonly time_zone?: string;
  readonly location?: string;
  readonly description?: string;
  readonly recurrence?: string[];
}

export interface Answer {
  readonly response: string;
  readonly comment?: string;
}

/** Fields with what the call makes of some of them, by label; a field that the event lacks is added. */
export function changed(event: JsonObject, after: readonly CardField[]): ObservedField[] {
  const before = eventFields(event);
  const kept = before.map((field): ObservedField => {
    const next = after.find(({ label }) => label === field.label)?.value;
    return next === undefined || next === field.value ? field : { ...field, after: next };
  });
  const added = after
    .filter(({ label, value }) => value !== '' && !before.some((field) => field.label === label))
    .map(({ label, value, kind }) => ({ label, value: '', kind, after: value }));
  return [...kept, ...added];
}

/** Guests with their answers; only who is added or taken off changes. */
export function guestsAfter(event: JsonObject, asked: GuestChange): JsonObject[] {
  const leaving = new Set((asked.remove_attendees ?? []).map((email) => email.toLowerCase()));
  const emailOf = (guest: JsonObject): string => textOf(guest.email).toLowerCase();
  const staying = objectsIn(event.attendees).filter((guest) => !leaving.has(emailOf(guest)));
  const known = new Set(staying.map(emailOf));
  const coming = (asked.add_attendees ?? []).filter((email) => !known.has(email.toLowerCase()));
  return [...staying, ...coming.map((email) => ({ email }))];
}

/** Google lists no more guests than fit; writing back a part would take the others off. */
export function refuseOmitted(event: JsonObject): void {
  if (event.attendeesOmitted !== true) return;
  throw new UpstreamError('upstream_rejected', 'Google does not list all guests of this event.', {
    definite: true,
  });
}

export function patchOf(asked: EventChange, guests: JsonObject[] | undefined): JsonObject {
  const { start, end, time_zone: zone } = asked;
  return compact({
    summary: asked.summary,
    start: start === undefined ? undefined : eventTime(start, zone, true),
    end: end === undefined ? undefined : eventTime(end, zone, true),
    location: asked.location,
    description: asked.description,
    recurrence: asked.recurrence,
    attendees: guests,
  });
}

/** The guests with the answer of the one whose calendar this is. */
export function answered(event: JsonObject, asked: Answer): JsonObject {
  const guests = objectsIn(event.attendees);
  if (!guests.some(({ self }) => self === true)) {
    throw new UpstreamError('upstream_rejected', 'This account is not among the guests of the event.', {
      definite: true,
    });
  }
  const answer = compact({ responseStatus: asked.response, comment: asked.comment });
  return {
    attendees: guests.map((guest) => (guest.self === true ? { ...guest, ...answer } : guest)),
    // With it, the guests who are not listed stay (@googleapis/calendar 16, Schema$Event.attendeesOmitted).
    ...(event.attendeesOmitted === true ? { attendeesOmitted: true } : {}),
  };
}
