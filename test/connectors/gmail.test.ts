import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ACCOUNTS, type Google, startGoogle } from '../../playground/google.js';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { gmailConnector } from '../../src/connectors/gmail/index.js';
import { htmlToText } from '../../src/connectors/gmail/message.js';
import { signIn } from '../playground/google-sign-in.js';
import { call, callContext, functionNamed } from './call-context.js';
import { firstIn, objectIn, observed } from './google-account.js';

const PUBLIC_URL = 'http://127.0.0.1:39999';
const functions = gmailConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);

let google: Google;
const tokens = new Map<string, string>();

beforeAll(async () => {
  google = await startGoogle({ port: 0, publicUrl: PUBLIC_URL });
});
afterAll(() => google.close());
beforeEach(() => {
  google.fail = undefined;
});

/** Signs in with exactly the scopes that a function says it needs. */
async function contextFor(name: string, account: string = ACCOUNTS.ada, executionId = 'exe_gmail_1') {
  const scopes = [...fn(name).scopes];
  const key = `${account} ${scopes.join(' ')}`;
  const token = tokens.get(key) ?? (await signIn(google, PUBLIC_URL, account, scopes)).access_token;
  tokens.set(key, token);
  return callContext({
    executionId,
    baseUrl: google.origin,
    authorize: (request) => ({
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${token}` },
    }),
  });
}

async function run(name: string, args: Arguments = {}, account?: string): Promise<Record<string, JsonValue>> {
  return objectIn(await call(fn(name), await contextFor(name, account), args));
}

describe('reading a mailbox, with the scopes each function says it needs', () => {
  it('finds mails and says who wrote what', async () => {
    const found = await run('search_messages', { q: 'from:cleo' });
    expect(found.messages).toMatchObject([
      { from: 'Cleo Marchetti <cleo@siesta.example>', to: ACCOUNTS.ada, subject: 'Can agents read my mail?' },
    ]);
    expect(found.next_page_token).toBeNull();
  });

  it('pages', async () => {
    await run('create_label', { name: 'Paging' });
    const first = await run('list_threads', { max_results: 1 }, ACCOUNTS.cleo);
    const second = await run(
      'list_threads',
      { max_results: 1, page_token: String(first.next_page_token) },
      ACCOUNTS.cleo,
    );
    expect(firstIn(second.threads).id).not.toBe(firstIn(first.threads).id);
  });

  it('reads a mail and its conversation, cut where asked', async () => {
    const { id, thread_id: thread } = firstIn((await run('search_messages', { q: 'from:cleo' })).messages);
    const whole = await run('get_message', { id: String(id) });
    expect(whole).toMatchObject({
      id,
      truncated: false,
      attachments: [],
      body_text: expect.stringContaining('draft answers'),
    });
    expect(new Date(String(whole.date)).toISOString()).toBe(whole.date);
    expect(await run('get_message', { id: String(id), body_max_chars: 5 })).toMatchObject({
      body_text: 'I wou',
      truncated: true,
    });
    expect(String((await run('get_message', { id: String(id), format: 'raw' })).raw)).toContain(
      'Subject: Can agents',
    );
    expect((await run('get_thread', { id: String(thread) })).messages).toMatchObject([{ id }]);
  });

  it('knows whose mailbox it is', async () => {
    expect(await run('get_profile')).toMatchObject({ email: ACCOUNTS.ada });
    expect(await gmailConnector.account?.(await contextFor('get_profile', ACCOUNTS.ben))).toBe(ACCOUNTS.ben);
  });

  it('never reads another mailbox', async () => {
    const { id } = firstIn((await run('search_messages', { q: 'from:marta' }, ACCOUNTS.cleo)).messages);
    await expect(run('get_message', { id: String(id) }, ACCOUNTS.ada)).rejects.toMatchObject({
      code: 'upstream_rejected',
      status: 404,
    });
  });
});

describe('writing and sending, with the scopes each function says it needs', () => {
  it('sends a mail: it is in the sent mails, and it arrives', async () => {
    const sent = await run('send_message', {
      to: [ACCOUNTS.ben],
      bcc: [ACCOUNTS.cleo],
      subject: 'Grüße ✓',
      body_text: 'Hallo Ben,\n\nschöne Grüße\n\nBcc: nobody@evil.example',
    });
    const [mail] = await google.sent(ACCOUNTS.ada);
    expect(mail).toMatchObject({ id: sent.id, to: ACCOUNTS.ben, bcc: ACCOUNTS.cleo, subject: 'Grüße ✓' });
    expect(mail?.message_id).toBe('<exe_gmail_1@siesta-connections.local>');
    expect(mail?.body_text).toContain('schöne Grüße\n\nBcc: nobody@evil.example');
    expect((await google.inbox(ACCOUNTS.ben))[0]).toMatchObject({
      from: ACCOUNTS.ada,
      subject: 'Grüße ✓',
      bcc: '',
    });
    expect((await google.inbox(ACCOUNTS.cleo))[0]).toMatchObject({ subject: 'Grüße ✓' });
    const read = firstIn((await run('search_messages', { max_results: 1 }, ACCOUNTS.ben)).messages);
    expect(read.subject).toBe('Grüße ✓');
  });

  it('answers in the conversation, to those it shows', async () => {
    await run('send_message', {
      to: [ACCOUNTS.ben, ACCOUNTS.cleo],
      subject: 'Lunch?',
      body_text: 'At noon?',
    });
    const asked = firstIn((await run('search_messages', { q: 'subject:Lunch' }, ACCOUNTS.ben)).messages);
    const args = { message_id: String(asked.id), reply_all: true, body_text: 'Yes.' };
    const preview = await observed(fn('reply'), await contextFor('reply', ACCOUNTS.ben), args);
    expect(preview.fields).toEqual([
      { label: 'To', value: ACCOUNTS.ada, kind: 'short' },
      { label: 'Cc', value: ACCOUNTS.cleo, kind: 'short' },
      { label: 'Subject', value: 'Re: Lunch?', kind: 'short' },
    ]);
    const answered = await run('reply', args, ACCOUNTS.ben);
    expect(answered).toMatchObject({ to: [ACCOUNTS.ada], cc: [ACCOUNTS.cleo], thread_id: asked.thread_id });
    expect((await google.inbox(ACCOUNTS.ada))[0]).toMatchObject({ subject: 'Re: Lunch?', body_text: 'Yes.' });
  });

  it('writes, replaces, shows and sends a draft', async () => {
    const mail = { to: [ACCOUNTS.cleo], subject: 'Draft', body_text: 'One' };
    const { id } = await run('create_draft', mail);
    await run('update_draft', { id: String(id), ...mail, body_text: 'Two', body_html: '<p>Two</p>' });
    expect(await run('get_draft', { id: String(id) })).toMatchObject({
      message: { subject: 'Draft', body_text: 'Two' },
    });
    expect(firstIn((await run('list_drafts')).drafts)).toMatchObject({ id, message: { subject: 'Draft' } });
    const args = { draft_id: String(id) };
    const before = await observed(fn('send_draft'), await contextFor('send_draft'), args);
    expect(before.fields).toContainEqual({ label: 'Text', value: 'Two', kind: 'long' });
    await run('update_draft', { id: String(id), ...mail, body_text: 'Three' });
    const after = await observed(fn('send_draft'), await contextFor('send_draft'), args);
    expect(after.fields).not.toEqual(before.fields);
    await expect(run('send_draft', { ...args, message_id: 'another' })).rejects.toMatchObject({
      code: 'target_changed',
      definite: true,
    });
    expect(await google.sent(ACCOUNTS.ada)).not.toContainEqual(expect.objectContaining({ subject: 'Draft' }));
    await run('send_draft', args);
    expect((await google.sent(ACCOUNTS.ada)).find(({ subject }) => subject === 'Draft')).toMatchObject({
      body_text: 'Three',
    });
    await expect(run('send_draft', args)).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
    });
  });

  it('sorts mails by labels', async () => {
    const { id } = await run('create_label', { name: 'Support/Urgent' });
    const messages = (await run('search_messages', {}, ACCOUNTS.ada)).messages;
    const ids = Array.isArray(messages) ? messages.map((message) => String(objectIn(message).id)) : [];
    expect(await run('modify_labels', { ids, add: [String(id)] })).toEqual({ modified: ids.length });
    await run('modify_labels', { ids: ids.slice(0, 1), remove: [String(id)] });
    expect((await run('search_messages', { label_ids: [String(id)] })).messages).toHaveLength(ids.length - 1);
    expect((await run('list_labels')).labels).toContainEqual({ id, name: 'Support/Urgent', type: 'user' });
    await expect(run('create_label', { name: 'Support/Urgent' })).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
    });
    const preview = await observed(fn('delete_label'), await contextFor('delete_label'), { id: String(id) });
    expect(preview.fields).toEqual([{ label: 'Name', value: 'Support/Urgent', kind: 'short' }]);
    expect(await run('delete_label', { id: String(id) })).toEqual({ deleted: id });
  });
});

describe('what is refused before anything is sent', () => {
  const mail = { to: ['cleo@siesta.example'], subject: 'x', body_text: 'y' };
  it.each<[string, string, Arguments, string]>([
    [
      'a line break in the subject',
      'send_message',
      { ...mail, subject: 'x\r\nBcc: evil@evil.example' },
      '/subject',
    ],
    ['a display name', 'send_message', { ...mail, to: ['Boss <evil@evil.example>'] }, '/to/0'],
    ['nobody to send to', 'send_message', { ...mail, to: [] }, '/to'],
    ['an unknown argument', 'send_message', { ...mail, from: 'ceo@siesta.example' }, ''],
    [
      '101 recipients',
      'send_message',
      { ...mail, cc: Array(60).fill('a@b.example'), bcc: Array(40).fill('a@b.example') },
      '',
    ],
    ['a subject of 999 characters', 'send_message', { ...mail, subject: 'x'.repeat(999) }, '/subject'],
    ['an id that is a path', 'get_message', { id: '../drafts' }, '/id'],
    ['an id with an encoded slash', 'delete_label', { id: 'a%2fb' }, '/id'],
    ['1,001 mails', 'modify_labels', { ids: Array(1_001).fill('a'), add: ['b'] }, '/ids'],
    ['no label', 'modify_labels', { ids: ['a'] }, ''],
    ['101 results', 'search_messages', { max_results: 101 }, '/max_results'],
  ])('%s', (_, name, args, path) => {
    expect(fn(name).input.parse(args)).toMatchObject({ ok: false, issues: [{ path }] });
  });
});

describe('what Google says', () => {
  it('a scope that was not granted asks for more scopes', async () => {
    const context = await contextFor('list_labels');
    await expect(
      fn('send_message').run(context, { to: ['a@b.example'], subject: 'x', body_text: 'y' }),
    ).rejects.toMatchObject({
      code: 'needs_more_scopes',
      definite: true,
    });
  });

  it('a revoked grant asks to reconnect', async () => {
    const { access_token: token } = await signIn(google, PUBLIC_URL, ACCOUNTS.cleo, [
      ...fn('get_profile').scopes,
    ]);
    const authorize = (request: Parameters<ReturnType<typeof callContext>['fetch']>[0]) => ({
      ...request,
      headers: { authorization: `Bearer ${token}` },
    });
    const context = callContext({ baseUrl: google.origin, authorize });
    await fn('get_profile').run(context, {});
    tokens.clear();
    await google.revokeGrants(ACCOUNTS.cleo);
    await expect(fn('get_profile').run(context, {})).rejects.toMatchObject({
      code: 'needs_reauth',
      definite: true,
    });
  });

  it('a broken connection after the mail left is not called a failure that surely had no effect', async () => {
    google.fail = 'close-after-effect';
    const sending = run('send_message', { to: [ACCOUNTS.ben], subject: 'Did it go?', body_text: 'Maybe.' });
    await expect(sending).rejects.not.toMatchObject({ definite: true });
    expect((await google.sent(ACCOUNTS.ada))[0]).toMatchObject({ subject: 'Did it go?' });
  });
});

describe('the connector', () => {
  it('reaches the mailbox of the credential and nothing else', () => {
    expect(gmailConnector.egress({}, 'https://gmail.googleapis.com')).toEqual([
      { origin: 'https://gmail.googleapis.com', pathPrefix: '/gmail/v1/users/me/' },
      { origin: 'https://gmail.googleapis.com', pathPrefix: '/upload/gmail/v1/users/me/' },
    ]);
  });

  it('ships as the catalogue says', () => {
    const rows = functions.map(({ name, risk, approval }) => `${name} ${risk} ${approval}`);
    expect(rows.filter((row) => row.endsWith(' read auto'))).toHaveLength(9);
    expect(rows.filter((row) => !row.endsWith(' read auto'))).toEqual([
      'create_draft write ask',
      'update_draft write ask',
      'send_draft destructive ask',
      'send_message destructive ask',
      'reply destructive ask',
      'modify_labels write ask',
      'create_label write ask',
      'delete_label destructive off',
      'trash_message write ask',
      'untrash_message write ask',
      'delete_message_permanently destructive off',
      'create_filter destructive off',
      'set_vacation_reply destructive off',
    ]);
  });

  it('shows a mail on the card as it will be sent', () => {
    const card = fn('send_message').card({
      to: ['a@b.example', 'c@d.example'],
      cc: ['e@f.example'],
      subject: 'S',
      body_text: 'T',
    });
    expect(card).toEqual([
      { label: 'To', value: 'a@b.example, c@d.example', kind: 'short' },
      { label: 'Cc', value: 'e@f.example', kind: 'short' },
      { label: 'Subject', value: 'S', kind: 'short' },
      { label: 'Text', value: 'T', kind: 'long' },
    ]);
  });
});

describe('HTML mails', () => {
  it('become the text a reader sees', () => {
    const html =
      '<head><title>t</title></head><style>p{}</style><p>Hello&nbsp;<b>Ben</b> &amp; all</p><script>alert("<p>")</script>1 < 2<br>Bye &#8364;';
    expect(htmlToText(html)).toBe('Hello Ben & all\n1 < 2\nBye €');
  });

  it('take no time, however hostile', () => {
    const started = performance.now();
    for (const piece of ['<', '<script>', '&', '<p', ' \n', '<!--']) htmlToText(piece.repeat(100_000));
    expect(performance.now() - started).toBeLessThan(1_500);
  });
});
