import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { outlookConnector } from '../../src/connectors/outlook/index.js';
import { transactionIdOf } from '../../src/connectors/outlook/marker.js';
import { call, functionNamed, MemoryFiles } from './call-context.js';
import { ok, refusal, type ScriptedGraph, startGraph } from './scripted-graph.js';

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
const observe = async (name: string, args: Arguments) => {
  const { input, observe: how } = fn(name);
  const parsed = input.parse(args);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  if (!how || 'none' in how) throw new Error(`${name} observes nothing`);
  return how.read(graph.context(), parsed.value);
};
const sentJson = () => JSON.parse(graph.last().body.toString());
const person = (name: string) => ({
  emailAddress: { name, address: `${name.toLowerCase()}@siesta.example` },
});
const short = (label: string, value: string) => ({ label, value, kind: 'short' });

/** As in the reference (message). */
const LUNCH = {
  '@odata.etag': 'W/"CQAAABYAAAD"',
  id: 'AAkALg_1=',
  changeKey: 'CQAAABYAAAD',
  conversationId: 'AAQk_1=',
  parentFolderId: 'inbox_1',
  subject: 'Lunch?',
  from: person('Cleo'),
  toRecipients: [person('Ada')],
  ccRecipients: [person('Ben')],
  bccRecipients: [],
  replyTo: [],
  receivedDateTime: '2026-05-04T08:00:00Z',
  isRead: false,
  isDraft: false,
  hasAttachments: true,
  importance: 'normal',
  flag: { flagStatus: 'notFlagged' },
  categories: [],
  internetMessageId: '<1@siesta.example>',
  webLink: 'https://outlook.office365.com/owa/?ItemID=1',
  body: { contentType: 'text', content: 'At noon?' },
};
const AT_LUNCH = 'GET /me/messages/AAkALg_1=';
const MAIL = { to: ['ben@siesta.example'], subject: 'Lunch?', body: 'At noon?' };

/** As in the reference (event). */
const PLANNING = {
  id: 'AAkEv_1=',
  subject: 'Planning',
  start: { dateTime: '2026-05-04T09:00:00.0000000', timeZone: 'Europe/Berlin' },
  end: { dateTime: '2026-05-04T10:00:00.0000000', timeZone: 'Europe/Berlin' },
  isAllDay: false,
  location: { displayName: 'Room 1' },
  organizer: person('Ada'),
  attendees: [
    { type: 'required', status: { response: 'accepted', time: '0001-01-01T00:00:00Z' }, ...person('Ben') },
  ],
  showAs: 'busy',
  type: 'singleInstance',
  isCancelled: false,
  isOnlineMeeting: true,
  onlineMeeting: { joinUrl: 'https://teams.example/1' },
  responseStatus: { response: 'organizer' },
  webLink: 'https://outlook.office365.com/owa/?itemid=1',
  body: { contentType: 'text', content: 'Agenda' },
};
const AT_PLANNING = 'GET /me/events/AAkEv_1=';

