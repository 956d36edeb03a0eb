/** Calendar functions that only read. */
import { z } from 'zod';
import { input, oneLine, pageSize, pageToken, plainCard } from '../fields.js';
import { defineFunction, type FunctionDefinition, type UpstreamRequest } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { callCalendar, SCOPES } from './api.js';
import { EVENT_SHAPE, eventOf } from './event.js';
import { calendarId, eventId, instant, otherCalendarId, timeZone } from './fields.js';

const READ = {
  risk: 'read',
  approval: 'auto',
  scopes: [SCOPES.eventsRead],
  idempotency: 'natural',
  card: plainCard,
} as const satisfies Partial<FunctionDefinition>;

const page = {
  max_results: pageSize(250),
  page_token: z.exactOptional(pageToken).describe('next_page_token of the page before.'),
};
const window = {
  time_min: z.exactOptional(instant).describe('Only events that end after it.'),
  time_max: z.exactOptional(instant).describe('Only events that start before it.'),
  time_zone: z.exactOptional(timeZone).describe('Times of the answer are in this zone.'),
};
const listing = {
  calendar_id: calendarId,
  ...window,
  single_events: z.boolean().default(true).describe('Each date of an event that repeats by itself.'),
  order_by: z
    .exactOptional(z.enum(['startTime', 'updated']))
    .describe('startTime (the default) needs single_events.'),
  ...page,
};
const searching = { q: oneLine(1_024).describe('Words in the title, text, place or guests.'), ...listing };

interface Window {
  readonly time_min?: string;
  readonly time_max?: string;
}
interface Listing extends Window {
  readonly single_events: boolean;
  readonly order_by?: string;
}
const isInOrder = ({ time_min: from, time_max: to }: Window): boolean =>
  from === undefined || to === undefined || Date.parse(from) < Date.parse(to);
const BACKWARDS = { error: 'time_min must come before time_max', path: ['time_max'] };
const canOrder = (args: Listing): boolean => args.order_by !== 'startTime' || args.single_events;
const UNORDERED = { error: 'startTime needs single_events', path: ['order_by'] };

const list = input(z.strictObject(listing).refine(isInOrder, BACKWARDS).refine(canOrder, UNORDERED));
const search = input(z.strictObject(searching).refine(isInOrder, BACKWARDS).refine(canOrder, UNORDERED));
const instances = input(
  z
    .strictObject({ calendar_id: calendarId, event_id: eventId, ...window, ...page })
    .refine(isInOrder, BACKWARDS),
);
const oneEvent = input(
  z.strictObject({ calendar_id: calendarId, event_id: eventId, time_zone: window.time_zone }),
);
const calendars = input(z.strictObject(page));
const freeBusy = input(
  z
    .strictObject({
      time_min: instant,
      time_max: instant,
      calendar_ids: z.array(otherCalendarId).min(1).max(50).default(['primary']),
      time_zone: window.time_zone,
    })
    .refine(isInOrder, BACKWARDS),
);

function eventQuery(
  args: Omit<ReturnType<typeof list.read>, 'calendar_id'> & { q?: string },
): NonNullable<UpstreamRequest['query']> {
  return {
    q: args.q,
    timeMin: args.time_min,
    timeMax: args.time_max,
    timeZone: args.time_zone,
    singleEvents: String(args.single_events),
    orderBy: args.order_by ?? (args.single_events ? 'startTime' : undefined),
    maxResults: String(args.max_results),
    pageToken: args.page_token,
  };
}

function eventsOf(answer: JsonObject): JsonObject {
  return {
    events: objectsIn(answer.items).map(eventOf),
    next_page_token: textOrNull(answer.nextPageToken),
  };
}

const EVENTS_SHAPE = `{events: [${EVENT_SHAPE}], next_page_token}`;

