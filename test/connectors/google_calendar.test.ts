import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ACCOUNTS, type Google, startGoogle } from '../../playground/google.js';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { eventIdOf } from '../../src/connectors/google_calendar/creating.js';
import { googleCalendarConnector } from '../../src/connectors/google_calendar/index.js';
import { type Answer, type Recorded, type Recorder, startRecorder } from '../contract/recorder.js';
import { call, callContext, functionNamed } from './call-context.js';
import { firstIn, GoogleAccount, objectIn, observed } from './google-account.js';

const PUBLIC_URL = 'http://127.0.0.1:39997';
const functions = googleCalendarConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);

let recorder: Recorder;
beforeAll(async () => {
  recorder = await startRecorder();
});
afterAll(() => recorder.close());
beforeEach(() => {
  recorder.answer = () => ({ body: meeting });
});

const context = (more: { executionId?: string; condition?: string } = {}) =>
  callContext({ baseUrl: recorder.origin, ...more });
const run = (name: string, args: Arguments, more: { executionId?: string; condition?: string } = {}) =>
  call(fn(name), context(more), args);
const observe = (name: string, args: Arguments) => observed(fn(name), context(), args);

const self = { email: 'ada@siesta.example', self: true, responseStatus: 'needsAction' };
const ben = { email: 'Ben@siesta.example', displayName: 'Ben', responseStatus: 'accepted', optional: true };
const meeting = {
  id: 'e1',
  etag: '"7"',
  status: 'confirmed',
  summary: 'Lunch',
  description: 'Soup',
  location: 'Café',
  start: { dateTime: '2026-05-01T12:00:00+02:00', timeZone: 'Europe/Zurich' },
  end: { dateTime: '2026-05-01T13:00:00+02:00', timeZone: 'Europe/Zurich' },
  organizer: { email: 'ben@siesta.example' },
  attendees: [self, ben],
  hangoutLink: 'https://meet.google.com/abc-defg-hij',
  htmlLink: 'https://www.google.com/calendar/event?eid=e1',
  updated: '2026-04-01T00:00:00.000Z',
};
const FIELDS = [
  { label: 'Title', value: 'Lunch', kind: 'short' },
  {
    label: 'When',
    value: '2026-05-01T12:00:00+02:00 – 2026-05-01T13:00:00+02:00 (Europe/Zurich)',
    kind: 'short',
  },
  { label: 'Where', value: 'Café', kind: 'short' },
  { label: 'Guests', value: 'ada@siesta.example, Ben@siesta.example', kind: 'short' },
  { label: 'Description', value: 'Soup', kind: 'long' },
];

describe('a calendar, with the scopes each function says it needs', () => {
  let google: Google;
  let ada: GoogleAccount;
  beforeAll(async () => {
    google = await startGoogle({ port: 0, publicUrl: PUBLIC_URL });
    ada = new GoogleAccount(google, PUBLIC_URL, functions, ACCOUNTS.ada);
  });
  afterAll(() => google.close());

  const lunch = {
    summary: 'Lunch with Cleo',
    start: '2026-05-01T12:00:00Z',
    end: '2026-05-01T13:00:00Z',
    attendees: [ACCOUNTS.cleo],
  };
  const may = { time_min: '2026-05-01T00:00:00Z', time_max: '2026-05-02T00:00:00Z' };

  it('takes an event, finds it, is busy meanwhile, and forgets it', async () => {
    const created = await ada.run('create_event', lunch);
    expect(created).toMatchObject({
      summary: lunch.summary,
      start: lunch.start,
      attendees: [{ email: ACCOUNTS.cleo }],
    });
    expect(firstIn((await ada.run('search_events', { q: 'cleo', ...may })).events).id).toBe(created.id);
    expect(firstIn((await ada.run('list_events', may)).events).id).toBe(created.id);
    expect(firstIn((await ada.run('query_free_busy', may)).calendars)).toEqual({
      id: 'primary',
      busy: [{ start: lunch.start, end: lunch.end }],
      errors: [],
    });
    expect(await ada.run('delete_event', { event_id: String(created.id) })).toEqual({ deleted: created.id });
    expect((await ada.run('list_events', may)).events).toEqual([]);
  });

  it('is listed, and names its account', async () => {
    const { calendars, next_page_token: next } = await ada.run('list_calendars');
    expect(firstIn(calendars)).toMatchObject({ primary: true, access_role: 'owner' });
    expect(next).toBeNull();
    const whose = await googleCalendarConnector.account?.(await ada.context('list_calendars'));
    expect(whose).toBe(firstIn(calendars).id);
  });

  it('refuses a call without its scope', async () => {
    const writing = call(fn('create_event'), await ada.context('list_events'), lunch);
    await expect(writing).rejects.toMatchObject({ code: 'needs_more_scopes', definite: true });
  });
});

