/** Our requests beside those of @googleapis/calendar, the vendor's own client, for the same calls. */
import { readFileSync } from 'node:fs';
import { calendar, type calendar_v3 } from '@googleapis/calendar';
import nock from 'nock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { eventIdOf } from '../../src/connectors/google_calendar/creating.js';
import { googleCalendarConnector } from '../../src/connectors/google_calendar/index.js';
import { call, callContext, functionNamed } from '../connectors/call-context.js';
import { type Answer, essence, type Recorded, type Recorder, startRecorder } from './recorder.js';

const functions = googleCalendarConnector.functions({});
const ETAG = '"3181161784712000"';
const ID = eventIdOf('exe_contract');

let recorder: Recorder;
let google: calendar_v3.Calendar;

beforeAll(async () => {
  nock.disableNetConnect();
  nock.enableNetConnect('127.0.0.1');
  recorder = await startRecorder();
  google = calendar({ version: 'v3', rootUrl: recorder.origin });
});
afterAll(async () => {
  nock.enableNetConnect();
  await recorder.close();
});
beforeEach(() => {
  recorder.answer = ({ method }): Answer => (method === 'GET' ? { body: meeting } : { body: {} });
});

const own = { email: 'ada@siesta.example', self: true, responseStatus: 'needsAction' };
const ben = { email: 'ben@siesta.example', responseStatus: 'accepted', optional: true };
const meeting = { id: 'e1', etag: ETAG, summary: 'Lunch', attendees: [own, ben] };

const essences = (requests: readonly Recorded[]) =>
  requests.map((each) => essence(each, { headers: ['if-match'] }));

type Case = readonly [name: string, args: Arguments, theirs: () => Promise<unknown>, what?: string];

const work = 'team#work@group.calendar.google.com';
const times = {
  timeMin: '2026-05-01T00:00:00+02:00',
  timeMax: '2026-05-08T00:00:00Z',
  timeZone: 'Europe/Zurich',
};
const between = { time_min: times.timeMin, time_max: times.timeMax, time_zone: times.timeZone };
const e1 = { calendarId: 'primary', eventId: 'e1' };
const ours = { event_id: 'e1', etag: ETAG };
const ifMatch = { headers: { 'If-Match': ETAG } };

