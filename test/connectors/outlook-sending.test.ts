import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { outlookConnector } from '../../src/connectors/outlook/index.js';
import { call, functionNamed, MemoryFiles } from './call-context.js';
import { AT_LUNCH, LUNCH, MAIL, person, short } from './outlook-fixtures.js';
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
    ['none, for a sent mail may leave no copy', [], 'unknown'],
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