describe('reading mails', () => {
  it('lists who wrote what, without the texts', async () => {
    graph.answers['GET /me/mailFolders/inbox/messages'] = ok({
      value: [LUNCH],
      '@odata.nextLink': 'https://graph.microsoft.com/v1.0/me/mailFolders/inbox/messages?$skip=1',
    });
    expect(await run('list_messages', { folder_id: 'inbox', max_results: 1 })).toEqual({
      messages: [
        {
          id: 'AAkALg_1=',
          conversation_id: 'AAQk_1=',
          folder_id: 'inbox_1',
          from: 'Cleo <cleo@siesta.example>',
          to: ['Ada <ada@siesta.example>'],
          cc: ['Ben <ben@siesta.example>'],
          subject: 'Lunch?',
          date: '2026-05-04T08:00:00Z',
          is_read: false,
          is_draft: false,
          has_attachments: true,
          importance: 'normal',
          flag: 'notFlagged',
          categories: [],
        },
      ],
      next_page_token: expect.any(String),
    });
    expect(graph.last().headers.prefer).toBe('IdType="ImmutableId"');
  });

  it('sorts by date first where it filters, as Exchange wants it', async () => {
    graph.answers['GET /me/messages'] = ok({ value: [] });
    await run('list_messages', { unread_only: true });
    expect(graph.last().query).toContainEqual([
      '$filter',
      'receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq false',
    ]);
    await run('list_messages', {});
    expect(graph.last().query.map(([name]) => name)).not.toContain('$filter');
  });

  it('keeps a search inside its quotes', async () => {
    graph.answers['GET /me/messages'] = ok({ value: [] });
    await run('search_messages', { query: 'subject:"a\\b" OR x' });
    expect(graph.last().query).toContainEqual(['$search', '"subject:\\"a\\\\b\\" OR x"']);
  });

  it('reads a mail, cut where asked, and names its attachments', async () => {
    graph.answers[AT_LUNCH] = ok(LUNCH);
    graph.answers[`${AT_LUNCH}/attachments`] = ok({
      value: [
        {
          '@odata.type': '#microsoft.graph.fileAttachment',
          id: 'a1=',
          name: 'menu.pdf',
          contentType: 'application/pdf',
          size: 1234,
          isInline: false,
        },
      ],
    });
    expect(await run('get_message', { id: 'AAkALg_1=', body_max_chars: 2 })).toMatchObject({
      body_text: 'At',
      truncated: true,
      message_id: '<1@siesta.example>',
    });
    expect(graph.last().headers.prefer).toBe('IdType="ImmutableId", outlook.body-content-type="text"');
    expect(await run('list_attachments', { id: 'AAkALg_1=' })).toEqual({
      attachments: [
        {
          id: 'a1=',
          name: 'menu.pdf',
          mime_type: 'application/pdf',
          size: 1234,
          is_inline: false,
          kind: 'file',
        },
      ],
      next_page_token: null,
    });
  });
});