export const readingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_calendars',
    title: 'List calendars',
    description: 'Lists the calendars of the account with their ids.',
    scopes: [SCOPES.list],
    input: calendars.schema,
    output: '{calendars: [{id, name, description, time_zone, primary, access_role}], next_page_token}',
    async run(context, args) {
      const { max_results: most, page_token: token } = calendars.read(args);
      const answer = await callCalendar(context, 'GET', ['users', 'me', 'calendarList'], {
        query: { maxResults: String(most), pageToken: token },
      });
      const found = objectsIn(answer.items).map((calendar) => ({
        id: textOf(calendar.id),
        name: textOf(calendar.summaryOverride) || textOf(calendar.summary),
        description: textOf(calendar.description),
        time_zone: textOf(calendar.timeZone),
        primary: calendar.primary === true,
        access_role: textOf(calendar.accessRole),
      }));
      return { calendars: found, next_page_token: textOrNull(answer.nextPageToken) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_events',
    title: 'List events',
    description: 'Lists the events of a calendar between two times, in the order in which they begin.',
    input: list.schema,
    output: EVENTS_SHAPE,
    async run(context, args) {
      const { calendar_id: calendar, ...rest } = list.read(args);
      const query = eventQuery(rest);
      return eventsOf(await callCalendar(context, 'GET', ['calendars', calendar, 'events'], { query }));
    },
  }),
  defineFunction({
    ...READ,
    name: 'search_events',
    title: 'Search events',
    description: 'Finds events of a calendar by words in their title, text, place or guests.',
    input: search.schema,
    output: EVENTS_SHAPE,
    async run(context, args) {
      const { calendar_id: calendar, ...rest } = search.read(args);
      const query = eventQuery(rest);
      return eventsOf(await callCalendar(context, 'GET', ['calendars', calendar, 'events'], { query }));
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_event',
    title: 'Read an event',
    description: 'Reads one event: when, where, what about, and who comes.',
    input: oneEvent.schema,
    output: EVENT_SHAPE,
    async run(context, args) {
      const { calendar_id: calendar, event_id: event, time_zone: zone } = oneEvent.read(args);
      const query = { timeZone: zone };
      return eventOf(await callCalendar(context, 'GET', ['calendars', calendar, 'events', event], { query }));
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_instances',
    title: 'List the dates of a repeated event',
    description: 'Lists every date of an event that repeats, each with an id of its own.',
    input: instances.schema,
    output: EVENTS_SHAPE,
    async run(context, args) {
      const asked = instances.read(args);
      const path = ['calendars', asked.calendar_id, 'events', asked.event_id, 'instances'];
      const query = {
        timeMin: asked.time_min,
        timeMax: asked.time_max,
        timeZone: asked.time_zone,
        maxResults: String(asked.max_results),
        pageToken: asked.page_token,
      };
      return eventsOf(await callCalendar(context, 'GET', path, { query }));
    },
  }),
  defineFunction({
    ...READ,
    name: 'query_free_busy',
    title: 'See who is busy',
    description: 'Tells when calendars are busy between two times, without saying with what.',
    scopes: [SCOPES.freeBusy],
    input: freeBusy.schema,
    output: '{time_min, time_max, calendars: [{id, busy: [{start, end}], errors: [reason]}]}',
    async run(context, args) {
      const asked = freeBusy.read(args);
      const answer = await callCalendar(context, 'POST', ['freeBusy'], {
        json: {
          timeMin: asked.time_min,
          timeMax: asked.time_max,
          items: asked.calendar_ids.map((id) => ({ id })),
          ...(asked.time_zone === undefined ? {} : { timeZone: asked.time_zone }),
        },
      });
      return {
        time_min: textOf(answer.timeMin),
        time_max: textOf(answer.timeMax),
        calendars: Object.entries(objectOf(answer.calendars)).map(([id, value]) => ({
          id,
          busy: objectsIn(objectOf(value).busy).map((one) => ({
            start: textOf(one.start),
            end: textOf(one.end),
          })),
          errors: objectsIn(objectOf(value).errors).map(({ reason }) => textOf(reason)),
        })),
      };
    },
  }),
];