const cases: readonly Case[] = [
  [
    'list_calendars',
    { max_results: 5, page_token: 'p/2=' },
    () => google.calendarList.list({ maxResults: 5, pageToken: 'p/2=' }),
  ],
  [
    'list_events',
    { calendar_id: work, ...between, max_results: 250, page_token: 'p2' },
    () =>
      google.events.list({
        calendarId: work,
        ...times,
        singleEvents: true,
        orderBy: 'startTime',
        maxResults: 250,
        pageToken: 'p2',
      }),
  ],
  [
    'search_events',
    { q: 'lunch & “tea”', single_events: false, order_by: 'updated' },
    () =>
      google.events.list({
        calendarId: 'primary',
        q: 'lunch & “tea”',
        singleEvents: false,
        orderBy: 'updated',
        maxResults: 25,
      }),
  ],
  [
    'get_event',
    { event_id: 'e1_20260501T080000Z', time_zone: 'UTC' },
    () => google.events.get({ calendarId: 'primary', eventId: 'e1_20260501T080000Z', timeZone: 'UTC' }),
  ],
  [
    'list_instances',
    { calendar_id: work, event_id: 'e1', ...between, max_results: 3, page_token: 'p2' },
    () =>
      google.events.instances({ calendarId: work, eventId: 'e1', ...times, maxResults: 3, pageToken: 'p2' }),
  ],
  [
    'query_free_busy',
    { ...between, calendar_ids: ['primary', work] },
    () => google.freebusy.query({ requestBody: { ...times, items: [{ id: 'primary' }, { id: work }] } }),
  ],
  [
    'create_event',
    {
      calendar_id: work,
      summary: 'Lunch',
      start: '2026-05-01T12:00:00',
      end: '2026-05-01T13:00:00',
      time_zone: 'Europe/Zurich',
      attendees: ['ben@siesta.example'],
      location: 'Café',
      description: 'Soup\nand bread',
      recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'],
      conference: true,
      send_updates: 'externalOnly',
    },
    () =>
      google.events.insert({
        calendarId: work,
        sendUpdates: 'externalOnly',
        conferenceDataVersion: 1,
        requestBody: {
          id: ID,
          summary: 'Lunch',
          start: { dateTime: '2026-05-01T12:00:00', timeZone: 'Europe/Zurich' },
          end: { dateTime: '2026-05-01T13:00:00', timeZone: 'Europe/Zurich' },
          attendees: [{ email: 'ben@siesta.example' }],
          location: 'Café',
          description: 'Soup\nand bread',
          recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'],
          conferenceData: {
            createRequest: { requestId: ID, conferenceSolutionKey: { type: 'hangoutsMeet' } },
          },
          extendedProperties: { private: { siestaExecution: 'exe_contract' } },
        },
      }),
  ],
  [
    'create_event',
    { summary: 'Holiday', start: '2026-05-01', end: '2026-05-02' },
    () =>
      google.events.insert({
        calendarId: 'primary',
        sendUpdates: 'all',
        requestBody: {
          id: ID,
          summary: 'Holiday',
          start: { date: '2026-05-01' },
          end: { date: '2026-05-02' },
          extendedProperties: { private: { siestaExecution: 'exe_contract' } },
        },
      }),
    'of whole days',
  ],
  [
    'quick_add_event',
    { text: 'Lunch with Cleo tomorrow 12:30' },
    () =>
      google.events.quickAdd({
        calendarId: 'primary',
        text: 'Lunch with Cleo tomorrow 12:30',
        sendUpdates: 'all',
      }),
  ],
  [
    'update_event',
    {
      ...ours,
      summary: 'Dinner',
      start: '2026-05-01T18:00:00+02:00',
      end: '2026-05-01T19:00:00+02:00',
      location: '',
      description: 'Late',
      recurrence: ['RRULE:FREQ=DAILY'],
      time_zone: 'Europe/Zurich',
    },
    () =>
      google.events.patch(
        {
          ...e1,
          sendUpdates: 'all',
          requestBody: {
            summary: 'Dinner',
            start: { dateTime: '2026-05-01T18:00:00+02:00', date: null, timeZone: 'Europe/Zurich' },
            end: { dateTime: '2026-05-01T19:00:00+02:00', date: null, timeZone: 'Europe/Zurich' },
            location: '',
            description: 'Late',
            recurrence: ['RRULE:FREQ=DAILY'],
          },
        },
        ifMatch,
      ),
  ],
  [
    'update_event',
    { event_id: 'e1', add_attendees: ['cleo@siesta.example'], send_updates: 'none' },
    async () => {
      await google.events.get(e1);
      const attendees = [own, ben, { email: 'cleo@siesta.example' }];
      await google.events.patch({ ...e1, sendUpdates: 'none', requestBody: { attendees } }, ifMatch);
    },
    'guests',
  ],
  [
    'respond_to_event',
    { event_id: 'e1', response: 'tentative', comment: 'If it rains' },
    async () => {
      await google.events.get(e1);
      const attendees = [{ ...own, responseStatus: 'tentative', comment: 'If it rains' }, ben];
      await google.events.patch({ ...e1, sendUpdates: 'all', requestBody: { attendees } }, ifMatch);
    },
  ],
  [
    'move_event',
    { ...ours, destination: work },
    () => google.events.move({ ...e1, destination: work, sendUpdates: 'all' }, ifMatch),
  ],
  ['delete_event', ours, () => google.events.delete({ ...e1, sendUpdates: 'all' }, ifMatch)],
  [
    'share_calendar',
    {
      calendar_id: work,
      type: 'user',
      value: 'ben@siesta.example',
      role: 'reader',
      send_notifications: false,
    },
    () =>
      google.acl.insert({
        calendarId: work,
        sendNotifications: false,
        requestBody: { role: 'reader', scope: { type: 'user', value: 'ben@siesta.example' } },
      }),
  ],
  [
    'share_calendar',
    { type: 'default', role: 'freeBusyReader' },
    () =>
      google.acl.insert({
        calendarId: 'primary',
        sendNotifications: true,
        requestBody: { role: 'freeBusyReader', scope: { type: 'default' } },
      }),
    'with everybody',
  ],
  [
    'create_calendar',
    { name: 'Team', description: 'All of us', time_zone: 'Europe/Zurich' },
    () =>
      google.calendars.insert({
        requestBody: { summary: 'Team', description: 'All of us', timeZone: 'Europe/Zurich' },
      }),
  ],
  ['delete_calendar', { calendar_id: work }, () => google.calendars.delete({ calendarId: work })],
];

describe('what we send is what the client of Google sends', () => {
  it.each(cases.map((each) => [`${each[0]} ${each[3] ?? ''}`.trim(), each] as const))(
    '%s',
    async (_, each) => {
      const [name, args, theirs] = each;
      const context = callContext({ executionId: 'exe_contract', baseUrl: recorder.origin });
      const sent = await recorder.during(() => call(functionNamed(functions, name), context, args));
      const expected = await recorder.during(theirs);
      expect(sent.length).toBeGreaterThan(0);
      expect(essences(sent)).toEqual(essences(expected));
    },
  );

  it.each<[string, Arguments, () => Promise<unknown>]>([
    ['delete_event', { event_id: 'e1' }, () => google.events.get(e1)],
    [
      'share_calendar',
      { type: 'user', value: 'ben@siesta.example', role: 'reader' },
      () => google.acl.get({ calendarId: 'primary', ruleId: 'user:ben@siesta.example' }),
    ],
    ['delete_calendar', { calendar_id: work }, () => google.calendars.get({ calendarId: work })],
  ])('to show the target of %s', async (name, args, theirs) => {
    const fn = functionNamed(functions, name);
    const { observe } = fn;
    const context = callContext({ baseUrl: recorder.origin });
    const parsed = fn.input.parse(args);
    const sent = await recorder.during(async () => {
      if (parsed.ok && observe && 'read' in observe) await observe.read(context, parsed.value);
    });
    expect(sent).toHaveLength(1);
    expect(essences(sent)).toEqual(essences(await recorder.during(theirs)));
  });
});

it('the record of what was compared is true', () => {
  const path = new URL('./verified/google_calendar.json', import.meta.url);
  const record = JSON.parse(readFileSync(path, 'utf8')) as { checked: string[]; unchecked: object };
  const compared = new Set(cases.map(([name]) => name));
  expect(record.checked).toEqual([...compared].sort());
  const known = [...compared, ...Object.keys(record.unchecked)];
  expect(known.sort()).toEqual(functions.map(({ name }) => name).sort());
});