describe('whose mailbox', () => {
  it('the one of the settings for an app, and no other address can be reached', async () => {
    const config = { mailbox: 'support@siesta.example' };
    graph.answers['GET /users/support@siesta.example/mailFolders'] = ok({
      value: [
        {
          id: 'f',
          displayName: 'Inbox',
          parentFolderId: 'r',
          childFolderCount: 0,
          totalItemCount: 9,
          unreadItemCount: 2,
        },
      ],
    });
    expect(await run('list_folders', {}, { config })).toMatchObject({
      folders: [{ id: 'f', name: 'Inbox', parent_id: 'r', child_folders: 0, total: 9, unread: 2 }],
    });
    expect(outlookConnector.egress(config, 'https://graph.microsoft.com/v1.0')).toEqual([
      { origin: 'https://graph.microsoft.com', pathPrefix: '/v1.0/users/support%40siesta.example' },
    ]);
    expect(outlookConnector.egress({}, 'https://graph.microsoft.com/v1.0')).toEqual([
      { origin: 'https://graph.microsoft.com', pathPrefix: '/v1.0/me' },
    ]);
    expect(await outlookConnector.account?.(graph.context({ config }))).toBe('support@siesta.example');
  });

  it('the own one of whoever signs in', async () => {
    graph.answers['GET /me'] = ok({ mail: 'ada@siesta.example', userPrincipalName: 'ada@contoso.example' });
    expect(await outlookConnector.account?.(graph.context())).toBe('ada@siesta.example');
  });

  it.each(['..', 'a/b@x.example/..', 'everybody', 'support@siesta.example/messages'])(
    'never %s',
    (mailbox) => {
      expect(outlookConnector.config.safeParse({ mailbox }).success).toBe(false);
    },
  );

  it('has to be named for an app', () => {
    const app = outlookConnector.auth.find(({ kind }) => kind === 'minted');
    const secret = {
      tenant_id: 'contoso.example',
      client_id: '11111111-2222-3333-4444-555555555555',
      client_secret: 'fake-secret-canary-1',
    };
    if (app?.kind !== 'minted') throw new Error('no app credentials');
    expect(app.check?.(secret, {})).toContain('name the mailbox');
    expect(app.check?.(secret, { mailbox: 'support@siesta.example' })).toBeUndefined();
    expect(app.accountOf?.(secret, { mailbox: 'support@siesta.example' })).toMatch(
      /^support@siesta\.example \(by app/,
    );
    expect(`${app.hint} ${outlookConnector.notice}`).toContain('application access policy');
  });

  it('is said clearly where it is missing all the same', async () => {
    graph.answers['GET /me/calendars'] = refusal(
      400,
      'BadRequest',
      '/me request is only valid with delegated authentication flow.',
    );
    await expect(run('list_calendars', {})).rejects.toMatchObject({
      definite: true,
      message: expect.stringContaining('name the mailbox'),
    });
  });
});

describe('sending a mail', () => {
  const WRITE = 'POST /me/messages';
  const SEND = 'POST /me/messages/d1/send';
  const DROP = 'DELETE /me/messages/d1';
  const LOOK = 'GET /me/messages';
  const draft = ok({ id: 'd1', conversationId: 'c1', internetMessageId: '<2@x>', isDraft: true });
  const done = { status: 202, body: '' };

  it('writes a draft with our mark and sends it', async () => {
    graph.answers = { [WRITE]: draft, [SEND]: done };
    expect(await run('send_message', MAIL, { executionId: 'exe_7' })).toEqual({
      id: 'd1',
      conversation_id: 'c1',
      message_id: '<2@x>',
    });
    expect(graph.asked()).toEqual([WRITE, SEND]);
  });

  it('takes the draft back when the sending is refused', async () => {
    graph.answers = {
      [WRITE]: draft,
      [SEND]: refusal(403, 'ErrorAccessDenied'),
      [DROP]: { status: 204, body: '' },
    };
    await expect(run('send_message', MAIL)).rejects.toMatchObject({
      code: 'forbidden_upstream',
      definite: true,
    });
    expect(graph.asked()).toEqual([WRITE, SEND, DROP]);
  });

  it('tells the refusal even if the draft stays', async () => {
    graph.answers = { [WRITE]: draft, [SEND]: refusal(403, 'ErrorAccessDenied'), [DROP]: refusal(500, 'x') };
    await expect(run('send_message', MAIL)).rejects.toMatchObject({
      code: 'forbidden_upstream',
      definite: true,
    });
  });

  it('leaves the draft alone when nobody knows whether it was sent', async () => {
    graph.answers = { [WRITE]: draft, [SEND]: refusal(503, 'ErrorServerBusy') };
    await expect(run('send_message', MAIL)).rejects.toMatchObject({ definite: false });
    expect(graph.asked()).toEqual([WRITE, SEND]);
  });

  it('is surely not done when the draft failed', async () => {
    graph.answers = { [WRITE]: refusal(503, 'ErrorServerBusy') };
    await expect(run('send_message', MAIL)).rejects.toMatchObject({
      code: 'upstream_unavailable',
      definite: true,
      message: expect.stringContaining('was not sent'),
    });
  });

  it.each([
    [
      'one that left',
      [{ id: 's1', conversationId: 'c1', internetMessageId: '<2@x>', isDraft: false }],
      'applied',
    ],
    ['none', [], 'not_applied'],
    ['one that still is a draft', [{ id: 'd1', isDraft: true }], 'unknown'],
  ])('is looked for after a lost answer, by our own mark: %s', async (_, value, status) => {
    graph.answers = { [LOOK]: ok({ value }) };
    const found = await fn('send_message').reconcile?.(graph.context({ executionId: 'exe_7' }), MAIL);
    expect(found?.status).toBe(status);
    const filter = graph.last().query.find(([name]) => name === '$filter')?.[1];
    expect(filter).toMatch(
      /ep\/id eq 'String \{[0-9a-f-]{36}\} Name SiestaExecution' and ep\/value eq 'exe_7'/,
    );
  });

  it('and its draft alike', async () => {
    graph.answers = {
      [WRITE]: draft,
      [LOOK]: ok({ value: [{ id: 'd1', conversationId: 'c1', webLink: 'u' }] }),
    };
    await run('create_draft', MAIL, { executionId: 'exe_8' });
    expect(sentJson().singleValueExtendedProperties[0].value).toBe('exe_8');
    expect(await fn('create_draft').reconcile?.(graph.context({ executionId: 'exe_8' }), MAIL)).toEqual({
      status: 'applied',
      result: { id: 'd1', conversation_id: 'c1', url: 'u' },
    });
  });

  it('carries attachments of 3 MB together, and not a byte more', async () => {
    const files = new MemoryFiles();
    const half = { name: 'a.bin', type: 'application/octet-stream', bytes: Buffer.alloc(1.5 * 1024 * 1024) };
    const [a, b] = [files.add(half), files.add(half)];
    const more = files.add({ ...half, bytes: Buffer.alloc(1) });
    graph.answers = { [WRITE]: draft, [SEND]: done };
    await run('send_message', { ...MAIL, attachments: [a, b] }, { files });
    graph.asked();
    await expect(
      run('send_message', { ...MAIL, attachments: [a, b, more] }, { files }),
    ).rejects.toMatchObject({
      code: 'invalid_arguments',
      definite: true,
      path: '/attachments',
    });
    expect(graph.asked()).toEqual([]);
    expect(fn('send_message').files?.({ ...MAIL, attachments: [a, b] })).toEqual([a, b]);
  });

  it('is shown as it will be sent', () => {
    const card = fn('send_message').card({
      ...MAIL,
      cc: ['c@d.example'],
      body: '<p>x</p>',
      body_type: 'html',
    });
    expect(card).toEqual([
      short('To', 'ben@siesta.example'),
      short('Cc', 'c@d.example'),
      short('Subject', 'Lunch?'),
      { label: 'HTML', value: '<p>x</p>', kind: 'long' },
    ]);
  });
});

describe('what an approver sees of a mail', () => {
  it('a draft, whole, with its attachments and its version', async () => {
    graph.answers[AT_LUNCH] = ok({ ...LUNCH, isDraft: true });
    graph.answers[`${AT_LUNCH}/attachments`] = ok({ value: [{ id: 'a1=', name: 'menu.pdf' }] });
    expect(await observe('send_draft', { id: 'AAkALg_1=' })).toEqual({
      fields: [
        short('To', 'Ada <ada@siesta.example>'),
        short('Cc', 'Ben <ben@siesta.example>'),
        short('Subject', 'Lunch?'),
        { label: 'Text', value: 'At noon?', kind: 'long' },
        short('Attachments', 'menu.pdf'),
      ],
      version: 'CQAAABYAAAD',
    });
  });

  it('nothing to send where it is no draft', async () => {
    graph.answers[AT_LUNCH] = ok(LUNCH);
    await expect(observe('send_draft', { id: 'AAkALg_1=' })).rejects.toMatchObject({ definite: true });
  });

  it('who an answer goes to', async () => {
    graph.answers[AT_LUNCH] = ok({ ...LUNCH, replyTo: [person('Desk')] });
    const args = { id: 'AAkALg_1=', comment: 'Yes.' };
    expect((await observe('reply', args)).fields.slice(0, 2)).toEqual([
      short('To', 'Desk <desk@siesta.example>'),
      short('Subject', 'Lunch?'),
    ]);
    expect((await observe('reply_all', args)).fields.slice(0, 3)).toEqual([
      short('To', 'Desk <desk@siesta.example>'),
      short('And to', 'Ada <ada@siesta.example>'),
      short('Cc', 'Ben <ben@siesta.example>'),
    ]);
    expect((await observe('forward', { id: args.id, to: ['x@y.example'] })).fields).toContainEqual(
      short('With attachments', 'Yes'),
    );
  });

  it('only those marks that change', async () => {
    graph.answers[AT_LUNCH] = ok(LUNCH);
    const { fields, version } = await observe('update_message', {
      id: 'AAkALg_1=',
      is_read: true,
      categories: ['A', 'B'],
    });
    expect(version).toBe('');
    expect(fields.slice(3)).toEqual([
      { ...short('Read', 'false'), after: 'true' },
      { ...short('Categories', ''), after: 'A, B' },
    ]);
  });

  it('from which folder into which', async () => {
    graph.answers[AT_LUNCH] = ok(LUNCH);
    graph.answers['GET /me/mailFolders/inbox_1'] = ok({ displayName: 'Inbox' });
    graph.answers['GET /me/mailFolders/archive'] = ok({ displayName: 'Archive' });
    expect((await observe('move_message', { id: 'AAkALg_1=', folder_id: 'archive' })).fields).toContainEqual({
      ...short('Folder', 'Inbox'),
      after: 'Archive',
    });
  });
});

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
    graph.answers['GET /me/events'] = ok({ value: [] });
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
      short('When', '2026-05-04T09:00:00 – 2026-05-04T10:00:00 (Europe/Berlin)'),
      short('Attendees', 'ben@siesta.example'),
      { label: 'Text', value: 'Agenda', kind: 'long' },
    ]);
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
  });
});

