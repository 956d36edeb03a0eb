/** Attachments, the trash, settings, and finding one's own mail again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNTS, type Google, startGoogle } from '../../playground/google.js';
import type { Arguments } from '../../src/connectors/framework.js';
import { gmailConnector } from '../../src/connectors/gmail/index.js';
import { UpstreamError } from '../../src/errors.js';
import { type Answer, type Recorded, type Recorder, startRecorder } from '../contract/recorder.js';
import { callContext, functionNamed, MemoryFiles } from './call-context.js';
import { firstIn, GoogleAccount, observed } from './google-account.js';

const PUBLIC_URL = 'http://127.0.0.1:39998';
const functions = gmailConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);

let google: Google;
let ada: GoogleAccount;
let recorder: Recorder;
beforeAll(async () => {
  google = await startGoogle({ port: 0, publicUrl: PUBLIC_URL });
  ada = new GoogleAccount(google, PUBLIC_URL, functions, ACCOUNTS.ada);
  recorder = await startRecorder();
});
afterAll(async () => {
  await google.close();
  await recorder.close();
});

const mail = { to: [ACCOUNTS.ben], subject: 'Plans', body_text: 'Here they are.' };
const against = (
  answer: (request: Recorded) => Answer,
  executionId = 'exe_lost',
  files = new MemoryFiles(),
) => {
  recorder.answer = answer;
  return callContext({ executionId, baseUrl: recorder.origin, files });
};

describe('attachments', () => {
  it('go out with a mail and come back as the same bytes', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 61, 46, 10]);
    const file = ada.files.add({ name: 'Pläne.pdf', type: 'application/pdf', bytes });
    expect(fn('send_message').files?.({ ...mail, attachments: [file] })).toEqual([file]);
    const { id } = await ada.run('send_message', { ...mail, attachments: [file] });
    const read = await ada.run('get_message', { id: String(id) });
    expect(read.body_text).toBe('Here they are.');
    const attachment = firstIn(read.attachments);
    expect(attachment).toMatchObject({ filename: 'Pläne.pdf', mime_type: 'application/pdf', size: 7 });
    const saved = await ada.run('get_attachment', {
      message_id: String(id),
      attachment_id: String(attachment.attachment_id),
    });
    expect(saved).toMatchObject({ name: 'Pläne.pdf', type: 'application/pdf', size: 7 });
    expect(Buffer.from((await ada.files.read(String(saved.file))).bytes)).toEqual(bytes);
  });

  it('keep no path and no unseen character of the name their sender chose', async () => {
    const parts = [
      {
        filename: '../../etc/\u202epass\u0000wd',
        mimeType: 'text/x; charset=a',
        body: { attachmentId: 'new-id', size: 3 },
      },
      { filename: 'other', mimeType: 'text/plain', body: { attachmentId: 'other-id', size: 9 } },
    ];
    const context = against(({ path }) => ({
      body: /attachments/.test(path) ? { size: 3, data: 'YWJj' } : { id: 'm1', payload: { parts } },
    }));
    const saved = await fn('get_attachment').run(context, { message_id: 'm1', attachment_id: 'old-id' });
    expect(saved).toMatchObject({ name: 'passwd', type: 'text/x', size: 3 });
  });

  it('that are too large together are refused before anything is sent', async () => {
    const files = new MemoryFiles();
    const half = files.add({ name: 'a', type: 'a/b', bytes: new Uint8Array(14_000_000) });
    const context = against(() => ({}), 'exe_lost', files);
    const before = recorder.requests.length;
    const sending = fn('send_message').run(context, { ...mail, attachments: [half, half] });
    await expect(sending).rejects.toMatchObject({ code: 'invalid_arguments', definite: true });
    expect(recorder.requests.length).toBe(before);
  });

  it('that are not there any more stop the mail', async () => {
    const sending = ada.run('send_message', { ...mail, attachments: ['file_gone000000'] });
    await expect(sending).rejects.toMatchObject({ code: 'invalid_arguments', definite: true });
  });

  it('stand on the card of the draft that is sent', async () => {
    const file = ada.files.add({ name: 'a.txt', type: 'text/plain', bytes: Buffer.from('abc') });
    const { id } = await ada.run('create_draft', { ...mail, attachments: [file] });
    const { fields } = await ada.observed('send_draft', { draft_id: String(id) });
    expect(fields).toContainEqual({ label: 'Attachments', value: 'a.txt (3 bytes)', kind: 'short' });
    const changes = await ada.observed('update_draft', { id: String(id), ...mail, body_text: 'New' });
    expect(changes.fields).toEqual([
      { label: 'To', value: ACCOUNTS.ben, kind: 'short' },
      { label: 'Subject', value: 'Plans', kind: 'short' },
      { label: 'Text', value: 'Here they are.', kind: 'long', after: 'New' },
      { label: 'Attachments', value: 'a.txt (3 bytes)', kind: 'short', after: '' },
    ]);
  });
});

describe('the trash', () => {
  it('takes a mail or a conversation, gives it back, and shows it before', async () => {
    const sent = await ada.run('send_message', { ...mail, subject: 'Trash me' });
    const [id, thread] = [String(sent.id), String(sent.thread_id)];
    const labels = async () => (await ada.run('get_message', { id })).label_ids;
    for (const args of [{ id }, { thread_id: thread }]) {
      const { fields } = await ada.observed('trash_message', args);
      expect(fields).toMatchObject([
        { label: 'Mail', value: expect.stringMatching(/^Trash me \(from ada@/) },
      ]);
      expect(await ada.run('trash_message', args)).toEqual({ ...args, in_trash: true });
      expect(await labels()).toContain('TRASH');
      expect(await ada.run('untrash_message', args)).toEqual({ ...args, in_trash: false });
      expect(await labels()).not.toContain('TRASH');
    }
  });

  it('is not needed to delete a mail for good', async () => {
    const { id } = await ada.run('send_message', { ...mail, subject: 'Delete me' });
    const { fields } = await ada.observed('delete_message_permanently', { id: String(id) });
    expect(fields[0]?.value).toContain('Delete me');
    expect(await ada.run('delete_message_permanently', { id: String(id) })).toEqual({ deleted: id });
    await expect(ada.run('get_message', { id: String(id) })).rejects.toMatchObject({ status: 404 });
  });

  it('shows the mails and names the labels that are changed', async () => {
    const label = await ada.run('create_label', { name: 'Later' });
    const { id } = await ada.run('send_message', { ...mail, subject: 'Sort me' });
    const args = { ids: [String(id)], add: [String(label.id)], remove: ['INBOX'] };
    expect((await ada.observed('modify_labels', args)).fields).toMatchObject([
      { label: 'Mail', value: expect.stringContaining('Sort me') },
      { label: 'Labels to add', value: 'Later' },
      { label: 'Labels to remove', value: 'INBOX' },
    ]);
  });
});

describe('settings', () => {
  it('a filter sorts by what it was told', async () => {
    const args = { from: 'ads@x.example', remove_label_ids: ['INBOX'] };
    const { id } = await ada.run('create_filter', args);
    expect(String(id)).not.toBe('');
    await expect(ada.run('create_filter', args)).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
    });
  });

  it('the vacation reply shows what it was and what it becomes', async () => {
    const context = against(({ body }) => ({
      body:
        body.byteLength > 0
          ? JSON.parse(body.toString())
          : { enableAutoReply: false, responseSubject: 'Away', endTime: '1777586400000' },
    }));
    const args = { enabled: true, subject: 'Away', body_text: 'On Monday.' };
    const { fields } = await observed(fn('set_vacation_reply'), context, args);
    expect(fields).toEqual([
      { label: 'Answers by itself', value: 'no', kind: 'short', after: 'yes' },
      { label: 'Subject', value: 'Away', kind: 'short' },
      { label: 'Text', value: '', kind: 'long', after: 'On Monday.' },
      { label: 'Until', value: '2026-04-30T22:00:00.000Z', kind: 'short', after: '' },
    ]);
    expect(await fn('set_vacation_reply').run(context, args)).toMatchObject({ ...args, end: '' });
  });

  it.each<[string, string, Arguments]>([
    ['an empty filter', 'create_filter', { add_label_ids: ['A'] }],
    ['a filter that does nothing', 'create_filter', { from: 'a' }],
    ['an answer without words', 'set_vacation_reply', { enabled: true }],
    [
      'an end before its start',
      'set_vacation_reply',
      { enabled: false, start: '2026-05-02T00:00:00Z', end: '2026-05-01T00:00:00Z' },
    ],
    ['a mail and a conversation', 'trash_message', { id: 'a', thread_id: 'b' }],
    ['26 files', 'send_message', { ...mail, attachments: Array(26).fill('file_test_000001') }],
    ['a path as a file', 'send_message', { ...mail, attachments: ['/etc/passwd'] }],
  ])('%s is refused', (_, name, args) => {
    expect(fn(name).input.parse(args)).toMatchObject({ ok: false });
  });
});

describe('after a lost answer', () => {
  const reconcile = async (name: string, args: Arguments, executionId: string, more: string[] = []) =>
    fn(name).reconcile?.(await ada.context(name, executionId, more), args);
  const readonly = ['https://www.googleapis.com/auth/gmail.readonly'];

  it('a draft that was written is found again, one that was not is not', async () => {
    const written = await ada.run('create_draft', mail, 'exe_written');
    expect(await reconcile('create_draft', mail, 'exe_written')).toEqual({
      status: 'applied',
      result: written,
    });
    expect(await reconcile('create_draft', mail, 'exe_never')).toEqual({ status: 'not_applied' });
  });

  it('a mail that left is found again where the credential may look', async () => {
    const sent = await ada.run('send_message', mail, 'exe_left');
    expect(await reconcile('send_message', mail, 'exe_left', readonly)).toEqual({
      status: 'applied',
      result: sent,
    });
    expect(await reconcile('send_message', mail, 'exe_never', readonly)).toEqual({ status: 'not_applied' });
    expect(await reconcile('send_message', mail, 'exe_left')).toMatchObject({ status: 'unknown' });
  });

  it('an answer is found again with those it went to', async () => {
    const original = firstIn((await ada.run('search_messages', { q: 'from:cleo' })).messages);
    const args = { message_id: String(original.id), body_text: 'Yes.' };
    const sent = await ada.run('reply', args, 'exe_answer');
    expect(await reconcile('reply', args, 'exe_answer')).toEqual({ status: 'applied', result: sent });
  });

  it('a draft that is still there was not sent; one that is gone may have been', async () => {
    const { id } = await ada.run('create_draft', mail);
    const args = { draft_id: String(id) };
    expect(await reconcile('send_draft', args, 'exe_send')).toEqual({ status: 'not_applied' });
    await ada.run('send_draft', args);
    expect(await reconcile('send_draft', args, 'exe_send')).toMatchObject({ status: 'unknown' });
  });

  const message = (name: string, value: string) => ({
    id: 'm7',
    threadId: 't7',
    payload: { headers: [{ name, value }] },
  });

  it('our own header is enough where Gmail replaced the Message-ID, among 25 mails at most', async () => {
    const ids = Array.from({ length: 25 }, (_, index) => ({ id: `m${index}` }));
    const context = against(({ path, query }) => {
      if (/m7$/.test(path)) return { body: message('X-Siesta-Execution', 'exe_lost') };
      if (!/messages$/.test(path)) return { body: message('Message-ID', '<CAx@mail.gmail.com>') };
      return { body: query.some(([name]) => name === 'q') ? {} : { messages: ids, nextPageToken: 'p2' } };
    });
    const asked = await recorder.during(async () => {
      expect(await fn('send_message').reconcile?.(context, mail)).toEqual({
        status: 'applied',
        result: { id: 'm7', thread_id: 't7' },
      });
    });
    expect(asked).toHaveLength(27);
    expect(asked[0]?.query).toContainEqual(['q', 'rfc822msgid:exe_lost@siesta-connections.local']);
    expect(asked[0]?.query).toContainEqual(['labelIds', 'SENT']);
  });

  it('nobody knows when ours is not among the newest and there are more', async () => {
    const context = against(({ path }) => ({
      body: /messages$/.test(path)
        ? { messages: [{ id: 'm1' }], nextPageToken: 'p2' }
        : message('X-Siesta-Execution', 'exe_another'),
    }));
    expect(await fn('send_message').reconcile?.(context, mail)).toMatchObject({ status: 'unknown' });
  });

  it('a failure while looking is a failure, not an answer', async () => {
    const context = against(() => ({ status: 503 }));
    await expect(fn('create_draft').reconcile?.(context, mail)).rejects.toBeInstanceOf(UpstreamError);
  });
});

it('every write shows its target or says why there is none', () => {
  for (const { name, risk, observe } of functions) {
    if (risk === 'read') expect(observe, name).toBeUndefined();
    else expect(observe, name).toBeDefined();
  }
});
