/** Arguments that several calendar functions share, and what they become. Limits: shared/CONNECTORS.md, 4.2. Pure. */
import { z } from 'zod';
import { hasControls } from '../fields.js';
import { mailAddress } from '../mime.js';

/** An address or another id of the provider's; encoded in paths, where dots alone would still change the path. */
const calendar = z
  .string()
  .min(1)
  .max(512)
  .refine((text) => !hasControls(text) && !/^\.+$/.test(text), 'is not a calendar id');
export const calendarId = calendar
  .default('primary')
  .describe('id of a calendar (list_calendars); primary is the own one.');
export const otherCalendarId = calendar.describe('id of a calendar (list_calendars).');
/** Ids of events and of their instances (`id_20260501T080000Z`); at most 1,024 characters (@googleapis/calendar 16). */
export const eventId = z.string().regex(/^[\w-]{1,1024}$/, 'is not an event id');

export const instant = z.iso.datetime({
  offset: true,
  error: 'is not a time with an offset, such as 2026-05-01T08:00:00Z',
});
export const timeZone = z
  .string()
  .regex(/^[A-Za-z][\w+-]*(\/[\w+-]+){0,2}$/, 'is not a time zone such as Europe/Zurich')
  .max(64);

const date = /^\d{4}-\d{2}-\d{2}$/;
const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?$/;
/** When an event begins or ends: a day, or a time with an offset (or without one, where a time zone is named). */
export const moment = z
  .string()
  .max(40)
  .refine(
    (text) => (date.test(text) || dateTime.test(text)) && !Number.isNaN(Date.parse(text)),
    'is neither a day (2026-05-01) nor a time (2026-05-01T08:00:00+02:00)',
  );

export interface When {
  readonly start?: string;
  readonly end?: string;
  readonly time_zone?: string;
  readonly recurrence?: readonly string[];
}

/** What is wrong with the times of an event, or undefined. */
export function timesProblem({ start, end, time_zone: zone, recurrence = [] }: When): string | undefined {
  if (start === undefined && end === undefined)
    return zone === undefined ? undefined : 'time_zone goes with start and end';
  if (start === undefined || end === undefined) return 'start and end go together';
  if (date.test(start) !== date.test(end)) return 'start and end must both be days or both be times';
  if (date.test(start))
    return start < end ? undefined : 'end must be after start; it is the day after the last one';
  const hasOffset = [start, end].map((text) => /(Z|[+-]\d{2}:\d{2})$/.test(text));
  if (hasOffset.includes(false) && zone === undefined) return 'times without an offset need time_zone';
  if (recurrence.length > 0 && zone === undefined) return 'an event that repeats needs time_zone';
  const comparable = hasOffset[0] === hasOffset[1];
  return comparable && Date.parse(end) < Date.parse(start) ? 'end must not be before start' : undefined;
}

/** An EventDateTime. `patch` takes away the other kind, which a PATCH would leave in place. */
export function eventTime(text: string, zone: string | undefined, patch = false) {
  const isDay = date.test(text);
  return {
    ...(isDay ? { date: text } : { dateTime: text }),
    ...(patch ? (isDay ? { dateTime: null } : { date: null }) : {}),
    ...(zone === undefined || isDay ? {} : { timeZone: zone }),
  };
}

export const attendees = z.array(mailAddress).max(200);
/** RFC 5545 lines; start and end have arguments of their own (@googleapis/calendar 16). */
export const recurrence = z
  .array(
    z
      .string()
      .max(1_024)
      .refine(
        (line) => /^(RRULE|EXRULE|RDATE|EXDATE)[:;]/.test(line) && !hasControls(line),
        'is not a rule such as RRULE:FREQ=WEEKLY;COUNT=4',
      ),
  )
  .min(1)
  .max(20);
export const sendUpdates = z
  .enum(['all', 'externalOnly', 'none'])
  .default('all')
  .describe('Which guests are told by mail.');
export const etag = z
  .exactOptional(z.string().regex(/^(W\/)?"[\x21\x23-\x7e]{1,200}"$/, 'is not an etag'))
  .describe('etag that get_event showed: an event changed since is left alone.');