describe('what is refused before anything is sent', () => {
  const event = { subject: 'x', start: '2026-05-04T09:00', end: '2026-05-04T10:00' };
  it.each<[string, string, Arguments, string]>([
    [
      'a line break in the subject',
      'send_message',
      { ...MAIL, subject: 'x\r\nBcc: evil@evil.example' },
      '/subject',
    ],
    ['a subject of 256 characters', 'send_message', { ...MAIL, subject: 'x'.repeat(256) }, '/subject'],
    ['a display name', 'send_message', { ...MAIL, to: ['Boss <evil@evil.example>'] }, '/to/0'],
    ['nobody to send to', 'send_message', { ...MAIL, to: [] }, '/to'],
    ['501 recipients', 'send_message', { ...MAIL, bcc: Array(500).fill('a@b.example') }, ''],
    ['a sender', 'send_message', { ...MAIL, from: 'ceo@siesta.example' }, ''],
    ['an id that is a path', 'get_message', { id: '../events' }, '/id'],
    ['a quote in the time zone', 'get_event', { id: 'a', time_zone: 'UTC", x="' }, '/time_zone'],
    ['an offset in a local time', 'create_event', { ...event, start: '2026-05-04T09:00:00Z' }, '/start'],
    [
      'a moment without an offset',
      'list_events',
      { start: '2026-05-04T09:00:00', end: '2026-05-05T09:00:00Z' },
      '/start',
    ],
    ['whole days from nine', 'create_event', { ...event, all_day: true }, ''],
    [
      '201 attendees',
      'create_event',
      {
        ...event,
        attendees: Array(150).fill('a@b.example'),
        optional_attendees: Array(51).fill('a@b.example'),
      },
      '',
    ],
    ['21 people', 'get_schedule', { ...event, people: Array(21).fill('a@b.example') }, ''],
    ['a start without an end', 'update_event', { id: 'a', start: event.start }, ''],
    ['no change of an event', 'update_event', { id: 'a', time_zone: 'UTC' }, ''],
    ['no change of a mail', 'update_message', { id: 'a' }, ''],
    ['101 results', 'list_messages', { max_results: 101 }, '/max_results'],
    ['a page token that is a URL', 'list_messages', { page_token: 'https://evil.example/' }, '/page_token'],
  ])('%s', (_, name, args, path) => {
    const parsed = fn(name).input.parse(args);
    expect(parsed.ok ? [] : parsed.issues.map((issue) => issue.path)).toContain(path);
  });
});

