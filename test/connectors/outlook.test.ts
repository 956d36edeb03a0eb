import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { outlookConnector } from '../../src/connectors/outlook/index.js';
import { call, functionNamed } from './call-context.js';
import { AT_LUNCH, LUNCH, MAIL } from './outlook-fixtures.js';
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
      'update_event destructive ask',
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
