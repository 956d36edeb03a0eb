import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { sharepointConnector } from '../../src/connectors/sharepoint/index.js';
import { call, functionNamed } from './call-context.js';
import { observed, ok, refusal, type ScriptedGraph, startGraph } from './scripted-graph.js';
import { AT_REPORT, FOLDER, REPORT, report } from './sharepoint-fixtures.js';

const functions = sharepointConnector.functions({});
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

describe('what an approver sees before a write', () => {
  const observe = (name: string, args: Arguments) => observed(fn(name), graph.context(), args);

  it('a file that moves: where it is, where it will be, and which version', async () => {
    graph.answers[AT_REPORT] = ok(REPORT);
    graph.answers['GET /drives/b!1/items/01PLANS'] = ok(FOLDER);
    expect(await observe('update_item', { ...report, name: 'June.txt', folder_id: '01PLANS' })).toEqual({
      fields: [
        { label: 'Name', value: 'Report.txt', after: 'June.txt', kind: 'short' },
        { label: 'Folder', value: '/Plans A', after: '/Plans A', kind: 'short' },
        { label: 'Address', value: REPORT.webUrl, kind: 'short' },
      ],
      version: '"{A1},3"',
      condition: '"{A1},3"',
    });
  });

  it('a file that goes; a file that changed since is not deleted', async () => {
    graph.answers[AT_REPORT] = ok(REPORT);
    const seen = await observe('delete_item', report);
    expect(seen).toMatchObject({
      fields: [{ label: 'File', value: '/Plans A/Report.txt' }, { label: 'Address' }],
      condition: '"{A1},3"',
    });
    graph.answers['DELETE /drives/b!1/items/01REPORT'] = ({ headers }) =>
      headers['if-match'] === '"{A1},4"' ? { status: 204, body: '' } : refusal(412, 'resourceModified');
    await expect(run('delete_item', report, { condition: seen.condition })).rejects.toMatchObject({
      code: 'target_changed',
      definite: true,
    });
    expect(await run('delete_item', report, { condition: '"{A1},4"' })).toEqual({ deleted: '01REPORT' });
  });

  it('a file that an upload replaces, and nothing where there is none', async () => {
    const args = { drive_id: 'b!1', folder_id: '01PLANS', name: 'Report.txt', file: 'file_test_000001' };
    graph.answers['GET /drives/b!1/items/01PLANS'] = ok(FOLDER);
    graph.answers['GET /drives/b!1/items/01PLANS:/Report.txt:'] = ok(REPORT);
    expect(await observe('upload_file', { ...args, if_exists: 'replace' })).toMatchObject({
      fields: [
        { label: 'Folder', value: '/Plans A' },
        { label: 'Address' },
        { label: 'Replaces', value: '/Plans A/Report.txt' },
        { label: 'Last changed', value: '2026-05-04T08:00:00Z by Cleo Marchetti <cleo@siesta.example>' },
      ],
      version: '"{A1},3"',
    });
    delete graph.answers['GET /drives/b!1/items/01PLANS:/Report.txt:'];
    expect((await observe('upload_file', { ...args, if_exists: 'replace' })).version).toBe('');
    graph.asked();
    await observe('upload_file', args);
    expect(graph.asked()).toEqual(['GET /drives/b!1/items/01PLANS']);
  });

  it('columns of a list item, before and after', async () => {
    graph.answers['GET /sites/root/lists/tasks/items/7'] = ok({
      id: '7',
      eTag: '"g,2"',
      webUrl: 'https://contoso.sharepoint.com/Lists/Tasks/7_.000',
      fields: { '@odata.etag': '"g,2"', Title: 'Call Ben', Done: false },
    });
    const args = { site_id: 'root', list_id: 'tasks', item_id: '7', fields: { Done: true } };
    expect(await observe('update_list_item', args)).toEqual({
      fields: [{ label: 'Done', value: 'Done: false', after: 'Done: true', kind: 'long' }],
      version: '"g,2"',
      condition: '"g,2"',
    });
    const { fields: _, ...old } = args;
    expect((await observe('delete_list_item', old)).fields[0]).toMatchObject({
      label: 'Title',
      value: 'Call Ben',
    });
  });

  it('whose permission is taken away', async () => {
    graph.answers[AT_REPORT] = ok(REPORT);
    graph.answers[`${AT_REPORT}/permissions/p1`] = ok({
      id: 'p1',
      roles: ['write'],
      grantedToV2: { user: { displayName: 'Ben', email: 'ben@siesta.example' } },
    });
    expect((await observe('remove_permission', { ...report, permission_id: 'p1' })).fields).toContainEqual({
      label: 'Of',
      value: 'Ben <ben@siesta.example>',
      kind: 'short',
    });
  });

  it('every write shows its target', () => {
    for (const one of functions.filter(({ risk }) => risk !== 'read'))
      expect(one.observe, one.name).toBeDefined();
  });
});

