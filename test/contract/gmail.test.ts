/** Our requests beside those of @googleapis/gmail, the vendor's own client, for the same calls. */
import { readFileSync } from 'node:fs';
import { gmail, type gmail_v1 } from '@googleapis/gmail';
import nock from 'nock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { gmailConnector } from '../../src/connectors/gmail/index.js';
import { call, callContext, functionNamed, MemoryFiles } from '../connectors/call-context.js';
import { type Answer, essence, jsonBody, type Recorded, type Recorder, startRecorder } from './recorder.js';

const functions = gmailConnector.functions({});
const files = new MemoryFiles();
const large = files.add({
  name: 'plans.bin',
  type: 'application/octet-stream',
  bytes: new Uint8Array(4_000_000),
});

let recorder: Recorder;
/** Only the root URL of a single call counts for uploads too; that of the client would send them to Google. */
let at: { rootUrl: string };
let users: gmail_v1.Resource$Users;

beforeAll(async () => {
  nock.disableNetConnect();
  nock.enableNetConnect('127.0.0.1');
  recorder = await startRecorder();
  at = { rootUrl: recorder.origin };
  users = gmail({ version: 'v1' }).users;
});
afterAll(async () => {
  nock.enableNetConnect();
  await recorder.close();
});
beforeEach(() => {
  recorder.answer = ({ path }): Answer => {
    if (/\/(messages|threads)$/.test(path)) return { body: { messages: [{ id: 'm1' }] } };
    if (/\/drafts$/.test(path)) return { body: { drafts: [{ id: 'd1', message: { id: 'm1' } }] } };
    if (/\/m1$/.test(path)) return { body: original };
    return { body: {} };
  };
});
const original = {
  id: 'm1',
  threadId: 't1',
  payload: {
    headers: [
      { name: 'From', value: 'Ben <ben@siesta.example>' },
      { name: 'Subject', value: 'Lunch?' },
    ],
  },
};

/** The parts of an upload: what stands between the boundaries. */
function uploadBody(request: Recorded): unknown {
  const boundary = /^multipart\/related; boundary=(\S+)$/.exec(request.headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) return jsonBody(request);
  const [before, ...parts] = request.body.toString('latin1').split(`--${boundary}`);
  const read = parts.slice(0, -1).map((part) => {
    const end = part.indexOf('\r\n\r\n');
    const content = part.slice(end + 4, -'\r\n'.length);
    return {
      head: part.slice(0, end).trim(),
      content: /json/.test(part.slice(0, end)) ? JSON.parse(content) : content,
    };
  });
  return { before, read, after: parts.at(-1)?.trim() };
}

const essences = (requests: readonly Recorded[]) =>
  requests.map((each) => essence(each, { body: uploadBody }));

/** What our own request carried, so that the vendor's client is given the same mail. */
interface Sent {
  readonly raw: string;
  readonly mail: string;
}

function sentBy(request: Recorded | undefined): Sent {
  const body = request && request.body.byteLength > 0 ? (uploadBody(request) as Record<string, never>) : {};
  const message = (body.message ?? body) as { raw?: string };
  const parts = (body as { read?: { content: string }[] }).read;
  return { raw: message.raw ?? '', mail: parts?.[1]?.content ?? '' };
}

type Case = readonly [name: string, args: Arguments, theirs: (sent: Sent) => Promise<unknown>, what?: string];

const me = { userId: 'me' };
const mail = { to: ['cleo@siesta.example'], subject: 'Grüße', body_text: 'Hallo', thread_id: 't1' };
const list = { maxResults: 3, pageToken: 'p/2=', q: 'from:ben "a b"', includeSpamTrash: true };
const listing = { max_results: 3, page_token: 'p/2=', q: 'from:ben "a b"', include_spam_trash: true };
const summary = (id: string) =>
  users.messages.get(
    { ...me, id, format: 'metadata', metadataHeaders: ['From', 'To', 'Cc', 'Subject', 'Date'] },
    at,
  );
const repliedTo = ['From', 'Reply-To', 'To', 'Cc', 'Subject', 'Message-ID', 'References'];

