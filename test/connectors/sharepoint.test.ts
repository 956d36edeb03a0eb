import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { sharepointConnector } from '../../src/connectors/sharepoint/index.js';
import { call, functionNamed, MemoryFiles } from './call-context.js';
import { ok, refusal, type ScriptedGraph, startGraph } from './scripted-graph.js';

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

/** As in the reference (driveItem), without the members that nobody reads. */
const REPORT = {
  id: '01REPORT',
  name: 'Report.txt',
  size: 6,
  eTag: '"{A1},3"',
  webUrl: 'https://contoso.sharepoint.com/Shared%20Documents/Plans/Report.txt',
  file: { mimeType: 'text/plain', hashes: { quickXorHash: 'x' } },
  parentReference: { driveId: 'b!1', path: '/drives/b!1/root:/Plans%20A', id: '01PLANS' },
  lastModifiedBy: { user: { displayName: 'Cleo Marchetti', email: 'cleo@siesta.example' } },
  lastModifiedDateTime: '2026-05-04T08:00:00Z',
  '@microsoft.graph.downloadUrl': 'https://contoso.sharepoint.com/download?tempauth=fake-secret-canary-1',
};
const FOLDER = {
  id: '01PLANS',
  name: 'Plans A',
  webUrl: 'https://contoso.sharepoint.com/Shared%20Documents/Plans%20A',
  folder: { childCount: 1 },
  parentReference: { driveId: 'b!1', path: '/drives/b!1/root:' },
};
const report = { drive_id: 'b!1', item_id: '01REPORT' };
const AT_REPORT = 'GET /drives/b!1/items/01REPORT';

const SHOWN = {
  drive_id: 'b!1',
  id: '01REPORT',
  name: 'Report.txt',
  type: 'file',
  size: 6,
  mime_type: 'text/plain',
  child_count: null,
  folder: '/Plans A',
  url: REPORT.webUrl,
  modified_by: 'Cleo Marchetti <cleo@siesta.example>',
  modified_at: '2026-05-04T08:00:00Z',
  etag: '"{A1},3"',
};

describe('finding', () => {
  it('shows files and folders, and no link that works without signing in', async () => {
    graph.answers['GET /drives/b!1/root:/Plans A:/children'] = ok({
      value: [REPORT, FOLDER],
      '@odata.nextLink': 'https://graph.microsoft.com/v1.0/drives/b!1/root/children?$skiptoken=MTA',
    });
    const found = await run('list_folder', { drive_id: 'b!1', path: '/Plans A/' });
    expect(found).toMatchObject({
      items: [SHOWN, { id: '01PLANS', type: 'folder', child_count: 1, folder: '/', mime_type: null }],
      next_page_token: expect.any(String),
    });
    expect(JSON.stringify(found)).not.toContain('canary');
  });

  it('goes on with the token of the page before', async () => {
    graph.answers['GET /sites'] = ({ query }) =>
      query.some(([name, value]) => name === '$skiptoken' && value === 'MTA')
        ? ok({ value: [{ id: 'c', displayName: 'Last', webUrl: 'https://contoso.sharepoint.com/c' }] })
        : ok({ value: [], '@odata.nextLink': 'https://graph.microsoft.com/v1.0/sites?$skiptoken=MTA' });
    const first = (await run('search_sites', { search: 'a' })) as { next_page_token: string };
    expect(await run('search_sites', { search: 'a', page_token: first.next_page_token })).toEqual({
      sites: [
        {
          id: 'c',
          title: 'Last',
          description: '',
          url: 'https://contoso.sharepoint.com/c',
          modified_at: null,
        },
      ],
      next_page_token: null,
    });
  });

  it('searches everywhere, page by page', async () => {
    const hit = {
      hitId: '01REPORT',
      rank: 1,
      summary: 'the <c0>budget</c0> of <ddd/>',
      resource: {
        '@odata.type': '#microsoft.graph.driveItem',
        id: '01REPORT',
        name: 'Report.txt',
        webUrl: REPORT.webUrl,
        parentReference: { driveId: 'b!1', siteId: 'contoso.sharepoint.com,1,2' },
        lastModifiedBy: { user: { displayName: 'Cleo' } },
      },
    };
    graph.answers['POST /search/query'] = ok({
      value: [{ hitsContainers: [{ hits: [hit], total: 3, moreResultsAvailable: true }] }],
    });
    const found = (await run('search_content', { query: 'budget', max_results: 1 })) as {
      next_page_token: string;
    };
    expect(found).toMatchObject({
      hits: [
        {
          type: 'driveItem',
          id: '01REPORT',
          drive_id: 'b!1',
          site_id: 'contoso.sharepoint.com,1,2',
          summary: 'the budget of …',
          modified_by: 'Cleo',
        },
      ],
      total: 3,
    });
    await run('search_content', { query: 'budget', max_results: 1, page_token: found.next_page_token });
    expect(JSON.parse(graph.last().body.toString())).toEqual({
      requests: [{ entityTypes: ['driveItem'], query: { queryString: 'budget' }, from: 1, size: 1 }],
    });
  });

  it('shows who may see a file', async () => {
    graph.answers['GET /drives/b!1/items/01REPORT/permissions'] = ok({
      value: [
        {
          id: 'p1',
          roles: ['write'],
          grantedToV2: { user: { displayName: 'Ben', email: 'ben@siesta.example' } },
        },
        {
          id: 'p2',
          roles: ['read'],
          link: { type: 'view', scope: 'organization', webUrl: 'https://contoso.sharepoint.com/:t:/x' },
          grantedToIdentitiesV2: [],
          inheritedFrom: { id: '01PLANS' },
        },
      ],
    });
    expect(await run('list_item_permissions', report)).toMatchObject({
      permissions: [
        {
          id: 'p1',
          roles: ['write'],
          granted_to: ['Ben <ben@siesta.example>'],
          link: null,
          inherited: false,
        },
        { id: 'p2', granted_to: [], link: { scope: 'organization' }, inherited: true },
      ],
    });
  });
});

