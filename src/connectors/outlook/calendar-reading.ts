/** Outlook functions that read calendars and find time. */
import { z } from 'zod';
import { input, pageSize, short } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { at, graphPageToken, pageOf, pageQuery } from '../microsoft/graph.js';
import { mailAddress } from '../mime.js';
import { callOutlook, SCOPES } from './api.js';
import { EVENT, eventOf, fetchEvent, WHOLE_EVENT } from './event.js';
import { id, localTime, moment, timeZone } from './fields.js';
import { personOf } from './message.js';

const page = { max_results: pageSize(100), page_token: z.exactOptional(graphPageToken) };

const calendars = input(z.strictObject(page));
const listing = input(
  z.strictObject({
    start: moment,
    end: moment,
    calendar_id: z.exactOptional(id).describe('Another calendar than the default one.'),
    time_zone: timeZone,
    ...page,
  }),
);
const oneEvent = input(
  z.strictObject({
    id,
    time_zone: timeZone,
    body_max_chars: z
      .int()
      .min(1)
      .max(100_000)
      .default(20_000)
      .describe('The text of an event is cut after so many characters.'),
  }),
);
/** At most 20 at a time (calendar: getSchedule takes more, and less than 62 days). */
const people = z.array(mailAddress).min(1).max(20);
const schedule = input(
  z.strictObject({
    people: people.describe('Addresses of people, groups or rooms.'),
    start: localTime,
    end: localTime,
    time_zone: timeZone,
    slot_minutes: z.int().min(5).max(1_440).default(30).describe('Length of one slot of the availability.'),
  }),
);
const meeting = input(
  z.strictObject({
    attendees: people,
    start: localTime,
    end: localTime,
    time_zone: timeZone,
    duration_minutes: z.int().min(5).max(1_440).default(30),
    max_results: z.int().min(1).max(20).default(5),
  }),
);

function slotOf(slot: JsonObject): JsonObject {
  const [start, end] = [objectOf(slot.start), objectOf(slot.end)];
  return { start: textOf(start.dateTime), end: textOf(end.dateTime), time_zone: textOf(start.timeZone) };
}

function scheduleOf(found: JsonObject): JsonObject {
  return {
    who: textOf(found.scheduleId),
    availability: textOf(found.availabilityView),
    busy: objectsIn(found.scheduleItems).map((item) => ({ status: textOf(item.status), ...slotOf(item) })),
    error: textOrNull(objectOf(found.error).message),
  };
}