describe('reading', () => {
  it('gives times as they were given', async () => {
    expect(await run('get_event', { event_id: 'e1' })).toEqual({
      id: 'e1',
      status: 'confirmed',
      summary: 'Lunch',
      description: 'Soup',
      truncated: false,
      location: 'Café',
      start: '2026-05-01T12:00:00+02:00',
      end: '2026-05-01T13:00:00+02:00',
      all_day: false,
      time_zone: 'Europe/Zurich',
      organizer: 'ben@siesta.example',
      attendees: [
        {
          email: self.email,
          name: '',
          response: 'needsAction',
          optional: false,
          organizer: false,
          self: true,
        },
        {
          email: ben.email,
          name: 'Ben',
          response: 'accepted',
          optional: true,
          organizer: false,
          self: false,
        },
      ],
      attendees_omitted: false,
      recurrence: [],
      recurring_event_id: null,
      link: meeting.htmlLink,
      meeting_link: meeting.hangoutLink,
      etag: '"7"',
      updated: meeting.updated,
    });
  });

  it('cuts long texts and says so; a day is a day', async () => {
    const day = {
      start: { date: '2026-05-01' },
      end: { date: '2026-05-02' },
      description: 'x'.repeat(20_001),
    };
    recorder.answer = () => ({ body: { items: [day], nextPageToken: 'p2' } });
    const found = objectIn(await run('list_instances', { event_id: 'e1' }));
    expect(found.next_page_token).toBe('p2');
    expect(firstIn(found.events)).toMatchObject({
      start: '2026-05-01',
      all_day: true,
      truncated: true,
      description: 'x'.repeat(20_000),
    });
  });

  it('says which calendars nobody may look into', async () => {
    const calendars = { 'x@y.example': { errors: [{ domain: 'global', reason: 'notFound' }] } };
    recorder.answer = () => ({ body: { timeMin: 'a', timeMax: 'b', calendars } });
    const args = { time_min: '2026-05-01T00:00:00Z', time_max: '2026-05-02T00:00:00Z' };
    expect(objectIn(await run('query_free_busy', args)).calendars).toEqual([
      { id: 'x@y.example', busy: [], errors: ['notFound'] },
    ]);
  });
});