const cases: readonly Case[] = [
  [
    'search_messages',
    { ...listing, label_ids: ['INBOX', 'Label_1'] },
    async () => {
      await users.messages.list({ ...me, ...list, labelIds: ['INBOX', 'Label_1'] }, at);
      await summary('m1');
    },
  ],
  [
    'get_message',
    { id: 'm1', format: 'full' },
    () => users.messages.get({ ...me, id: 'm1', format: 'full' }, at),
  ],
  [
    'get_message',
    { id: 'm1', format: 'raw' },
    () => users.messages.get({ ...me, id: 'm1', format: 'raw' }, at),
    'raw',
  ],
  ['get_thread', { id: 't1' }, () => users.threads.get({ ...me, id: 't1', format: 'full' }, at)],
  ['list_threads', listing, () => users.threads.list({ ...me, ...list }, at)],
  ['list_labels', {}, () => users.labels.list(me, at)],
  [
    'list_drafts',
    { q: 'to:ben', max_results: 3, page_token: 'p2' },
    async () => {
      await users.drafts.list({ ...me, q: 'to:ben', maxResults: 3, pageToken: 'p2' }, at);
      await summary('m1');
    },
  ],
  ['get_draft', { id: 'd1' }, () => users.drafts.get({ ...me, id: 'd1', format: 'full' }, at)],
  ['get_profile', {}, () => users.getProfile(me, at)],
  [
    'get_attachment',
    { message_id: 'm1', attachment_id: 'a-1' },
    async () => {
      await users.messages.attachments.get({ ...me, messageId: 'm1', id: 'a-1' }, at);
      await users.messages.get({ ...me, id: 'm1', format: 'full' }, at);
    },
  ],
  [
    'create_draft',
    mail,
    ({ raw }) => users.drafts.create({ ...me, requestBody: { message: { raw, threadId: 't1' } } }, at),
  ],
  [
    'create_draft',
    { ...mail, attachments: [large] },
    ({ mail: body }) =>
      users.drafts.create(
        { ...me, requestBody: { message: { threadId: 't1' } }, media: { mimeType: 'message/rfc822', body } },
        at,
      ),
    'large',
  ],
  [
    'update_draft',
    { id: 'd1', ...mail },
    ({ raw }) =>
      users.drafts.update({ ...me, id: 'd1', requestBody: { message: { raw, threadId: 't1' } } }, at),
  ],
  [
    'update_draft',
    { id: 'd1', ...mail, attachments: [large] },
    ({ mail: body }) =>
      users.drafts.update(
        {
          ...me,
          id: 'd1',
          requestBody: { message: { threadId: 't1' } },
          media: { mimeType: 'message/rfc822', body },
        },
        at,
      ),
    'large',
  ],
  ['send_draft', { draft_id: 'd1' }, () => users.drafts.send({ ...me, requestBody: { id: 'd1' } }, at)],
  [
    'send_message',
    mail,
    ({ raw }) => users.messages.send({ ...me, requestBody: { raw, threadId: 't1' } }, at),
  ],
  [
    'send_message',
    { ...mail, attachments: [large] },
    ({ mail: body }) =>
      users.messages.send(
        { ...me, requestBody: { threadId: 't1' }, media: { mimeType: 'message/rfc822', body } },
        at,
      ),
    'large',
  ],
  [
    'reply',
    { message_id: 'm1', reply_all: true, body_text: 'Yes.' },
    async ({ raw }) => {
      await users.messages.get({ ...me, id: 'm1', format: 'metadata', metadataHeaders: repliedTo }, at);
      await users.getProfile(me, at);
      await users.messages.send({ ...me, requestBody: { raw, threadId: 't1' } }, at);
    },
  ],
  [
    'modify_labels',
    { ids: ['m1'], add: ['A'], remove: ['B', 'C'] },
    () =>
      users.messages.modify(
        { ...me, id: 'm1', requestBody: { addLabelIds: ['A'], removeLabelIds: ['B', 'C'] } },
        at,
      ),
  ],
  [
    'modify_labels',
    { ids: ['m1', 'm2'], remove: ['UNREAD'] },
    () =>
      users.messages.batchModify(
        { ...me, requestBody: { ids: ['m1', 'm2'], addLabelIds: [], removeLabelIds: ['UNREAD'] } },
        at,
      ),
    'several',
  ],
  [
    'create_label',
    { name: 'A/Ü b' },
    () => users.labels.create({ ...me, requestBody: { name: 'A/Ü b' } }, at),
  ],
  ['delete_label', { id: 'Label_1' }, () => users.labels.delete({ ...me, id: 'Label_1' }, at)],
  ['trash_message', { id: 'm1' }, () => users.messages.trash({ ...me, id: 'm1' }, at)],
  ['trash_message', { thread_id: 't1' }, () => users.threads.trash({ ...me, id: 't1' }, at), 'conversation'],
  ['untrash_message', { id: 'm1' }, () => users.messages.untrash({ ...me, id: 'm1' }, at)],
  [
    'untrash_message',
    { thread_id: 't1' },
    () => users.threads.untrash({ ...me, id: 't1' }, at),
    'conversation',
  ],
  ['delete_message_permanently', { id: 'm1' }, () => users.messages.delete({ ...me, id: 'm1' }, at)],
  [
    'create_filter',
    {
      from: 'ads@x.example',
      to: 'ada',
      subject: 'Sale',
      query: 'larger:1M',
      negated_query: 'is:starred',
      has_attachment: true,
      add_label_ids: ['TRASH'],
      remove_label_ids: ['INBOX'],
      forward: 'ben@siesta.example',
    },
    () =>
      users.settings.filters.create(
        {
          ...me,
          requestBody: {
            criteria: {
              from: 'ads@x.example',
              to: 'ada',
              subject: 'Sale',
              query: 'larger:1M',
              negatedQuery: 'is:starred',
              hasAttachment: true,
            },
            action: { addLabelIds: ['TRASH'], removeLabelIds: ['INBOX'], forward: 'ben@siesta.example' },
          },
        },
        at,
      ),
  ],
  [
    'set_vacation_reply',
    {
      enabled: true,
      subject: 'Away',
      body_text: 'Back on Monday.',
      body_html: '<p>Back on Monday.</p>',
      start: '2026-05-01T00:00:00+02:00',
      end: '2026-05-08T00:00:00+02:00',
      contacts_only: true,
      domain_only: false,
    },
    () =>
      users.settings.updateVacation(
        {
          ...me,
          requestBody: {
            enableAutoReply: true,
            responseSubject: 'Away',
            responseBodyPlainText: 'Back on Monday.',
            responseBodyHtml: '<p>Back on Monday.</p>',
            startTime: '1777586400000',
            endTime: '1778191200000',
            restrictToContacts: true,
            restrictToDomain: false,
          },
        },
        at,
      ),
  ],
];

