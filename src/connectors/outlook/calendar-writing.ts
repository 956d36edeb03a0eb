/** Outlook functions that create, change, answer and end events. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, long, oneLine, short } from '../fields.js';
import {
  type Arguments,
  type CallContext,
  type CardField,
  defineFunction,
  type FunctionDefinition,
  type Observation,
  type ObservedField,
} from '../framework.js';
import { compact, type JsonObject, objectOf, textOf } from '../json.js';
import { at } from '../microsoft/graph.js';
import { mailAddress } from '../mime.js';
import { periodFields } from '../period.js';
import { callOutlook, SCOPES } from './api.js';
import { EVENT, eventFields, eventOf, fetchEvent, seriesFields, WHOLE_EVENT, whenOf } from './event.js';
import { body, bodyType, eventComment, id, localTime, oneSubject, timeZone } from './fields.js';
import { findMarked, markerOf, transactionIdOf } from './marker.js';
import { peopleOf } from './message.js';

/** Exchange takes 500; the cap is shared/CONNECTORS.md's. */
const MOST_ATTENDEES = 200;
const people = z.array(mailAddress).max(MOST_ATTENDEES);
const details = {
  location: z.exactOptional(oneLine(1_024)),
  body: z.exactOptional(body),
  body_type: bodyType,
  attendees: z.exactOptional(people).describe('Bare addresses of those who should come.'),
  optional_attendees: z.exactOptional(people),
  all_day: z
    .exactOptional(z.boolean())
    .describe('start and end are then midnight; end is the day after the last.'),
  online_meeting: z.exactOptional(z.boolean()).describe('Adds a Teams meeting, where the mailbox has Teams.'),
};
const created = input(
  z
    .strictObject({
      subject: oneSubject,
      start: localTime,
      end: localTime,
      time_zone: timeZone,
      ...details,
      calendar_id: z.exactOptional(id).describe('Another calendar than the default one.'),
    })
    .refine(atMidnight, 'start and end of an event of whole days are midnight, T00:00:00')
    .refine(fewAttendees, `has more than ${MOST_ATTENDEES} attendees`),
);
const changed = input(
  z
    .strictObject({
      id,
      subject: z.exactOptional(oneSubject),
      start: z.exactOptional(localTime),
      end: z.exactOptional(localTime),
      time_zone: timeZone,
      ...details,
      attendees: details.attendees.describe('With optional_attendees, replaces all attendees there were.'),
      optional_attendees: details.optional_attendees.describe('With attendees, replaces all there were.'),
    })
    .refine(atMidnight, 'start and end of an event of whole days are midnight, T00:00:00')
    .refine(fewAttendees, `has more than ${MOST_ATTENDEES} attendees`)
    .refine((args) => (args.start === undefined) === (args.end === undefined), 'takes start and end together')
    .refine((args) => Object.keys(changesOf(args)).length > 0, 'names nothing to change'),
);
const answered = input(
  z.strictObject({
    id,
    response: z.enum(['accepted', 'declined', 'tentative']),
    comment: z.exactOptional(eventComment),
    send_response: z.boolean().default(true).describe('Tells the organiser.'),
  }),
);
const cancelled = input(z.strictObject({ id, comment: z.exactOptional(eventComment) }));
const oldEvent = input(z.strictObject({ id }));

interface Details {
  readonly subject?: string;
  readonly start?: string;
  readonly end?: string;
  readonly time_zone: string;
  readonly location?: string;
  readonly body?: string;
  readonly body_type: 'text' | 'html';
  readonly attendees?: readonly string[];
  readonly optional_attendees?: readonly string[];
  readonly all_day?: boolean;
  readonly online_meeting?: boolean;
}

function atMidnight({ all_day: allDay, start, end }: Details): boolean {
  const isMidnight = (time: string | undefined) => time === undefined || /T00:00(?::00)?$/.test(time);
  return allDay !== true || (isMidnight(start) && isMidnight(end));
}

function fewAttendees({ attendees = [], optional_attendees: optional = [] }: Details): boolean {
  return attendees.length + optional.length <= MOST_ATTENDEES;
}

function attendeesOf(args: Details): JsonObject[] | undefined {
  if (args.attendees === undefined && args.optional_attendees === undefined) return undefined;
  const as = (type: string, list: readonly string[] = []) =>
    list.map((address) => ({ type, emailAddress: { address } }));
  return [...as('required', args.attendees), ...as('optional', args.optional_attendees)];
}

