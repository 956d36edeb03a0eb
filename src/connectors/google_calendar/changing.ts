/**
 * Calendar functions that change events. Every one reads its event first and hands its etag back (`If-Match`), so an
 * event that somebody changed in between is left alone.
 */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, long, manyLines, oneLine, short } from '../fields.js';
import {
  type Arguments,
  type CardField,
  defineFunction,
  type FunctionDefinition,
  type Observe,
  type ObservedField,
} from '../framework.js';
import { type JsonObject, objectsIn, textOf } from '../json.js';
import { periodFields } from '../period.js';
import { callCalendar, SCOPES } from './api.js';
import { answered, changed, guestsAfter, patchOf, refuseOmitted } from './changes.js';
import { EVENT_SHAPE, eventFields, eventOf, whenOf } from './event.js';
import {
  attendees,
  calendarId,
  etag,
  eventId,
  moment,
  otherCalendarId,
  recurrence,
  sendUpdates,
  timesProblem,
  timeZone,
} from './fields.js';

const target = { calendar_id: calendarId, event_id: eventId, etag };

const update = input(
  z
    .strictObject({
      ...target,
      summary: z.exactOptional(oneLine(1_024)).describe('The title.'),
      start: z.exactOptional(moment).describe('A day (2026-05-01) or a time; goes with end.'),
      end: z.exactOptional(moment).describe('For whole days the day after the last one.'),
      time_zone: z.exactOptional(timeZone),
      add_attendees: z.exactOptional(attendees).describe('Addresses of guests to invite.'),
      remove_attendees: z.exactOptional(attendees).describe('Addresses of guests to take off.'),
      location: z.exactOptional(z.union([oneLine(1_024), z.literal('')])).describe('"" takes it away.'),
      description: z.exactOptional(z.union([manyLines(8_192), z.literal('')])).describe('"" takes it away.'),
      recurrence: z.exactOptional(recurrence),
      send_updates: sendUpdates,
    })
    .check((context) => {
      const { calendar_id: _c, event_id: _e, etag: _t, send_updates: _s, ...changes } = context.value;
      const problem = Object.keys(changes).length === 0 ? 'names nothing to change' : timesProblem(changes);
      if (problem !== undefined)
        context.issues.push({ code: 'custom', message: problem, input: context.value });
    }),
);
const respond = input(
  z.strictObject({
    ...target,
    response: z.enum(['accepted', 'declined', 'tentative']),
    comment: z.exactOptional(oneLine(1_024)).describe('A note to the organizer.'),
    send_updates: sendUpdates,
  }),
);
const move = input(
  z.strictObject({
    ...target,
    destination: otherCalendarId.describe('id of the calendar that it goes to.'),
    send_updates: sendUpdates,
  }),
);
const remove = input(z.strictObject({ ...target, send_updates: sendUpdates }));

interface Target {
  readonly calendar_id: string;
  readonly event_id: string;
  readonly etag?: string;
}

const pathOf = ({ calendar_id: calendar, event_id: event }: Target): string[] => [
  'calendars',
  calendar,
  'events',
  event,
];

/** The event as it is now, for the approver and for the write's own condition. */
function observing<Asked extends Target>(
  read: (args: Arguments) => Asked,
  fieldsOf: (event: JsonObject, asked: Asked) => readonly ObservedField[],
): Observe {
  return {
    async read(context, args) {
      const asked = read(args);
      const event = await callCalendar(context, 'GET', pathOf(asked));
      const version = textOf(event.etag);
      const fields = fieldsOf(event, asked);
      // An etag of the caller's own goes out as it was approved, so ours cannot.
      if (version === '' || asked.etag !== undefined) return { fields, version };
      return { fields, version, condition: version };
    },
    condition: 'If-Match',
  };
}