const READ = {
  risk: 'read',
  approval: 'auto',
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;
const ONE =
  '{id, subject, start, end, all_day, location, organizer, attendees, my_response, show_as, type, series_id, is_cancelled, join_url, url}';

export const calendarReadingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_calendars',
    title: 'List calendars',
    description: 'The calendars of the mailbox.',
    scopes: [SCOPES.readBasicCalendars],
    input: calendars.schema,
    output: '{calendars: [{id, name, owner, is_default, can_edit}], next_page_token}',
    card: () => [],
    async run(context, args) {
      const { max_results: top, page_token: token } = calendars.read(args);
      const query = { $top: String(top), ...pageQuery(token) };
      const { items, next_page_token } = pageOf(await callOutlook(context, { path: '/calendars', query }));
      const found = items.map((calendar) => ({
        id: textOf(calendar.id),
        name: textOf(calendar.name),
        owner: personOf({ emailAddress: calendar.owner ?? null }),
        is_default: calendar.isDefaultCalendar === true,
        can_edit: calendar.canEdit === true,
      }));
      return { calendars: found, next_page_token };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_events',
    title: 'List events',
    description: 'Events between two moments, each occurrence of a series by itself, without their text.',
    scopes: [SCOPES.readBasicCalendars],
    input: listing.schema,
    output: `{events: [${ONE}], next_page_token}`,
    card: (args) => {
      const { start, end, calendar_id: calendar } = listing.read(args);
      return [...short('From', start), ...short('To', end), ...short('Calendar', calendar)];
    },
    async run(context, args) {
      const { start, end, calendar_id: calendar, time_zone, max_results, page_token } = listing.read(args);
      const path =
        calendar === undefined ? '/calendar/calendarView' : at`/calendars/${calendar}/calendarView`;
      const query = {
        startDateTime: start,
        endDateTime: end,
        $select: EVENT,
        $orderby: 'start/dateTime',
        $top: String(max_results),
        ...pageQuery(page_token),
      };
      const { items, next_page_token } = pageOf(
        await callOutlook(context, { path, query }, { timeZone: time_zone }),
      );
      return { events: items.map(eventOf), next_page_token };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_event',
    title: 'Read an event',
    description: 'An event with its text and who answered it.',
    scopes: [SCOPES.readCalendars],
    input: oneEvent.schema,
    output: `${ONE} and {body_text, truncated}`,
    card: (args) => short('Event', oneEvent.read(args).id),
    async run(context, args) {
      const { id: eventId, time_zone: zone, body_max_chars: most } = oneEvent.read(args);
      const event = await fetchEvent(context, eventId, WHOLE_EVENT, zone);
      const text = textOf(objectOf(event.body).content);
      return { ...eventOf(event), body_text: text.slice(0, most), truncated: text.length > most };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_schedule',
    title: 'See who is free',
    description: 'When people, groups or rooms are busy between two times.',
    scopes: [SCOPES.readBasicCalendars],
    input: schedule.schema,
    output:
      '{schedules: [{who, availability, busy: [{status, start, end, time_zone}], error}]}; availability has a digit a slot: 0 free, 1 tentative, 2 busy, 3 away',
    card: (args) => {
      const { people: who, start, end } = schedule.read(args);
      return [...short('Who', who), ...short('From', start), ...short('To', end)];
    },
    async run(context, args) {
      const { people: schedules, start, end, time_zone: zone, slot_minutes: interval } = schedule.read(args);
      const json = {
        schedules,
        startTime: { dateTime: start, timeZone: zone },
        endTime: { dateTime: end, timeZone: zone },
        availabilityViewInterval: interval,
      };
      const request = { method: 'POST', path: '/calendar/getSchedule', json } as const;
      const answer = await callOutlook(context, request, { timeZone: zone });
      return { schedules: objectsIn(answer.value).map(scheduleOf) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'find_meeting_times',
    title: 'Find a time to meet',
    description: 'Suggests times at which the attendees and the owner of the mailbox are free.',
    scopes: [SCOPES.readSharedCalendars],
    // Microsoft offers no application permission for it.
    auth: ['oauth'],
    input: meeting.schema,
    output: '{suggestions: [{start, end, time_zone, confidence, attendees: [{who, availability}]}], reason}',
    card: (args) => {
      const { attendees, start, end, duration_minutes: minutes } = meeting.read(args);
      const times = [...short('From', start), ...short('To', end), ...short('Minutes', minutes)];
      return [...short('Attendees', attendees), ...times];
    },
    async run(context, args) {
      const {
        attendees,
        start,
        end,
        time_zone: zone,
        duration_minutes: minutes,
        max_results,
      } = meeting.read(args);
      const slot = { start: { dateTime: start, timeZone: zone }, end: { dateTime: end, timeZone: zone } };
      const json = {
        attendees: attendees.map((address) => ({ type: 'required', emailAddress: { address } })),
        timeConstraint: { activityDomain: 'work', timeSlots: [slot] },
        meetingDuration: `PT${minutes}M`,
        maxCandidates: max_results,
      };
      const request = { method: 'POST', path: '/findMeetingTimes', json } as const;
      const answer = await callOutlook(context, request, { timeZone: zone });
      const suggestions = objectsIn(answer.meetingTimeSuggestions).map((suggestion) => ({
        ...slotOf(objectOf(suggestion.meetingTimeSlot)),
        confidence: numberOf(suggestion.confidence),
        attendees: objectsIn(suggestion.attendeeAvailability).map(({ attendee, availability }) => ({
          who: personOf(attendee),
          availability: textOf(availability),
        })),
      }));
      return { suggestions, reason: textOrNull(answer.emptySuggestionsReason) };
    },
  }),
];