/** The members of an event that the arguments name. */
function changesOf(args: Details): JsonObject {
  const time = (dateTime: string | undefined) =>
    dateTime === undefined ? undefined : { dateTime, timeZone: args.time_zone };
  return compact({
    subject: args.subject,
    body: args.body === undefined ? undefined : { contentType: args.body_type, content: args.body },
    start: time(args.start),
    end: time(args.end),
    isAllDay: args.all_day,
    location: args.location === undefined ? undefined : { displayName: args.location },
    attendees: attendeesOf(args),
    isOnlineMeeting: args.online_meeting,
  });
}

function detailsCard(args: Details): CardField[] {
  const { start, end } = args;
  return [
    ...short('Title', args.subject),
    ...(start === undefined || end === undefined ? [] : whenFields(args, start, end)),
    ...short('Whole days', args.all_day === undefined ? undefined : yes(args.all_day)),
    ...short('Where', args.location),
    ...short('Attendees', attendeesOf(args)?.length === 0 ? 'Nobody' : [...(args.attendees ?? [])]),
    ...short('Optional', [...(args.optional_attendees ?? [])]),
    ...short('Teams meeting', args.online_meeting === undefined ? undefined : yes(args.online_meeting)),
    ...long(args.body_type === 'html' ? 'HTML' : 'Text', args.body),
  ];
}

/** Whole days are days in every zone. */
function whenFields({ all_day: allDay, time_zone: zone }: Details, start: string, end: string): CardField[] {
  return allDay ? short('When', `${start} – ${end} (${zone})`) : periodFields(start, end, zone);
}

function yes(value: boolean): string {
  return value ? 'Yes' : 'No';
}

/**
 * Creates the event; Exchange drops a repeat by its transactionId ("ErrorDuplicateTransactionId"), and then the event
 * that carries our mark is the one.
 * @throws UpstreamError not definite for such a repeat whose event is not found: an earlier request created one
 */
async function createEvent(context: CallContext, args: ReturnType<typeof created.read>): Promise<JsonObject> {
  const path = args.calendar_id === undefined ? '/events' : at`/calendars/${args.calendar_id}/events`;
  const { executionId } = context;
  const json = { ...changesOf(args), transactionId: transactionIdOf(executionId), ...markerOf(executionId) };
  const zone = { timeZone: args.time_zone };
  try {
    return eventOf(await callOutlook(context, { method: 'POST', path, json }, zone));
  } catch (error) {
    // The status of that refusal is not documented; its words are known.
    const isRepeat = error instanceof UpstreamError && /TransactionId/.test(error.message);
    if (!isRepeat) throw error;
    const [ours] = await findMarked(context, path, EVENT).catch(() => []);
    if (ours) return eventOf(ours);
    const message = 'Outlook says that this call created the event before, and it could not be found.';
    throw new UpstreamError('upstream_unavailable', message, { definite: false, cause: error });
  }
}

/** The event as it is, and as the call would make it. */
async function observeChange(
  context: CallContext,
  args: ReturnType<typeof changed.read>,
): Promise<Observation> {
  const found = await fetchEvent(context, args.id, WHOLE_EVENT, args.time_zone);
  const { location, body: newText, subject, start, end, time_zone: zone } = args;
  const [before, attendees] = [peopleOf(found.attendees), attendeesOf(args)];
  const field = (label: string, value: string, after?: string, kind: 'short' | 'long' = 'short') =>
    ({ label, value, kind, ...(after !== undefined && { after }) }) satisfies ObservedField;
  const names = (people: readonly string[]) => people.join(', ') || 'Nobody';
  const fields = [
    field('Title', textOf(found.subject) || '(no title)', subject),
    ...seriesFields(found),
    field('When', whenOf(found), start === undefined ? undefined : `${start} – ${end} (${zone})`),
    field('Attendees', names(before), attendees && names(peopleOf(attendees))),
    ...(location === undefined
      ? []
      : [field('Where', textOf(objectOf(found.location).displayName), location)]),
    ...(newText === undefined ? [] : [field('Text', textOf(objectOf(found.body).content), newText, 'long')]),
  ];
  return { fields, version: '' };
}

async function observeEvent(context: CallContext, { id: eventId }: { id: string }): Promise<Observation> {
  return { fields: eventFields(await fetchEvent(context, eventId, EVENT)), version: '' };
}