describe('content', () => {
  it('is read as text, from wherever SharePoint sends us, without asking anybody else', async () => {
    graph.answers[AT_REPORT] = ok(REPORT);
    graph.answers[`${AT_REPORT}/content`] = { body: 'Grüße', headers: { 'content-type': 'text/plain' } };
    const sent: boolean[] = [];
    const authorize = (request: { downloadRedirect?: boolean }) => {
      sent.push(request.downloadRedirect === true);
      return request as never;
    };
    expect(await run('read_file', report, { authorize })).toEqual({
      id: '01REPORT',
      name: 'Report.txt',
      type: 'text/plain',
      size: 7,
      etag: '"{A1},3"',
      text: 'Grüße',
    });
    expect(sent).toEqual([false, true]);
  });

  it('is kept as a file where it is no text, or too long a one', async () => {
    const files = new MemoryFiles();
    graph.answers[AT_REPORT] = ok(REPORT);
    graph.answers[`${AT_REPORT}/content`] = { body: 'x'.repeat(100_001) };
    expect(await run('read_file', report, { files })).toMatchObject({
      file: expect.any(String),
      size: 100_001,
    });
    graph.answers[`${AT_REPORT}/content`] = { body: Buffer.from([0xff, 0xfe, 0x00]) };
    const binary = await run('read_file', report, { files });
    expect(binary).toMatchObject({ name: 'Report.txt', type: 'text/plain', size: 3 });
    expect(binary).not.toHaveProperty('text');
    expect([...files.kept.values()].map(({ bytes }) => bytes.byteLength)).toEqual([100_001, 3]);
  });

  it('is not fetched when it is too large, or when it is a folder', async () => {
    graph.answers[AT_REPORT] = ok({ ...REPORT, size: 10 * 1024 * 1024 + 1 });
    await expect(run('read_file', report)).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
    });
    graph.answers[AT_REPORT] = ok({ ...FOLDER, id: '01REPORT' });
    await expect(run('read_file', report)).rejects.toThrow('not a file');
    expect(graph.asked()).toEqual([AT_REPORT, AT_REPORT]);
  });

  it('is uploaded under a name; a name that is taken is refused for sure', async () => {
    const files = new MemoryFiles();
    const file = files.add({ name: 'a.txt', type: 'text/plain', bytes: Buffer.from('hello') });
    const args = { drive_id: 'b!1', folder_id: '01PLANS', name: 'Report.txt', file };
    const put = 'PUT /drives/b!1/items/01PLANS:/Report.txt:/content';
    graph.answers[put] = ok(REPORT);
    expect(await run('upload_file', args, { files })).toEqual(SHOWN);
    expect(graph.last().body.toString()).toBe('hello');
    graph.answers[put] = refusal(409, 'nameAlreadyExists');
    await expect(run('upload_file', args, { files })).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
      status: 409,
    });
    expect(fn('upload_file').files?.({ ...args })).toEqual([file]);
  });

  it('above 10 MB is not uploaded', async () => {
    const files = new MemoryFiles();
    const file = files.add({ name: 'a', type: 'text/plain', bytes: Buffer.alloc(10 * 1024 * 1024 + 1) });
    await expect(run('upload_file', { drive_id: 'b!1', name: 'a', file }, { files })).rejects.toMatchObject({
      code: 'invalid_arguments',
      definite: true,
    });
    expect(graph.asked()).toEqual([]);
  });
});

