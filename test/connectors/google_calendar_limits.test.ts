/** What the connector refuses, what Google refuses, and what ships. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { googleCalendarConnector } from '../../src/connectors/google_calendar/index.js';
import { type Recorder, startRecorder } from '../contract/recorder.js';
import { call, callContext, functionNamed } from './call-context.js';

const functions = googleCalendarConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);

let recorder: Recorder;
beforeAll(async () => {
  recorder = await startRecorder();
});
afterAll(() => recorder.close());

describe('what Google says', () => {
  const refusal = (status: number, reason: string) => () => ({
    status,
    body: { error: { code: status, message: 'No.', errors: [{ reason }] } },
  });
  it.each<[number, string, string, boolean]>([
    [400, 'timeRangeEmpty', 'upstream_rejected', true],
    [401, 'authError', 'needs_reauth', true],
    [403, 'rateLimitExceeded', 'rate_limited', true],
    [403, 'insufficientPermissions', 'needs_more_scopes', true],
    [403, 'forbiddenForNonOrganizer', 'forbidden_upstream', true],
    [404, 'notFound', 'upstream_rejected', true],
    [429, 'rateLimitExceeded', 'rate_limited', true],
    [503, 'backendError', 'upstream_unavailable', false],
  ])('%i %s is %s', async (status, reason, code, definite) => {
    recorder.answer = refusal(status, reason);
    const context = callContext({ baseUrl: recorder.origin });
    const updating = call(fn('update_event'), context, { event_id: 'e1', summary: 'x' });
    await expect(updating).rejects.toMatchObject({ code, definite, status });
  });
});

describe('what is refused before anything is sent', () => {
  const at = { start: '2026-05-01T12:00:00Z', end: '2026-05-01T13:00:00Z' };
  it.each<[string, string, Arguments]>([
    ['a calendar that is a path', 'list_events', { calendar_id: '..' }],
    ['an event that is a path', 'get_event', { event_id: '../acl' }],
    ['251 events', 'list_events', { max_results: 251 }],
    ['an end before its start', 'create_event', { summary: 'x', start: at.end, end: at.start }],
    ['a day and a time', 'create_event', { summary: 'x', start: '2026-05-01', end: at.end }],
    ['no day at all', 'create_event', { summary: 'x', start: '2026-05-01', end: '2026-05-01' }],
    [
      'a time nobody can place',
      'create_event',
      { summary: 'x', start: '2026-05-01T12:00', end: '2026-05-01T13:00' },
    ],
    ['a repeat without a zone', 'create_event', { summary: 'x', ...at, recurrence: ['RRULE:FREQ=DAILY'] }],
    [
      'a rule with a second line',
      'create_event',
      { summary: 'x', ...at, time_zone: 'UTC', recurrence: ['RRULE:FREQ=DAILY\nDTSTART:1'] },
    ],
    ['201 guests', 'create_event', { summary: 'x', ...at, attendees: Array(201).fill('a@b.example') }],
    ['a title of 1,025 characters', 'create_event', { summary: 'x'.repeat(1_025), ...at }],
    [
      'a description of 8,193 characters',
      'create_event',
      { summary: 'x', ...at, description: 'x'.repeat(8_193) },
    ],
    ['a start without an end', 'update_event', { event_id: 'e1', start: at.start }],
    ['nothing to change', 'update_event', { event_id: 'e1', send_updates: 'none' }],
    ['an etag with a line break', 'delete_event', { event_id: 'e1', etag: '"a\r\nX: y"' }],
    ['an order that needs single events', 'list_events', { single_events: false, order_by: 'startTime' }],
    ['a window that is backwards', 'list_events', { time_min: at.end, time_max: at.start }],
    [
      '51 calendars',
      'query_free_busy',
      { time_min: at.start, time_max: at.end, calendar_ids: Array(51).fill('a') },
    ],
    ['501 characters of a sentence', 'quick_add_event', { text: 'x'.repeat(501) }],
    ['a person without an address', 'share_calendar', { type: 'user', role: 'reader' }],
    [
      'a person that is a domain',
      'share_calendar',
      { type: 'user', value: 'siesta.example', role: 'reader' },
    ],
    [
      'everybody with an address',
      'share_calendar',
      { type: 'default', value: 'a@b.example', role: 'reader' },
    ],
  ])('%s', (_, name, args) => {
    expect(fn(name).input.parse(args)).toMatchObject({ ok: false });
  });
});

describe('the connector', () => {
  it('reaches calendars and nothing else', () => {
    expect(googleCalendarConnector.egress({}, 'https://www.googleapis.com')).toEqual([
      { origin: 'https://www.googleapis.com', pathPrefix: '/calendar/v3/' },
    ]);
  });

  it('ships as the catalogue says', () => {
    const rows = functions.map(({ name, risk, approval, observe: observing }) => {
      expect(observing === undefined, name).toBe(risk === 'read');
      return `${name} ${risk} ${approval}`;
    });
    expect(rows).toEqual([
      'list_calendars read auto',
      'list_events read auto',
      'search_events read auto',
      'get_event read auto',
      'list_instances read auto',
      'query_free_busy read auto',
      'create_event destructive ask',
      'quick_add_event destructive ask',
      'update_event destructive ask',
      'respond_to_event write ask',
      'move_event write ask',
      'delete_event destructive ask',
      'share_calendar destructive off',
      'create_calendar write off',
      'delete_calendar destructive off',
    ]);
  });
});