describe('creating an event', () => {
  const args = { summary: 'Lunch', start: '2026-05-01T12:00:00Z', end: '2026-05-01T13:00:00Z' };
  const taken =
    (mark: string) =>
    (request: Recorded): Answer =>
      request.method === 'POST'
        ? { status: 409, body: { error: { code: 409, message: 'The requested identifier already exists.' } } }
        : { body: { ...meeting, extendedProperties: { private: { siestaExecution: mark } } } };

  it('has an id that the calendar accepts, one for each execution', () => {
    expect(eventIdOf('exe_1')).toMatch(/^[a-v0-9]{52}$/);
    expect(eventIdOf('exe_1')).toBe(eventIdOf('exe_1'));
    expect(eventIdOf('exe_1')).not.toBe(eventIdOf('exe_2'));
  });

  it('a repeat finds the event of the first try', async () => {
    recorder.answer = taken('exe_1');
    const sent = await recorder.during(async () => {
      expect(await run('create_event', args, { executionId: 'exe_1' })).toMatchObject({ id: 'e1' });
    });
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /calendar/v3/calendars/primary/events',
      `GET /calendar/v3/calendars/primary/events/${eventIdOf('exe_1')}`,
    ]);
  });

  it("somebody else's event is never passed off as ours", async () => {
    recorder.answer = taken('exe_2');
    await expect(run('create_event', args, { executionId: 'exe_1' })).rejects.toMatchObject({
      code: 'upstream_rejected',
      status: 409,
      definite: true,
    });
  });

  it('is destructive when it invites people', () => {
    expect(fn('create_event').riskOf?.(args)).toBe('write');
    expect(fn('create_event').riskOf?.({ ...args, attendees: [] })).toBe('write');
    expect(fn('create_event').riskOf?.({ ...args, attendees: ['ben@siesta.example'] })).toBe('destructive');
  });

  it('from a sentence is destructive when the sentence names a guest, and says who is told', () => {
    const quick = { text: 'Lunch with ben@siesta.example tomorrow' };
    expect(fn('quick_add_event').riskOf?.({ text: 'Lunch with Ben tomorrow' })).toBe('write');
    expect(fn('quick_add_event').riskOf?.(quick)).toBe('destructive');
    expect(fn('quick_add_event').card({ ...quick, send_updates: 'none' })).toContainEqual({
      label: 'Tell by mail',
      value: 'none',
      kind: 'short',
    });
  });

  it('stands on the card as it will be', () => {
    const card = fn('create_event').card({
      ...args,
      attendees: ['ben@siesta.example', 'cleo@siesta.example'],
      conference: true,
      description: 'Soup',
    });
    expect(card).toEqual([
      { label: 'Title', value: 'Lunch', kind: 'short' },
      { label: 'Starts', value: '2026-05-01T12:00:00Z', kind: 'time' },
      { label: 'Ends', value: '2026-05-01T13:00:00Z', kind: 'time' },
      { label: 'Guests', value: 'ben@siesta.example, cleo@siesta.example', kind: 'short' },
      { label: 'Tell by mail', value: 'all', kind: 'short' },
      { label: 'Google Meet', value: 'yes', kind: 'short' },
      { label: 'Description', value: 'Soup', kind: 'long' },
      { label: 'Calendar', value: 'primary', kind: 'short' },
    ]);
  });
});