const RESPONSES = { accepted: 'accept', declined: 'decline', tentative: 'tentativelyAccept' } as const;
const WRITE = {
  risk: 'write',
  approval: 'ask',
  scopes: [SCOPES.writeCalendars],
} as const satisfies Partial<FunctionDefinition>;
const ONE =
  '{id, subject, start, end, all_day, location, organizer, attendees, my_response, show_as, type, series_id, is_cancelled, join_url, url}';

export const calendarWritingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'create_event',
    title: 'Create an event',
    description: 'Puts an event into a calendar. Attendees are invited by mail.',
    risk: 'destructive',
    riskOf: (args: Arguments) => (attendeesOf(created.read(args))?.length ? 'destructive' : 'write'),
    idempotency: 'key',
    input: created.schema,
    output: ONE,
    card: (args) => [
      ...detailsCard(created.read(args)),
      ...short('Calendar', created.read(args).calendar_id),
    ],
    observe: { none: 'It creates something new; there is no target yet.' },
    run: (context, args) => createEvent(context, created.read(args)),
  }),
  defineFunction({
    ...WRITE,
    name: 'update_event',
    title: 'Change an event',
    description:
      'Changes what is given of an event; the rest stays. Attendees are told by mail. A new text replaces the join details of a Teams meeting too.',
    reachesUnnamed: true,
    risk: 'destructive',
    // An invitation reaches people, whether the event is new or not.
    riskOf: (args: Arguments) => (attendeesOf(changed.read(args))?.length ? 'destructive' : 'write'),
    idempotency: 'natural',
    input: changed.schema,
    output: ONE,
    card: (args) => [...short('Event', changed.read(args).id), ...detailsCard(changed.read(args))],
    observe: { condition: null, read: (context, args) => observeChange(context, changed.read(args)) },
    async run(context, args) {
      const given = changed.read(args);
      const request = { method: 'PATCH', path: at`/events/${given.id}`, json: changesOf(given) } as const;
      return eventOf(await callOutlook(context, request, { timeZone: given.time_zone }));
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'respond_to_event',
    title: 'Answer an invitation',
    description: 'Accepts or declines an event that the mailbox was invited to.',
    reachesUnnamed: (args) => args.send_response !== false,
    idempotency: 'natural',
    input: answered.schema,
    output: '{id, response}',
    card: (args) => {
      const { id: eventId, response, comment, send_response: tell } = answered.read(args);
      return [
        ...short('Event', eventId),
        ...short('Answer', response),
        ...short('Tell the organiser', yes(tell)),
        ...long('Comment', comment),
      ];
    },
    observe: { condition: null, read: (context, args) => observeEvent(context, answered.read(args)) },
    async run(context, args) {
      const { id: eventId, response, comment, send_response: sendResponse } = answered.read(args);
      const path = at`/events/${eventId}/${RESPONSES[response]}`;
      await callOutlook(context, { method: 'POST', path, json: compact({ comment, sendResponse }) });
      return { id: eventId, response };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'cancel_event',
    title: 'Cancel a meeting',
    description: 'Cancels a meeting of this mailbox and tells its attendees by mail.',
    reachesUnnamed: true,
    risk: 'destructive',
    idempotency: 'natural',
    input: cancelled.schema,
    output: '{cancelled}: the id',
    card: (args) => {
      const { id: eventId, comment } = cancelled.read(args);
      return [...short('Event', eventId), ...long('Comment', comment)];
    },
    observe: { condition: null, read: (context, args) => observeEvent(context, cancelled.read(args)) },
    async run(context, args) {
      const { id: eventId, comment } = cancelled.read(args);
      const json = compact({ comment });
      await callOutlook(context, { method: 'POST', path: at`/events/${eventId}/cancel`, json });
      return { cancelled: eventId };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'delete_event',
    title: 'Delete an event',
    description: 'Deletes an event from the calendar. A meeting of this mailbox is cancelled with it.',
    reachesUnnamed: true,
    risk: 'destructive',
    idempotency: 'natural',
    input: oldEvent.schema,
    output: '{deleted}: the id',
    card: (args) => short('Event', oldEvent.read(args).id),
    observe: { condition: null, read: (context, args) => observeEvent(context, oldEvent.read(args)) },
    async run(context, args) {
      const { id: eventId } = oldEvent.read(args);
      await callOutlook(context, { method: 'DELETE', path: at`/events/${eventId}` });
      return { deleted: eventId };
    },
  }),
];