const CHANGE = {
  approval: 'ask',
  scopes: [SCOPES.events],
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;

const where = ({ calendar_id: calendar, event_id: event, etag: own }: Target): CardField[] => [
  ...short('Event', event),
  ...short('Calendar', calendar),
  ...short('Only with etag', own),
];

export const changingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...CHANGE,
    name: 'update_event',
    title: 'Change an event',
    description: 'Changes the named fields of an event and tells its guests. What is not named stays.',
    reachesUnnamed: true,
    risk: 'destructive',
    // An invitation reaches people, whether the event is new or not.
    riskOf: (args) => ((update.read(args).add_attendees ?? []).length > 0 ? 'destructive' : 'write'),
    input: update.schema,
    output: EVENT_SHAPE,
    card: (args) => {
      const asked = update.read(args);
      const { start, end, time_zone: zone } = asked;
      return [
        ...where(asked),
        ...short('Title', asked.summary),
        ...(start === undefined ? [] : periodFields(start, end ?? '', zone)),
        ...short('Repeats', asked.recurrence),
        ...short('Invite', asked.add_attendees),
        ...short('Take off', asked.remove_attendees),
        ...short('Where', asked.location),
        ...long('Description', asked.description),
        ...short('Tell by mail', asked.send_updates),
      ];
    },
    observe: observing(update.read, (event, asked) => {
      const { start, end, time_zone: zone } = asked;
      const guests = guestsAfter(event, asked).map(({ email }) => textOf(email));
      return changed(event, [
        ...short('Title', asked.summary),
        ...short('When', start === undefined ? undefined : whenOf(start, end ?? '', zone)),
        ...short('Repeats', asked.recurrence),
        ...short('Where', asked.location),
        { label: 'Guests', value: guests.join(', '), kind: 'short' },
        ...long('Description', asked.description),
      ]);
    }),
    async run(context, args) {
      const asked = update.read(args);
      let ifMatch = context.condition;
      let guests: JsonObject[] | undefined;
      if (asked.add_attendees !== undefined || asked.remove_attendees !== undefined) {
        const event = await callCalendar(context, 'GET', pathOf(asked));
        refuseOmitted(event);
        guests = guestsAfter(event, asked);
        ifMatch ??= textOf(event.etag);
      }
      const query = { sendUpdates: asked.send_updates };
      const more = { query, json: patchOf(asked, guests), etag: asked.etag, ifMatch };
      return eventOf(await callCalendar(context, 'PATCH', pathOf(asked), more));
    },
  }),
  defineFunction({
    ...CHANGE,
    name: 'respond_to_event',
    title: 'Answer an invitation',
    description: 'Accepts an invitation, declines it, or says maybe, for the account whose calendar this is.',
    reachesUnnamed: true,
    risk: 'write',
    input: respond.schema,
    output: EVENT_SHAPE,
    card: (args) => {
      const asked = respond.read(args);
      return [
        ...where(asked),
        ...short('Answer', asked.response),
        ...long('Note', asked.comment),
        ...short('Tell by mail', asked.send_updates),
      ];
    },
    observe: observing(respond.read, (event, { response }) => {
      const own = objectsIn(event.attendees).find(({ self }) => self === true);
      const value = textOf(own?.responseStatus);
      const after = value === response ? {} : { after: response };
      return [...eventFields(event), { label: 'Answer', value, kind: 'short', ...after }];
    }),
    async run(context, args) {
      const asked = respond.read(args);
      // Google has no call for an answer: the own entry among the guests is it.
      const event = await callCalendar(context, 'GET', pathOf(asked));
      const query = { sendUpdates: asked.send_updates };
      const ifMatch = context.condition ?? textOf(event.etag);
      const more = { query, json: answered(event, asked), etag: asked.etag, ifMatch };
      return eventOf(await callCalendar(context, 'PATCH', pathOf(asked), more));
    },
  }),
  defineFunction({
    ...CHANGE,
    name: 'move_event',
    title: 'Move an event to another calendar',
    description: 'Moves an event to another calendar, whose owner becomes its organizer.',
    reachesUnnamed: true,
    risk: 'write',
    input: move.schema,
    output: EVENT_SHAPE,
    card: (args) => {
      const asked = move.read(args);
      return [
        ...where(asked),
        ...short('Goes to', asked.destination),
        ...short('Tell by mail', asked.send_updates),
      ];
    },
    observe: observing(move.read, (event, { calendar_id: calendar, destination }) => [
      ...eventFields(event),
      { label: 'Calendar', value: calendar, kind: 'short', after: destination },
    ]),
    async run(context, args) {
      const asked = move.read(args);
      const query = { destination: asked.destination, sendUpdates: asked.send_updates };
      const more = { query, etag: asked.etag, ifMatch: context.condition };
      return eventOf(await callCalendar(context, 'POST', [...pathOf(asked), 'move'], more));
    },
  }),
  defineFunction({
    ...CHANGE,
    name: 'delete_event',
    title: 'Delete an event',
    description: 'Deletes an event and tells its guests that it is off.',
    reachesUnnamed: true,
    risk: 'destructive',
    input: remove.schema,
    output: '{deleted}: the id',
    card: (args) => {
      const asked = remove.read(args);
      return [...where(asked), ...short('Tell by mail', asked.send_updates)];
    },
    observe: observing(remove.read, eventFields),
    async run(context, args) {
      const asked = remove.read(args);
      const query = { sendUpdates: asked.send_updates };
      try {
        await callCalendar(context, 'DELETE', pathOf(asked), {
          query,
          etag: asked.etag,
          ifMatch: context.condition,
        });
      } catch (error) {
        // Gone already, perhaps by a call of ours whose answer was lost.
        if (!(error instanceof UpstreamError) || error.status !== 410) throw error;
      }
      return { deleted: asked.event_id };
    },
  }),
];
