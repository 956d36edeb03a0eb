/** Each call of the SharePoint connector beside the same call through Microsoft's own client. */
import { readFileSync } from 'node:fs';
import { type Client, ResponseType } from '@microsoft/microsoft-graph-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { sharepointConnector } from '../../src/connectors/sharepoint/index.js';
import { call, callContext, functionNamed, MemoryFiles } from '../connectors/call-context.js';
import { AGAINST, graphClient, graphEssence, guarded } from './graph-client.js';
import { type Recorded, type Recorder, startRecorder } from './recorder.js';

const SITE =
  'contoso.sharepoint.com,2c712604-1370-44e7-a1f5-426573fda80a,2d2244c3-251a-49ea-93a8-39e1c3a060fe';
const DRIVE = 'b!t18F8ybsHUq1z3LTz8xvZqP8zaSWjkFNhsME-Fepo75dTf9vQKfeRblBZjoSQrd7';
const ITEM = '01BYE5RZ6QN3ZWBTUFOFD3GSPGOHDJD36K';
const CONFIG = { region: 'NAM', allow_anonymous_links: 'yes' };
const MEMBERS =
  'id,name,size,file,folder,package,parentReference,webUrl,lastModifiedBy,lastModifiedDateTime,eTag';

const functions = sharepointConnector.functions(CONFIG);
const files = new MemoryFiles();
const text = files.add({ name: 'notes.txt', type: 'text/plain', bytes: Buffer.from('Grüße') });

let recorder: Recorder;
let client: Client;
beforeAll(async () => {
  recorder = await startRecorder();
  recorder.answer = () => ({ body: { id: ITEM, name: 'a.bin', size: 3, file: { mimeType: 'image/png' } } });
  client = graphClient(recorder.origin);
});
afterAll(() => recorder.close());

interface Case {
  readonly args: Arguments;
  readonly theirs: (graph: Client) => Promise<unknown>;
  readonly condition?: string;
}

const item = { drive_id: DRIVE, item_id: ITEM };
const itemPath = `/drives/${DRIVE}/items/${ITEM}`;
const list = { site_id: SITE, list_id: 'tasks' };
const listPath = `/sites/${SITE}/lists/tasks`;