describe('what an approver sees before a write', () => {
  const observe = async (name: string, args: Arguments, of = fn(name)) => {
    const parsed = of.input.parse(args);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    if (!of.observe || 'none' in of.observe) throw new Error(`${name} observes nothing`);
    return of.observe.read(graph.context(), parsed.value);
  };

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

describe('what is refused before anything is sent', () => {
  it.each<[string, string, Arguments, string]>([
    ['a drive that is a path', 'get_item', { ...report, drive_id: '../me' }, '/drive_id'],
    ['an item with a colon', 'get_item', { ...report, item_id: 'root:' }, '/item_id'],
    ['a site with a slash', 'list_lists', { site_id: 'a/b' }, '/site_id'],
    ['a path that climbs', 'list_folder', { drive_id: 'b!1', path: 'Plans/../../x' }, '/path'],
    ['a path and an id', 'list_folder', { drive_id: 'b!1', path: 'a', folder_id: 'b' }, ''],
    ['a name with a slash', 'create_folder', { drive_id: 'b!1', name: 'a/b' }, '/name'],
    ['a name of dots', 'create_folder', { drive_id: 'b!1', name: '..' }, '/name'],
    ['a search with a slash', 'search_drive', { drive_id: 'b!1', query: 'a/b' }, '/query'],
    ['201 results', 'list_drives', { site_id: 'root', max_results: 201 }, '/max_results'],
    ['51 hits', 'search_content', { query: 'a', max_results: 51 }, '/max_results'],
    ['no change', 'update_item', report, ''],
    [
      '101 columns',
      'create_list_item',
      {
        site_id: 'root',
        list_id: 'l',
        fields: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`C${n}`, 1])),
      },
      '/fields',
    ],
    ['a role that does not exist', 'share_item', { ...report, to: ['a@b.example'], role: 'owner' }, '/role'],
    ['an unknown argument', 'delete_item', { ...report, permanently: true }, ''],
  ])('%s', (_, name, args, path) => {
    expect(fn(name).input.parse(args)).toMatchObject({ ok: false, issues: [{ path }] });
  });
});

describe('the connector', () => {
  it('reaches sites, drives and the search, and nothing else of Graph', () => {
    expect(sharepointConnector.egress({}, 'https://graph.microsoft.com/v1.0')).toEqual(
      ['sites', 'drives', 'search/query', 'me'].map((path) => ({
        origin: 'https://graph.microsoft.com',
        pathPrefix: `/v1.0/${path}`,
      })),
    );
  });

  it('ships as the catalogue says', () => {
    const rows = functions.map(({ name, risk, approval }) => `${name} ${risk} ${approval}`);
    expect(rows.filter((row) => row.endsWith(' read auto'))).toHaveLength(12);
    expect(rows.filter((row) => !row.endsWith(' read auto'))).toEqual([
      'upload_file write ask',
      'create_folder write ask',
      'update_item write ask',
      'copy_item write ask',
      'delete_item destructive ask',
      'create_list_item write ask',
      'update_list_item write ask',
      'delete_list_item destructive ask',
      'share_item destructive ask',
      'remove_permission destructive ask',
      'create_link destructive ask',
    ]);
  });

  it('says whose account it is', async () => {
    graph.answers['GET /me'] = ok({ mail: null, userPrincipalName: 'ada@siesta.example' });
    expect(await sharepointConnector.account?.(graph.context())).toBe('ada@siesta.example');
  });

  it('refuses settings that it does not know', () => {
    expect(sharepointConnector.config.safeParse({ region: 'Europe' }).success).toBe(false);
    expect(sharepointConnector.config.safeParse({ region: 'EUR', allow_anonymous_links: 'no' }).success).toBe(
      true,
    );
  });
});
