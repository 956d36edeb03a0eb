/** Each call of the Outlook connector beside the same call through Microsoft's own client. */
import { readFileSync } from 'node:fs';
import type { Client } from '@microsoft/microsoft-graph-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { outlookConnector } from '../../src/connectors/outlook/index.js';
import { call, callContext, functionNamed, MemoryFiles } from '../connectors/call-context.js';
import { AGAINST, graphClient, graphEssence, guarded } from './graph-client.js';
import { type Recorder, startRecorder } from './recorder.js';

const ID = 'AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A_q9=';
const FOLDER = 'AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZi=';
const SUMMARY =
  'id,conversationId,parentFolderId,from,toRecipients,ccRecipients,subject,receivedDateTime,isRead,isDraft,hasAttachments,importance,flag,categories';
const EVENT =
  'id,subject,start,end,isAllDay,location,organizer,attendees,showAs,type,seriesMasterId,isCancelled,isOnlineMeeting,onlineMeeting,responseStatus,webLink';
const PREFER = 'IdType="ImmutableId"';
const AS_TEXT = `${PREFER}, outlook.body-content-type="text"`;
const MARKER = 'String {5b1d6a3e-7c0f-4e57-9d0a-2f6f4c1e8b35} Name SiestaExecution';
/** Of the execution exe_test_1, for ever: another one would let a repeat through. */
const TRANSACTION_ID = '7ff9aa63-5d52-8c4e-9923-4aaada1b9418';
const MARK = { singleValueExtendedProperties: [{ id: MARKER, value: 'exe_test_1' }] };

const functions = outlookConnector.functions({});
const files = new MemoryFiles();
const notes = files.add({ name: 'notes.txt', type: 'text/plain', bytes: Buffer.from('Grüße') });

let recorder: Recorder;
let client: Client;
beforeAll(async () => {
  recorder = await startRecorder();
  recorder.answer = () => ({ body: { id: ID, isDraft: true } });
  client = graphClient(recorder.origin);
});
afterAll(() => recorder.close());

interface Case {
  readonly args: Arguments;
  readonly theirs: (graph: Client) => Promise<unknown>;
}

const ask = (graph: Client, path: string, prefer = PREFER) => graph.api(path).header('Prefer', prefer);
const at = (dateTime: string, timeZone: string) => ({ dateTime, timeZone });
const person = (address: string) => ({ emailAddress: { address } });
const mail = {
  to: ['ben@siesta.example'],
  cc: ['cleo@siesta.example'],
  subject: 'Lunch?',
  body: 'At noon?',
};
const draft = {
  subject: 'Lunch?',
  body: { contentType: 'text', content: 'At noon?' },
  toRecipients: [person('ben@siesta.example')],
  ccRecipients: [person('cleo@siesta.example')],
  bccRecipients: [],
};

