import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { outlookConnector } from '../../src/connectors/outlook/index.js';
import { transactionIdOf } from '../../src/connectors/outlook/marker.js';
import { call, functionNamed } from './call-context.js';
import { AT_PLANNING, PLANNING, short } from './outlook-fixtures.js';
import { observed, ok, refusal, type ScriptedGraph, startGraph } from './scripted-graph.js';

const functions = outlookConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);

let graph: ScriptedGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());
beforeEach(() => {
  graph.answers = {};
  graph.asked();
});

const run = (name: string, args: Arguments, options = {}) => call(fn(name), graph.context(options), args);
const observe = (name: string, args: Arguments) => observed(fn(name), graph.context(), args);
const sentJson = () => JSON.parse(graph.last().body.toString());

describe('calendar', () => {
  const EVENT = {
    subject: 'Planning',
    start: '2026-05-04T09:00:00',
    end: '2026-05-04T10:00:00',
    time_zone: 'Europe/Berlin',
  };
  const SHOWN = {
    id: 'AAkEv_1=',
    start: { date_time: '2026-05-04T09:00:00', time_zone: 'Europe/Berlin' },
    attendees: [{ who: 'Ben <ben@siesta.example>', type: 'required', response: 'accepted' }],
    my_response: 'organizer',
    location: 'Room 1',
    join_url: 'https://teams.example/1',
    series_id: null,
  };

  it('shows events in the zone that was asked for', async () => {
    graph.answers['GET /me/calendar/calendarView'] = ok({ value: [PLANNING] });
    const args = {
      start: '2026-05-04T00:00:00+02:00',
      end: '2026-05-05T00:00:00+02:00',
      time_zone: 'Europe/Berlin',
    };
    expect(await run('list_events', args)).toMatchObject({ events: [SHOWN], next_page_token: null });
    expect(graph.last().headers.prefer).toBe('IdType="ImmutableId", outlook.timezone="Europe/Berlin"');
    graph.answers[AT_PLANNING] = ok(PLANNING);
    expect(await run('get_event', { id: 'AAkEv_1=' })).toMatchObject({
      ...SHOWN,
      body_text: 'Agenda',
      truncated: false,
    });
  });

  it('says who is busy, and whom it knows nothing of', async () => {
    graph.answers['POST /me/calendar/getSchedule'] = ok({
      value: [
        {
          scheduleId: 'ben@siesta.example',
          availabilityView: '0020',
          scheduleItems: [{ status: 'busy', start: PLANNING.start, end: PLANNING.end }],
        },
        {
          scheduleId: 'x@y.example',
          error: { message: 'Unable to resolve e-mail address.', responseCode: 'E' },
        },
      ],
    });
    const args = {
      people: ['ben@siesta.example', 'x@y.example'],
      start: '2026-05-04T09:00',
      end: '2026-05-04T17:00',
    };
    expect(await run('get_schedule', args)).toMatchObject({
      schedules: [
        {
          who: 'ben@siesta.example',
          availability: '0020',
          busy: [{ status: 'busy', time_zone: 'Europe/Berlin' }],
          error: null,
        },
        { who: 'x@y.example', busy: [], error: 'Unable to resolve e-mail address.' },
      ],
    });
  });

  it('suggests times to meet, for people who signed in only', async () => {
    graph.answers['POST /me/findMeetingTimes'] = ok({
      emptySuggestionsReason: '',
      meetingTimeSuggestions: [
        {
          confidence: 100,
          meetingTimeSlot: { start: PLANNING.start, end: PLANNING.end },
          attendeeAvailability: [
            { availability: 'free', attendee: { emailAddress: { address: 'ben@siesta.example' } } },
          ],
        },
      ],
    });
    const args = { attendees: ['ben@siesta.example'], start: '2026-05-04T09:00', end: '2026-05-04T17:00' };
    expect(await run('find_meeting_times', args)).toEqual({
      suggestions: [
        {
          start: '2026-05-04T09:00:00.0000000',
          end: '2026-05-04T10:00:00.0000000',
          time_zone: 'Europe/Berlin',
          confidence: 100,
          attendees: [{ who: 'ben@siesta.example', availability: 'free' }],
        },
      ],
      reason: null,
    });
    expect(fn('find_meeting_times').auth).toEqual(['oauth']);
  });

  it('creates an event once: a repeat finds the first', async () => {
    graph.answers['POST /me/events'] = ok(PLANNING);
    expect(await run('create_event', EVENT)).toMatchObject(SHOWN);
    expect(sentJson().transactionId).toBe(transactionIdOf('exe_test_1'));
    graph.answers['POST /me/events'] = refusal(409, 'ErrorDuplicateTransactionId');
    graph.answers['GET /me/events'] = ok({ value: [PLANNING] });
    expect(await run('create_event', EVENT)).toMatchObject(SHOWN);
    for (const answer of [ok({ value: [] }), refusal(403, 'ErrorAccessDenied')]) {
      graph.answers['GET /me/events'] = answer;
      await expect(run('create_event', EVENT)).rejects.toMatchObject({ definite: false });
    }
    graph.answers['POST /me/events'] = refusal(409, 'ErrorConflict');
    await expect(run('create_event', EVENT)).rejects.toMatchObject({ status: 409, definite: true });
  });

  it('has one transaction id an execution', () => {
    expect(transactionIdOf('exe_1')).toBe(transactionIdOf('exe_1'));
    expect(transactionIdOf('exe_1')).not.toBe(transactionIdOf('exe_2'));
    expect(transactionIdOf('exe_1')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it('is riskier with attendees: they get mail', () => {
    const { riskOf, risk } = fn('create_event');
    expect(risk).toBe('destructive');
    expect(riskOf?.(EVENT)).toBe('write');
    expect(riskOf?.({ ...EVENT, optional_attendees: ['ben@siesta.example'] })).toBe('destructive');
    expect(fn('create_event').card({ ...EVENT, attendees: ['ben@siesta.example'], body: 'Agenda' })).toEqual([
      short('Title', 'Planning'),
      { label: 'Starts', value: '2026-05-04T09:00:00+02:00 (Europe/Berlin)', kind: 'time' },
      { label: 'Ends', value: '2026-05-04T10:00:00+02:00 (Europe/Berlin)', kind: 'time' },
      short('Attendees', 'ben@siesta.example'),
      { label: 'Text', value: 'Agenda', kind: 'long' },
    ]);
  });

  it('is as risky to invite people later', () => {
    const { riskOf, risk, card } = fn('update_event');
    const later = { ...EVENT, id: 'AAkEv_1=' };
    expect(risk).toBe('destructive');
    expect(riskOf?.(later)).toBe('write');
    expect(riskOf?.({ ...later, attendees: ['ben@siesta.example'] })).toBe('destructive');
    expect(card({ ...later, attendees: [] })).toContainEqual(short('Attendees', 'Nobody'));
  });

  it('shows what a change changes', async () => {
    graph.answers[AT_PLANNING] = ok(PLANNING);
    const args = { ...EVENT, id: 'AAkEv_1=', subject: 'Planning II', attendees: [], location: 'Room 2' };
    const { fields } = await observe('update_event', args);
    expect(fields).toEqual([
      { ...short('Title', 'Planning'), after: 'Planning II' },
      {
        ...short('When', '2026-05-04T09:00:00 – 2026-05-04T10:00:00 (Europe/Berlin)'),
        after: '2026-05-04T09:00:00 – 2026-05-04T10:00:00 (Europe/Berlin)',
      },
      { ...short('Attendees', 'Ben <ben@siesta.example>'), after: 'Nobody' },
      { ...short('Where', 'Room 1'), after: 'Room 2' },
    ]);
  });

  it.each([
    ['respond_to_event', { id: 'AAkEv_1=', response: 'declined' }],
    ['cancel_event', { id: 'AAkEv_1=' }],
    ['delete_event', { id: 'AAkEv_1=' }],
  ])('shows the event before %s', async (name, args) => {
    graph.answers[AT_PLANNING] = ok(PLANNING);
    expect((await observe(name, args)).fields).toEqual([
      short('Title', 'Planning'),
      short('When', '2026-05-04T09:00:00 – 2026-05-04T10:00:00 (Europe/Berlin)'),
      short('Organiser', 'Ada <ada@siesta.example>'),
      short('Attendees', 'Ben <ben@siesta.example>'),
    ]);
    graph.answers[AT_PLANNING] = ok({ ...PLANNING, type: 'seriesMaster' });
    expect((await observe(name, args)).fields).toContainEqual(short('Series', 'Every occurrence'));
  });
});