describe('changing an event', () => {
  const bodyOf = (request: Recorded | undefined): Record<string, JsonValue> =>
    JSON.parse(request?.body.toString() ?? '{}');

  it('shows what changes beside what stays', async () => {
    const { fields, ...rest } = await observe('update_event', {
      event_id: 'e1',
      summary: 'Dinner',
      location: '',
      add_attendees: ['cleo@siesta.example', 'BEN@siesta.example'],
      remove_attendees: ['ada@siesta.example'],
    });
    expect(rest).toEqual({ version: '"7"', condition: '"7"' });
    expect(fields).toEqual([
      { ...FIELDS[0], after: 'Dinner' },
      FIELDS[1],
      { ...FIELDS[2], after: '' },
      { ...FIELDS[3], after: 'Ben@siesta.example, cleo@siesta.example' },
      FIELDS[4],
    ]);
  });

  it('is destructive when it invites people, as creating it is', () => {
    const change = { event_id: 'e1', summary: 'Dinner' };
    const riskOf = (more: object) => fn('update_event').riskOf?.({ ...change, ...more });
    expect(riskOf({})).toBe('write');
    expect(riskOf({ add_attendees: [], remove_attendees: ['ada@siesta.example'] })).toBe('write');
    expect(riskOf({ add_attendees: ['ada@siesta.example'] })).toBe('destructive');
  });

  it('shows an answer, a move and a deletion on the event they are about', async () => {
    expect((await observe('respond_to_event', { event_id: 'e1', response: 'declined' })).fields).toEqual([
      ...FIELDS,
      { label: 'Answer', value: 'needsAction', kind: 'short', after: 'declined' },
    ]);
    expect((await observe('move_event', { event_id: 'e1', destination: 'team' })).fields.at(-1)).toEqual({
      label: 'Calendar',
      value: 'primary',
      kind: 'short',
      after: 'team',
    });
    expect(await observe('delete_event', { event_id: 'e1' })).toEqual({
      fields: FIELDS,
      version: '"7"',
      condition: '"7"',
    });
  });

  it.each<[string, Arguments]>([
    ['update_event', { event_id: 'e1', summary: 'x' }],
    ['update_event', { event_id: 'e1', add_attendees: ['cleo@siesta.example'] }],
    ['respond_to_event', { event_id: 'e1', response: 'accepted' }],
    ['move_event', { event_id: 'e1', destination: 'team' }],
    ['delete_event', { event_id: 'e1' }],
  ])('%s %o leaves an event alone that is not the one approved', async (name, args) => {
    recorder.answer = ({ method, headers }) =>
      method === 'GET' || headers['if-match'] !== '"6"' ? { body: meeting } : { status: 412 };
    await expect(run(name, args, { condition: '"6"' })).rejects.toMatchObject({
      code: 'target_changed',
      definite: true,
    });
  });

  it.each<[string, Arguments]>([
    ['update_event', { event_id: 'e1', summary: 'x' }],
    ['update_event', { event_id: 'e1', add_attendees: ['cleo@siesta.example'] }],
    ['respond_to_event', { event_id: 'e1', response: 'accepted' }],
    ['move_event', { event_id: 'e1', destination: 'team' }],
    ['delete_event', { event_id: 'e1' }],
  ])(
    '%s %o with an etag of the caller’s own holds to that, and asks for no second look',
    async (name, given) => {
      const args = { ...given, etag: '"6"' };
      const seen = await observe(name, args);
      expect(seen).toMatchObject({ version: '"7"' });
      expect(seen).not.toHaveProperty('condition');
      expect(fn(name).card(args)).toContainEqual({ label: 'Only with etag', value: '"6"', kind: 'short' });
      recorder.answer = ({ method, headers }) =>
        method === 'GET' || headers['if-match'] !== '"6"' ? { body: meeting } : { status: 412 };
      await expect(run(name, args)).rejects.toMatchObject({
        code: 'upstream_rejected',
        definite: true,
        status: 412,
      });
    },
  );

  it('answers for nobody else, and drops no guest', async () => {
    const [, patch] = await recorder.during(() =>
      run('respond_to_event', { event_id: 'e1', response: 'accepted' }),
    );
    expect(bodyOf(patch)).toEqual({ attendees: [{ ...self, responseStatus: 'accepted' }, ben] });
    recorder.answer = () => ({ body: { ...meeting, attendees: [self], attendeesOmitted: true } });
    const [, partly] = await recorder.during(() =>
      run('respond_to_event', { event_id: 'e1', response: 'declined' }),
    );
    expect(bodyOf(partly)).toEqual({
      attendees: [{ ...self, responseStatus: 'declined' }],
      attendeesOmitted: true,
    });
    const inviting = run('update_event', { event_id: 'e1', add_attendees: ['cleo@siesta.example'] });
    await expect(inviting).rejects.toMatchObject({ code: 'upstream_rejected', definite: true });
  });

  it('cannot answer where nobody asked', async () => {
    recorder.answer = () => ({ body: { ...meeting, attendees: [ben] } });
    const answering = run('respond_to_event', { event_id: 'e1', response: 'accepted' });
    await expect(answering).rejects.toMatchObject({ code: 'upstream_rejected', definite: true });
  });

  it('turns times into days and back', async () => {
    const days = { event_id: 'e1', start: '2026-05-01', end: '2026-05-02' };
    const [patch] = await recorder.during(() => run('update_event', days));
    expect(bodyOf(patch)).toEqual({
      start: { date: '2026-05-01', dateTime: null },
      end: { date: '2026-05-02', dateTime: null },
    });
  });

  it('an event that is gone is deleted', async () => {
    recorder.answer = () => ({
      status: 410,
      body: { error: { code: 410, message: 'Resource has been deleted' } },
    });
    expect(await run('delete_event', { event_id: 'e1' })).toEqual({ deleted: 'e1' });
  });
});

describe('sharing', () => {
  const args = { type: 'user', value: 'ben@siesta.example', role: 'writer' };

  it('shows the role before and after', async () => {
    recorder.answer = () => ({ body: { id: 'user:ben@siesta.example', role: 'reader', etag: '"1"' } });
    expect(await observe('share_calendar', args)).toEqual({
      fields: [{ label: 'Role', value: 'reader', kind: 'short', after: 'writer' }],
      version: '"1"',
    });
    recorder.answer = () => ({ status: 404, body: { error: { code: 404, message: 'Not Found' } } });
    expect((await observe('share_calendar', args)).fields).toMatchObject([
      { value: 'none', after: 'writer' },
    ]);
  });

  it('does not take a failed look for no access', async () => {
    recorder.answer = () => ({ status: 500 });
    await expect(observe('share_calendar', args)).rejects.toMatchObject({ code: 'upstream_unavailable' });
  });
});