describe('the connector', () => {
  it('ships as the catalogue says', () => {
    const rows = functions.map(({ name, risk, approval }) => `${name} ${risk} ${approval}`);
    expect(rows.filter((row) => row.endsWith(' read auto'))).toHaveLength(10);
    expect(rows.filter((row) => !row.endsWith(' read auto'))).toEqual([
      'create_draft write ask',
      'create_reply_draft write ask',
      'update_message write ask',
      'move_message write ask',
      'delete_message destructive ask',
      'send_draft destructive ask',
      'send_message destructive ask',
      'reply destructive ask',
      'reply_all destructive ask',
      'forward destructive ask',
      'create_event destructive ask',
      'update_event write ask',
      'respond_to_event write ask',
      'cancel_event destructive ask',
      'delete_event destructive ask',
    ]);
  });

  it('every write shows its target or says why not', () => {
    for (const one of functions.filter(({ risk }) => risk !== 'read'))
      expect(one.observe, one.name).toBeDefined();
  });

  it('asks for short scope names only', () => {
    for (const { name, scopes } of functions) {
      expect(scopes.length, name).toBeGreaterThan(0);
      for (const scope of scopes) expect(scope, name).toMatch(/^(Mail|Calendars)\.[A-Za-z.]+$/);
    }
  });
});