describe('sharing', () => {
  it('tells which of the people it did not work for', async () => {
    graph.answers['POST /drives/b!1/items/01REPORT/invite'] = {
      status: 207,
      ...ok({
        value: [
          { id: 'p1', roles: ['read'], invitation: { email: 'ben@siesta.example', signInRequired: true } },
          { roles: ['read'], error: { code: 'notAllowed', message: 'No external sharing.' } },
        ],
      }),
    };
    const args = { ...report, to: ['ben@siesta.example', 'x@evil.example'], role: 'read' };
    expect(await run('share_item', args)).toMatchObject({
      permissions: [{ granted_to: ['ben@siesta.example'] }, { error: 'No external sharing.' }],
    });
    expect(fn('share_item').card({ ...args, send_invitation: true, message: 'Hi' })).toEqual([
      { label: 'Item', value: '01REPORT', kind: 'short' },
      { label: 'With', value: 'ben@siesta.example, x@evil.example', kind: 'short' },
      { label: 'They may', value: 'Read it', kind: 'short' },
      { label: 'Mail to them', value: 'Yes', kind: 'short' },
      { label: 'Message', value: 'Hi', kind: 'long' },
    ]);
  });

  it('offers links for anyone only where the admin allows them', () => {
    const args = { ...report, scope: 'anonymous' };
    expect(fn('create_link').input.parse(args)).toMatchObject({ ok: false, issues: [{ path: '/scope' }] });
    const open = functionNamed(
      sharepointConnector.functions({ allow_anonymous_links: 'yes' }),
      'create_link',
    );
    expect(open.input.parse(args)).toMatchObject({ ok: true });
    expect(open.card(args)).toContainEqual({
      label: 'Works for',
      value: 'Anyone who has the link, without signing in',
      kind: 'short',
    });
  });

  it('is asked about every time', () => {
    const always = functions.filter(({ askEveryTime }) => askEveryTime).map(({ name }) => name);
    expect(always).toEqual(['share_item', 'remove_permission', 'create_link']);
  });
});

describe('the top of a library', () => {
  const TOP = 'GET /drives/b!1/items/root';
  const sentJson = () => JSON.parse(graph.last().body.toString());

  it('is named by its own id in a body, where Graph does not know "root"', async () => {
    graph.answers = {
      [TOP]: ok({ id: '01TOP', name: 'root', folder: {} }),
      'GET /drives/b!2/items/root': ok({ id: '02TOP', name: 'root', folder: {} }),
      'PATCH /drives/b!1/items/01REPORT': ok(REPORT),
      'POST /drives/b!1/items/01REPORT/copy': { status: 202, body: '' },
    };
    await run('update_item', { ...report, folder_id: 'root' });
    expect(sentJson()).toEqual({ parentReference: { id: '01TOP' } });
    await run('copy_item', { ...report, to_drive_id: 'b!2' });
    expect(sentJson()).toEqual({ parentReference: { driveId: 'b!2', id: '02TOP' } });
  });

  it('changes nothing when it cannot be looked up', async () => {
    graph.answers = { [TOP]: refusal(503, 'serviceNotAvailable') };
    await expect(run('copy_item', report)).rejects.toMatchObject({
      code: 'upstream_unavailable',
      definite: true,
    });
    expect(graph.asked()).toEqual([TOP]);
  });
});