const CASES: Readonly<Record<string, Case>> = {
  search_sites: {
    args: { search: 'marketing', max_results: 10 },
    theirs: (graph) => graph.api('/sites').query({ search: 'marketing' }).top(10).get(),
  },
  get_site: {
    args: { site_id: 'contoso.sharepoint.com', path: 'sites/marketing' },
    theirs: (graph) => graph.api('/sites/contoso.sharepoint.com:/sites/marketing').get(),
  },
  search_content: {
    args: { query: 'budget AND filetype:xlsx', entity_types: ['driveItem', 'listItem'], max_results: 50 },
    theirs: (graph) =>
      graph.api('/search/query').post({
        requests: [
          {
            entityTypes: ['driveItem', 'listItem'],
            query: { queryString: 'budget AND filetype:xlsx' },
            from: 0,
            size: 50,
            region: 'NAM',
          },
        ],
      }),
  },
  list_drives: {
    args: { site_id: SITE },
    theirs: (graph) => graph.api(`/sites/${SITE}/drives`).top(25).get(),
  },
  list_folder: {
    args: { drive_id: DRIVE, path: 'Plans/May 2026', max_results: 200 },
    theirs: (graph) =>
      graph.api(`/drives/${DRIVE}/root:/Plans/May 2026:/children`).select(MEMBERS).top(200).get(),
  },
  get_item: { args: item, theirs: (graph) => graph.api(itemPath).select(MEMBERS).get() },
  search_drive: {
    args: { drive_id: DRIVE, query: "Marta's plan" },
    theirs: (graph) =>
      graph.api(`/drives/${DRIVE}/root/search(q='Marta''s plan')`).select(MEMBERS).top(25).get(),
  },
  read_file: {
    args: item,
    async theirs(graph) {
      await graph.api(itemPath).select(MEMBERS).get();
      await graph.api(`${itemPath}/content`).responseType(ResponseType.ARRAYBUFFER).get();
    },
  },
  upload_file: {
    args: { drive_id: DRIVE, folder_id: ITEM, name: 'Notes May.txt', file: text },
    theirs: (graph) =>
      graph
        .api(`${itemPath}:/Notes May.txt:/content`)
        .query({ '@microsoft.graph.conflictBehavior': 'fail' })
        .header('Content-Type', 'text/plain')
        .put(Buffer.from('Grüße')),
  },
  list_versions: { args: item, theirs: (graph) => graph.api(`${itemPath}/versions`).get() },
  create_folder: {
    args: { drive_id: DRIVE, folder_id: ITEM, name: 'Plans' },
    theirs: (graph) =>
      graph
        .api(`${itemPath}/children`)
        .post({ name: 'Plans', folder: {}, '@microsoft.graph.conflictBehavior': 'fail' }),
  },
  update_item: {
    args: { ...item, name: 'June.docx', folder_id: '01TARGET' },
    condition: '"{guid},3"',
    theirs: (graph) =>
      graph
        .api(itemPath)
        .header('If-Match', '"{guid},3"')
        .patch({ name: 'June.docx', parentReference: { id: '01TARGET' } }),
  },
  copy_item: {
    args: { ...item, to_folder_id: '01TARGET', name: 'Copy.docx' },
    theirs: (graph) =>
      graph
        .api(`${itemPath}/copy`)
        .post({ parentReference: { driveId: DRIVE, id: '01TARGET' }, name: 'Copy.docx' }),
  },
  delete_item: {
    args: item,
    condition: '"{guid},3"',
    theirs: (graph) => graph.api(itemPath).header('If-Match', '"{guid},3"').delete(),
  },
  list_lists: {
    args: { site_id: SITE },
    theirs: (graph) => graph.api(`/sites/${SITE}/lists`).top(25).get(),
  },
  list_list_items: {
    args: list,
    theirs: (graph) => graph.api(`${listPath}/items`).expand('fields').top(25).get(),
  },
  create_list_item: {
    args: { ...list, fields: { Title: 'Call Ben', Done: false } },
    theirs: (graph) => graph.api(`${listPath}/items`).post({ fields: { Title: 'Call Ben', Done: false } }),
  },
  update_list_item: {
    args: { ...list, item_id: '7', fields: { Done: true } },
    condition: '"guid,2"',
    theirs: (graph) =>
      graph.api(`${listPath}/items/7/fields`).header('If-Match', '"guid,2"').patch({ Done: true }),
  },
  delete_list_item: {
    args: { ...list, item_id: '7' },
    condition: '"guid,2"',
    theirs: (graph) => graph.api(`${listPath}/items/7`).header('If-Match', '"guid,2"').delete(),
  },
  list_item_permissions: {
    args: item,
    theirs: (graph) => graph.api(`${itemPath}/permissions`).get(),
  },
  share_item: {
    args: { ...item, to: ['ben@siesta.example'], role: 'read', send_invitation: true, message: 'Hi' },
    theirs: (graph) =>
      graph.api(`${itemPath}/invite`).post({
        recipients: [{ email: 'ben@siesta.example' }],
        roles: ['read'],
        requireSignIn: true,
        sendInvitation: true,
        message: 'Hi',
      }),
  },
  remove_permission: {
    args: { ...item, permission_id: 'aTowIy5mfG1lbWJlcnNoaXB8' },
    theirs: (graph) => graph.api(`${itemPath}/permissions/aTowIy5mfG1lbWJlcnNoaXB8`).delete(),
  },
  create_link: {
    args: { ...item, type: 'edit', scope: 'anonymous' },
    theirs: (graph) => graph.api(`${itemPath}/createLink`).post({ type: 'edit', scope: 'anonymous' }),
  },
};

describe('SharePoint asks Graph as its own client does', () => {
  it.each(Object.entries(CASES))('%s', async (name, { args, condition, theirs }) => {
    const context = callContext({
      baseUrl: `${recorder.origin}/v1.0`,
      config: CONFIG,
      authorize: guarded(sharepointConnector, CONFIG, recorder.origin),
      files,
      ...(condition === undefined ? {} : { condition }),
    });
    const ours = await recorder.during(() => call(functionNamed(functions, name), context, args));
    const others = await recorder.during(() => theirs(client));
    const body = name === 'upload_file' ? (request: Recorded) => request.body.toString('utf8') : undefined;
    expect(others.length).toBeGreaterThan(0);
    expect(ours.map((request) => graphEssence(request, body))).toEqual(
      others.map((request) => graphEssence(request, body)),
    );
  });

  it('knows which of its functions were compared', () => {
    const verified = JSON.parse(
      readFileSync(new URL('./verified/sharepoint.json', import.meta.url), 'utf8'),
    ) as { against: string; checked: string[]; unchecked: Record<string, string> };
    expect(verified.against).toBe(AGAINST);
    expect(verified.checked).toEqual(Object.keys(CASES));
    expect([...verified.checked, ...Object.keys(verified.unchecked)].sort()).toEqual(
      functions.map(({ name }) => name).sort(),
    );
  });
});