describe('what we send is what the client of Google sends', () => {
  it.each(cases.map((each) => [`${each[0]} ${each[3] ?? ''}`.trim(), each] as const))(
    '%s',
    async (_, each) => {
      const [name, args, theirs] = each;
      const context = callContext({ executionId: 'exe_contract', baseUrl: recorder.origin, files });
      const ours = await recorder.during(() => call(functionNamed(functions, name), context, args));
      const expected = await recorder.during(() => theirs(sentBy(ours.at(-1))));
      expect(ours.length).toBeGreaterThan(0);
      expect(essences(ours)).toEqual(essences(expected));
    },
  );
});

describe('to show the target and to find our own mail again we ask as the client of Google does', () => {
  const search = { q: 'rfc822msgid:exe_contract@siesta-connections.local', maxResults: 5 };
  const headers = ['Message-ID', 'X-Siesta-Execution', 'To', 'Cc'];
  const reads: readonly Case[] = [
    [
      'modify_labels',
      { ids: ['m1'], add: ['A'] },
      async () => {
        await users.labels.list(me, at);
        await summary('m1');
      },
    ],
    ['delete_label', { id: 'Label_1' }, () => users.labels.get({ ...me, id: 'Label_1' }, at)],
    [
      'trash_message',
      { thread_id: 't1' },
      () => users.threads.get({ ...me, id: 't1', format: 'metadata' }, at),
    ],
    ['send_draft', { draft_id: 'd1' }, () => users.drafts.get({ ...me, id: 'd1', format: 'full' }, at)],
    ['set_vacation_reply', { enabled: false }, () => users.settings.getVacation(me, at)],
  ];
  it.each(reads.map((each) => [each[0], each] as const))('target of %s', async (_, [name, args, theirs]) => {
    const fn = functionNamed(functions, name);
    const parsed = fn.input.parse(args);
    const ours = await recorder.during(async () => {
      if (!parsed.ok || fn.observe === undefined || 'none' in fn.observe) throw new Error('no target');
      await fn.observe.read(callContext({ baseUrl: recorder.origin }), parsed.value);
    });
    expect(essences(ours)).toEqual(essences(await recorder.during(() => theirs({ raw: '', mail: '' }))));
  });

  const finds: readonly Case[] = [
    [
      'send_message',
      mail,
      async () => {
        const sent = { ...me, labelIds: ['SENT'], includeSpamTrash: true };
        await users.messages.list({ ...sent, ...search }, at);
        await users.messages.list({ ...sent, maxResults: 25 }, at);
        for (const _ of ['searched', 'newest'])
          await users.messages.get({ ...me, id: 'm1', format: 'metadata', metadataHeaders: headers }, at);
      },
    ],
    [
      'create_draft',
      mail,
      async () => {
        await users.drafts.list({ ...me, ...search }, at);
        await users.drafts.list({ ...me, maxResults: 25 }, at);
        for (const _ of ['searched', 'newest'])
          await users.drafts.get({ ...me, id: 'd1', format: 'metadata' }, at);
      },
    ],
    ['send_draft', { draft_id: 'd1' }, () => users.drafts.get({ ...me, id: 'd1', format: 'minimal' }, at)],
  ];
  it.each(finds.map((each) => [each[0], each] as const))(
    'after a lost answer of %s',
    async (_, [name, args, theirs]) => {
      const context = callContext({ executionId: 'exe_contract', baseUrl: recorder.origin });
      const ours = await recorder.during(async () =>
        functionNamed(functions, name).reconcile?.(context, args),
      );
      expect(essences(ours)).toEqual(essences(await recorder.during(() => theirs({ raw: '', mail: '' }))));
    },
  );
});

it('the record of what was compared is true', () => {
  const path = new URL('./verified/gmail.json', import.meta.url);
  const record = JSON.parse(readFileSync(path, 'utf8')) as { checked: string[]; unchecked: object };
  const compared = new Set(cases.map(([name]) => name));
  expect(record.checked).toEqual([...compared].sort());
  expect([...compared, ...Object.keys(record.unchecked)].sort()).toEqual(
    functions.map(({ name }) => name).sort(),
  );
});
