import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments, UpstreamRequest } from '../../src/connectors/framework.js';
import { sharepointConnector } from '../../src/connectors/sharepoint/index.js';
import { call, functionNamed, MemoryFiles } from './call-context.js';
import { ok, refusal, type ScriptedGraph, startGraph } from './scripted-graph.js';
import { AT_REPORT, FOLDER, REPORT, report, SHOWN } from './sharepoint-fixtures.js';

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
    const authorize = (request: UpstreamRequest) => {
      sent.push(request.downloadRedirect === true);
      return request;
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