const CASES: Readonly<Record<string, Case>> = {
  list_messages: {
    args: { folder_id: 'inbox', received_after: '2026-05-01T00:00:00Z', unread_only: true },
    theirs: (graph) =>
      ask(graph, '/me/mailFolders/inbox/messages')
        .filter('receivedDateTime ge 2026-05-01T00:00:00Z and isRead eq false')
        .orderby('receivedDateTime desc')
        .select(SUMMARY)
        .top(25)
        .get(),
  },
  search_messages: {
    args: { query: 'subject:"status report"', max_results: 100 },
    theirs: (graph) =>
      ask(graph, '/me/messages').search('"subject:\\"status report\\""').select(SUMMARY).top(100).get(),
  },
  get_message: {
    args: { id: ID },
    theirs: (graph) =>
      ask(graph, `/me/messages/${ID}`, AS_TEXT)
        .select(`${SUMMARY},bccRecipients,replyTo,internetMessageId,webLink,body,changeKey`)
        .get(),
  },
  list_attachments: {
    args: { id: ID },
    theirs: (graph) =>
      ask(graph, `/me/messages/${ID}/attachments`).select('id,name,contentType,size,isInline').top(25).get(),
  },
  list_folders: {
    args: { parent_id: FOLDER },
    theirs: (graph) => ask(graph, `/me/mailFolders/${FOLDER}/childFolders`).top(25).get(),
  },
  create_draft: {
    args: { ...mail, attachments: [notes] },
    theirs: (graph) =>
      ask(graph, '/me/messages').post({
        ...draft,
        attachments: [
          {
            '@odata.type': '#microsoft.graph.fileAttachment',
            name: 'notes.txt',
            contentType: 'text/plain',
            contentBytes: 'R3LDvMOfZQ==',
          },
        ],
        ...MARK,
      }),
  },
  create_reply_draft: {
    args: { id: ID, reply_all: true, comment: 'Yes.' },
    theirs: (graph) => ask(graph, `/me/messages/${ID}/createReplyAll`).post({ comment: 'Yes.' }),
  },
  update_message: {
    args: { id: ID, is_read: true, flag: 'flagged', importance: 'high', categories: ['Support'] },
    theirs: (graph) =>
      ask(graph, `/me/messages/${ID}`).patch({
        isRead: true,
        flag: { flagStatus: 'flagged' },
        importance: 'high',
        categories: ['Support'],
      }),
  },
  move_message: {
    args: { id: ID, folder_id: 'archive' },
    theirs: (graph) => ask(graph, `/me/messages/${ID}/move`).post({ destinationId: 'archive' }),
  },
  delete_message: { args: { id: ID }, theirs: (graph) => ask(graph, `/me/messages/${ID}`).delete() },
  send_draft: { args: { id: ID }, theirs: (graph) => ask(graph, `/me/messages/${ID}/send`).post(undefined) },
  send_message: {
    args: mail,
    async theirs(graph) {
      await ask(graph, '/me/messages').post({ ...draft, ...MARK });
      await ask(graph, `/me/messages/${ID}/send`).post(undefined);
    },
  },
  reply: {
    args: { id: ID, comment: 'Yes.' },
    theirs: (graph) => ask(graph, `/me/messages/${ID}/reply`).post({ comment: 'Yes.' }),
  },
  reply_all: {
    args: { id: ID, comment: 'Yes.' },
    theirs: (graph) => ask(graph, `/me/messages/${ID}/replyAll`).post({ comment: 'Yes.' }),
  },
  forward: {
    args: { id: ID, to: ['ben@siesta.example'], comment: 'See below.' },
    theirs: (graph) =>
      ask(graph, `/me/messages/${ID}/forward`).post({
        comment: 'See below.',
        toRecipients: [person('ben@siesta.example')],
      }),
  },
  list_calendars: { args: {}, theirs: (graph) => ask(graph, '/me/calendars').top(25).get() },
  list_events: {
    args: { start: '2026-05-04T00:00:00Z', end: '2026-05-11T00:00:00Z', time_zone: 'Europe/Berlin' },
    theirs: (graph) =>
      ask(graph, '/me/calendar/calendarView', `${PREFER}, outlook.timezone="Europe/Berlin"`)
        .query({ startDateTime: '2026-05-04T00:00:00Z', endDateTime: '2026-05-11T00:00:00Z' })
        .select(EVENT)
        .orderby('start/dateTime')
        .top(25)
        .get(),
  },
  get_event: {
    args: { id: ID },
    theirs: (graph) =>
      ask(graph, `/me/events/${ID}`, `${AS_TEXT}, outlook.timezone="UTC"`).select(`${EVENT},body`).get(),
  },
  get_schedule: {
    args: { people: ['ben@siesta.example'], start: '2026-05-04T09:00', end: '2026-05-04T17:00' },
    theirs: (graph) =>
      ask(graph, '/me/calendar/getSchedule', `${PREFER}, outlook.timezone="UTC"`).post({
        schedules: ['ben@siesta.example'],
        startTime: at('2026-05-04T09:00', 'UTC'),
        endTime: at('2026-05-04T17:00', 'UTC'),
        availabilityViewInterval: 30,
      }),
  },
  find_meeting_times: {
    args: {
      attendees: ['ben@siesta.example'],
      start: '2026-05-04T09:00',
      end: '2026-05-08T17:00',
      duration_minutes: 45,
    },
    theirs: (graph) =>
      ask(graph, '/me/findMeetingTimes', `${PREFER}, outlook.timezone="UTC"`).post({
        attendees: [{ type: 'required', ...person('ben@siesta.example') }],
        timeConstraint: {
          activityDomain: 'work',
          timeSlots: [{ start: at('2026-05-04T09:00', 'UTC'), end: at('2026-05-08T17:00', 'UTC') }],
        },
        meetingDuration: 'PT45M',
        maxCandidates: 5,
      }),
  },
  create_event: {
    args: {
      subject: 'Planning',
      start: '2026-05-04T09:00:00',
      end: '2026-05-04T10:00:00',
      time_zone: 'Europe/Berlin',
      location: 'Room 1',
      body: '<p>Agenda</p>',
      body_type: 'html',
      attendees: ['ben@siesta.example'],
      optional_attendees: ['cleo@siesta.example'],
      online_meeting: true,
      calendar_id: FOLDER,
    },
    theirs: (graph) =>
      ask(graph, `/me/calendars/${FOLDER}/events`, `${PREFER}, outlook.timezone="Europe/Berlin"`).post({
        subject: 'Planning',
        body: { contentType: 'html', content: '<p>Agenda</p>' },
        start: at('2026-05-04T09:00:00', 'Europe/Berlin'),
        end: at('2026-05-04T10:00:00', 'Europe/Berlin'),
        location: { displayName: 'Room 1' },
        attendees: [
          { type: 'required', ...person('ben@siesta.example') },
          { type: 'optional', ...person('cleo@siesta.example') },
        ],
        isOnlineMeeting: true,
        transactionId: TRANSACTION_ID,
        ...MARK,
      }),
  },
  update_event: {
    args: {
      id: ID,
      subject: 'Planning II',
      start: '2026-05-05T00:00',
      end: '2026-05-06T00:00',
      all_day: true,
    },
    theirs: (graph) =>
      ask(graph, `/me/events/${ID}`, `${PREFER}, outlook.timezone="UTC"`).patch({
        subject: 'Planning II',
        start: at('2026-05-05T00:00', 'UTC'),
        end: at('2026-05-06T00:00', 'UTC'),
        isAllDay: true,
      }),
  },
  respond_to_event: {
    args: { id: ID, response: 'tentative', comment: 'Maybe.' },
    theirs: (graph) =>
      ask(graph, `/me/events/${ID}/tentativelyAccept`).post({ comment: 'Maybe.', sendResponse: true }),
  },
  cancel_event: {
    args: { id: ID, comment: 'Ill.' },
    theirs: (graph) => ask(graph, `/me/events/${ID}/cancel`).post({ comment: 'Ill.' }),
  },
  delete_event: { args: { id: ID }, theirs: (graph) => ask(graph, `/me/events/${ID}`).delete() },
};

