import { describe, expect, it } from 'vitest';
import { doc, issue, json, site, user } from './jira-answers.js';
import { standIn } from './stand-in.js';

const jira = standIn(site);
const { answers, context, fn, observe, run, sent } = jira;

describe('writing', () => {
  it('creates an issue with our marker on it, and finds it again by that alone', async () => {
    answers({ 'POST /issue': json({ id: '10002', key: 'HELP-13', self: 'x' }, 201) });
    const args = {
      project: 'HELP',
      issue_type: 'Task',
      summary: 'New',
      description: 'See **this**.',
      fields: { customfield_1: { markdown: 'rich' }, labels: ['a'] },
    };
    expect(await run('create_issue', args)).toEqual({
      id: '10002',
      key: 'HELP-13',
      url: 'https://example.atlassian.net/browse/HELP-13',
    });
    expect(sent()).toEqual({
      fields: {
        project: { key: 'HELP' },
        issuetype: { name: 'Task' },
        summary: 'New',
        description: {
          type: 'doc',
          version: 1,
          content: [
            {
              type: 'paragraph',
              content: [
                { type: 'text', text: 'See ' },
                { type: 'text', text: 'this', marks: [{ type: 'strong' }] },
                { type: 'text', text: '.' },
              ],
            },
          ],
        },
        customfield_1: doc('rich'),
        labels: ['a'],
      },
      properties: [{ key: 'siesta.execution', value: { id: 'exe_stand_in_1' } }],
    });
    const other = { id: '1', key: 'HELP-1', properties: { 'siesta.execution': { id: 'exe_other' } } };
    const ours = {
      id: '10002',
      key: 'HELP-13',
      properties: { 'siesta.execution': { id: 'exe_stand_in_1' } },
    };
    const reconciled = (...pages: object[]) => {
      jira.answer = () => ({ body: pages.shift() ?? { issues: [other], nextPageToken: 'more' } });
      return fn('create_issue').reconcile?.(context(), args);
    };
    expect(await reconciled({ issues: [other], nextPageToken: 'two' }, { issues: [ours] })).toEqual({
      status: 'applied',
      result: { id: '10002', key: 'HELP-13', url: 'https://example.atlassian.net/browse/HELP-13' },
    });
    expect(sent(1)).toMatchObject({
      jql: expect.stringMatching(/^project = "HELP" AND creator = currentUser\(\) AND created >= -7d/),
      properties: ['siesta.execution'],
    });
    // A search of Jira lags behind, so this proves nothing.
    expect(await reconciled({ issues: [other] })).toMatchObject({ status: 'unknown' });
    expect(await reconciled()).toMatchObject({ status: 'unknown' });
  });

  it('shows what a change changes, field by field, and changes only that', async () => {
    answers({
      'GET /issue/HELP-12': json({
        ...issue,
        names: { priority: 'Priority', description: 'Description', labels: 'Labels' },
      }),
      'PUT /issue/HELP-12': json(null, 204),
    });
    const args = {
      key: 'HELP-12',
      description: 'Out.',
      fields: { priority: { name: 'High' }, labels: ['fire', 'out'] },
      notify_users: false,
    };
    expect(await observe('update_issue', args)).toEqual({
      fields: [
        { label: 'Issue', value: 'HELP-12: Printer on fire', kind: 'short' },
        { label: 'Description', value: 'It *burns*.', after: 'Out.', kind: 'long' },
        { label: 'Priority', value: 'Medium', after: 'High', kind: 'short' },
        { label: 'Labels', value: 'fire', after: 'fire, out', kind: 'short' },
      ],
      version: '',
    });
    expect(await run('update_issue', args)).toEqual({
      key: 'HELP-12',
      changed: ['description', 'priority', 'labels'],
    });
    expect(jira.requests[1]?.query).toEqual([['notifyUsers', 'false']]);
    expect(sent(1)).toEqual({
      fields: { description: doc('Out.'), priority: { name: 'High' }, labels: ['fire', 'out'] },
    });
  });

  it('shows where a transition leads and who is meant', async () => {
    answers({
      'GET /issue/HELP-12': json(issue),
      'GET /issue/HELP-12/transitions': json({
        transitions: [{ id: '31', name: 'Finish', to: { name: 'Done' } }],
      }),
      'GET /user': json(user('712020:ben', 'Ben Roth')),
    });
    const status = async (id: string) =>
      (await observe('transition_issue', { key: 'HELP-12', transition_id: id })).fields[1];
    expect(await status('31')).toEqual({ label: 'Status', value: 'To Do', after: 'Done', kind: 'short' });
    expect(await status('99')).toMatchObject({ after: 'transition 99, which is not offered now' });
    expect((await observe('assign_issue', { key: 'HELP-12', account_id: '712020:ben' })).fields[1]).toEqual({
      label: 'Assignee',
      value: 'Ada Novak',
      after: 'Ben Roth',
      kind: 'short',
    });
    expect((await observe('assign_issue', { key: 'HELP-12', account_id: null })).fields[1]).toMatchObject({
      after: 'Nobody',
    });
    expect(
      (await observe('add_watcher', { key: 'HELP-12', account_id: '712020:ben' })).fields[1],
    ).toMatchObject({ value: 'Ben Roth' });
    expect(
      (await observe('link_issues', { type: 'Blocks', from: 'HELP-12', to: 'HELP-12' })).fields,
    ).toHaveLength(2);
    expect(await observe('delete_issue', { key: 'HELP-12' })).toMatchObject({
      version: '2026-01-02T03:04:05.678+0000',
      fields: [{ value: 'HELP-12: Printer on fire' }, { label: 'Status', value: 'To Do' }],
    });
  });

  it('writes comments, and keeps who may see them when the text changes', async () => {
    const comment = {
      id: '9',
      author: user('a', 'Ada'),
      body: doc('Old'),
      updated: 'u1',
      visibility: { type: 'group', value: 'staff', identifier: 'g1' },
    };
    answers({
      'POST /issue/HELP-12/comment': json(comment, 201),
      'GET /issue/HELP-12/comment/9': json(comment),
      'PUT /issue/HELP-12/comment/9': json(comment),
      'DELETE /issue/HELP-12/comment/9': json(null, 204),
    });
    await run('add_comment', { key: 'HELP-12', body: 'Hi', internal: true });
    expect(sent()).toEqual({
      body: doc('Hi'),
      properties: [{ key: 'sd.public.comment', value: { internal: true } }],
    });
    await run('add_comment', {
      key: 'HELP-12',
      body: 'Hi',
      visibility: { type: 'role', name: 'Administrators' },
    });
    expect(sent(1)).toEqual({ body: doc('Hi'), visibility: { type: 'role', value: 'Administrators' } });
    const args = { key: 'HELP-12', comment_id: '9', body: 'New' };
    expect(await observe('update_comment', args)).toEqual({
      fields: [
        { label: 'Issue', value: 'HELP-12', kind: 'short' },
        { label: 'By', value: 'Ada', kind: 'short' },
        { label: 'Text', value: 'Old', after: 'New', kind: 'long' },
        { label: 'Only for', value: 'group staff', kind: 'short' },
      ],
      version: 'u1',
    });
    jira.requests.length = 0;
    await run('update_comment', args);
    expect(sent(1)).toEqual({ body: doc('New'), visibility: comment.visibility });
    expect(await run('delete_comment', { key: 'HELP-12', comment_id: '9' })).toEqual({ deleted: '9' });
  });

  it('calls a failure before the write one that surely had no effect', async () => {
    jira.answer = ({ method }) => ({ status: method === 'GET' ? 503 : 200 });
    const changing = run('update_comment', { key: 'HELP-12', comment_id: '9', body: 'New' });
    await expect(changing).rejects.toMatchObject({ code: 'upstream_unavailable', definite: true });
    jira.answer = () => ({ status: 503 });
    await expect(run('add_comment', { key: 'HELP-12', body: 'x' })).rejects.toMatchObject({
      definite: false,
    });
  });

  it('logs work, moves, links, watches and attaches', async () => {
    jira.answer = ({ path }) => ({
      body: path.endsWith('/attachments')
        ? [{ id: '77', filename: 'a".png', mimeType: 'image/png', size: 3 }]
        : { id: '5', timeSpentSeconds: 5_400, started: 's' },
    });
    const started = '2026-03-01T09:00:00+01:00';
    expect(await run('add_worklog', { key: 'HELP-12', time_spent_seconds: 5_400, started })).toEqual({
      id: '5',
      time_spent_seconds: 5_400,
      started: 's',
    });
    expect(sent()).toEqual({ timeSpentSeconds: 5_400, started: '2026-03-01T08:00:00.000+0000' });
    await run('transition_issue', { key: 'HELP-12', transition_id: '31', comment: 'Done' });
    expect(sent(1)).toEqual({
      transition: { id: '31' },
      update: { comment: [{ add: { body: doc('Done') } }] },
    });
    await run('link_issues', { type: 'Blocks', from: 'HELP-12', to: '10007' });
    expect(sent(2)).toEqual({
      type: { name: 'Blocks' },
      inwardIssue: { key: 'HELP-12' },
      outwardIssue: { id: '10007' },
    });
    await run('add_watcher', { key: 'HELP-12', account_id: '712020:ben' });
    expect(sent(3)).toBe('712020:ben');
    const file = jira.files.add({ name: 'a".png', type: 'image/png', bytes: Buffer.from([1, 2, 255]) });
    expect(fn('add_attachment').files?.({ key: 'HELP-12', file })).toEqual([file]);
    expect(await run('add_attachment', { key: 'HELP-12', file })).toMatchObject({
      id: '77',
      name: 'a".png',
      size: 3,
    });
    const attached = jira.requests[4];
    if (!attached) throw new Error('nothing was attached');
    const { headers, body } = attached;
    expect(headers['x-atlassian-token']).toBe('no-check');
    const form = await new Response(new Uint8Array(body), {
      headers: { 'content-type': headers['content-type'] ?? '' },
    }).formData();
    const part = form.get('file');
    if (!(part instanceof File)) throw new Error('no file');
    expect([part.name, part.type, new Uint8Array(await part.arrayBuffer())]).toEqual([
      'a".png',
      'image/png',
      new Uint8Array([1, 2, 255]),
    ]);
  });
});
