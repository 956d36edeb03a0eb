/** Calendar functions that put new events into a calendar. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, long, manyLines, oneLine, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { compact, type JsonObject, objectOf } from '../json.js';
import { periodFields } from '../period.js';
import { callCalendar, SCOPES } from './api.js';
import { EVENT_SHAPE, eventOf } from './event.js';
import {
  attendees,
  calendarId,
  eventTime,
  moment,
  recurrence,
  sendUpdates,
  timesProblem,
  timeZone,
} from './fields.js';

const event = input(
  z
    .strictObject({
      calendar_id: calendarId,
      summary: oneLine(1_024).describe('The title.'),
      start: moment.describe('A day (2026-05-01) or a time (2026-05-01T08:00:00+02:00).'),
      end: moment.describe('As start; for whole days the day after the last one.'),
      time_zone: z.exactOptional(timeZone).describe('Needed for times without offset and for repeats.'),
      attendees: z.exactOptional(attendees).describe('Addresses of guests; they are invited.'),
      location: z.exactOptional(oneLine(1_024)),
      description: z.exactOptional(manyLines(8_192)),
      recurrence: z.exactOptional(recurrence).describe('Such as ["RRULE:FREQ=WEEKLY;COUNT=4"].'),
      conference: z.boolean().default(false).describe('With a Google Meet link.'),
      send_updates: sendUpdates,
    })
    .check((context) => {
      const message = timesProblem(context.value);
      if (message !== undefined)
        context.issues.push({ code: 'custom', message, path: ['end'], input: context.value });
    }),
);
const quick = input(
  z.strictObject({
    calendar_id: calendarId,
    text: oneLine(500).describe('Such as: Lunch with Cleo tomorrow 12:30'),
    send_updates: sendUpdates,
  }),
);

/** The private property of an event that names the execution it belongs to; only calls of ours see it. */
const MARK = 'siestaExecution';

const ALPHABET = '0123456789abcdefghijklmnopqrstuv';

/**
 * The event's id, from the execution's: base32hex without padding, 52 characters (5 to 1,024 of a-v and 0-9 are
 * allowed, unique per calendar: @googleapis/calendar 16, Schema$Event.id).
 */
export function eventIdOf(executionId: string): string {
  const bits = [...createHash('sha256').update(executionId).digest()]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => ALPHABET.charAt(Number.parseInt(five.padEnd(5, '0'), 2)))
    .join('');
}

function newEvent(asked: ReturnType<typeof event.read>, executionId: string): JsonObject {
  const id = eventIdOf(executionId);
  const create = { requestId: id, conferenceSolutionKey: { type: 'hangoutsMeet' } };
  return compact({
    id,
    summary: asked.summary,
    start: eventTime(asked.start, asked.time_zone),
    end: eventTime(asked.end, asked.time_zone),
    attendees: asked.attendees?.map((email) => ({ email })),
    location: asked.location,
    description: asked.description,
    recurrence: asked.recurrence,
    conferenceData: asked.conference ? { createRequest: create } : undefined,
    extendedProperties: { private: { [MARK]: executionId } },
  });
}

/**
 * A repeat of our own call finds the event that the first one created.
 * @throws UpstreamError the refusal, where the event is somebody else's; not definite where it cannot be read
 */
async function createdBefore(
  context: CallContext,
  calendar: string,
  refusal: UpstreamError,
): Promise<JsonObject> {
  const path = ['calendars', calendar, 'events', eventIdOf(context.executionId)];
  const found = await callCalendar(context, 'GET', path).catch((cause: unknown) => {
    const message = 'Google Calendar says that the event exists already, and it could not be read.';
    throw new UpstreamError('upstream_unavailable', message, { definite: false, cause });
  });
  if (objectOf(objectOf(found.extendedProperties).private)[MARK] !== context.executionId) throw refusal;
  return found;
}

const NEW = { none: 'It creates something new; there is no target yet.' } as const;

export const creatingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    name: 'create_event',
    title: 'Create an event',
    description: 'Puts an event into a calendar and invites its guests, if it has any.',
    risk: 'destructive',
    // An invitation reaches people, who cannot be made to forget it.
    riskOf: (args) => ((event.read(args).attendees ?? []).length > 0 ? 'destructive' : 'write'),
    approval: 'ask',
    scopes: [SCOPES.events],
    idempotency: 'key',
    input: event.schema,
    output: EVENT_SHAPE,
    card: (args) => {
      const asked = event.read(args);
      return [
        ...short('Title', asked.summary),
        ...periodFields(asked.start, asked.end, asked.time_zone),
        ...short('Repeats', asked.recurrence),
        ...short('Guests', asked.attendees),
        ...short('Tell by mail', asked.attendees ? asked.send_updates : undefined),
        ...short('Where', asked.location),
        ...short('Google Meet', asked.conference ? 'yes' : undefined),
        ...long('Description', asked.description),
        ...short('Calendar', asked.calendar_id),
      ];
    },
    observe: NEW,
    async run(context, args) {
      const asked = event.read(args);
      try {
        const created = await callCalendar(context, 'POST', ['calendars', asked.calendar_id, 'events'], {
          query: {
            sendUpdates: asked.send_updates,
            conferenceDataVersion: asked.conference ? '1' : undefined,
          },
          json: newEvent(asked, context.executionId),
        });
        return eventOf(created);
      } catch (error) {
        if (!(error instanceof UpstreamError) || error.status !== 409) throw error;
        return eventOf(await createdBefore(context, asked.calendar_id, error));
      }
    },
  }),
  defineFunction({
    name: 'quick_add_event',
    title: 'Add an event from a sentence',
    description: 'Puts an event into a calendar; Google reads title, time and place out of a sentence.',
    reachesUnnamed: (args) => quick.read(args).text.includes('@'),
    risk: 'destructive',
    // Google may take an address in the sentence for a guest, and invite her.
    riskOf: (args) => (quick.read(args).text.includes('@') ? 'destructive' : 'write'),
    approval: 'ask',
    scopes: [SCOPES.events],
    idempotency: 'none',
    input: quick.schema,
    output: EVENT_SHAPE,
    card: (args) => {
      const { text, calendar_id: calendar, send_updates: updates } = quick.read(args);
      return [...short('Text', text), ...short('Tell by mail', updates), ...short('Calendar', calendar)];
    },
    observe: NEW,
    async run(context, args) {
      const { text, calendar_id: calendar, send_updates: updates } = quick.read(args);
      const query = { text, sendUpdates: updates };
      return eventOf(
        await callCalendar(context, 'POST', ['calendars', calendar, 'events', 'quickAdd'], { query }),
      );
    },
  }),
];