describe('Outlook asks Graph as its own client does', () => {
  const context = () =>
    callContext({
      baseUrl: `${recorder.origin}/v1.0`,
      authorize: guarded(outlookConnector, {}, recorder.origin),
      files,
    });

  it.each(Object.entries(CASES))('%s', async (name, { args, theirs }) => {
    const ours = await recorder.during(() => call(functionNamed(functions, name), context(), args));
    const others = await recorder.during(() => theirs(client));
    expect(others.length).toBeGreaterThan(0);
    expect(ours.map((request) => graphEssence(request))).toEqual(
      others.map((request) => graphEssence(request)),
    );
  });

  it('looks for what it sent', async () => {
    const reconcile = functionNamed(functions, 'send_message').reconcile;
    const [ours] = await recorder.during(async () => reconcile?.(context(), mail));
    const [theirs] = await recorder.during(() =>
      ask(client, '/me/messages')
        .filter(`singleValueExtendedProperties/Any(ep: ep/id eq '${MARKER}' and ep/value eq 'exe_test_1')`)
        .select('id,conversationId,internetMessageId,isDraft')
        .top(2)
        .get(),
    );
    expect(graphEssence(ours)).toEqual(graphEssence(theirs));
  });

  it('works on the mailbox that the connection names', async () => {
    const config = { mailbox: 'support@siesta.example' };
    const authorize = guarded(outlookConnector, config, recorder.origin);
    const shared = callContext({ baseUrl: `${recorder.origin}/v1.0`, config, authorize });
    const [ours] = await recorder.during(() => call(functionNamed(functions, 'list_calendars'), shared, {}));
    const [theirs] = await recorder.during(() =>
      ask(client, '/users/support@siesta.example/calendars').top(25).get(),
    );
    expect(graphEssence(ours)).toEqual(graphEssence(theirs));
  });

  it('knows which of its functions were compared', () => {
    const verified = JSON.parse(
      readFileSync(new URL('./verified/outlook.json', import.meta.url), 'utf8'),
    ) as { against: string; checked: string[]; unchecked: Record<string, string> };
    expect(verified.against).toBe(AGAINST);
    expect(verified.checked).toEqual(Object.keys(CASES));
    expect([...verified.checked, ...Object.keys(verified.unchecked)].sort()).toEqual(
      functions.map(({ name }) => name).sort(),
    );
  });
});
