/** Every call of ours against the same call through @googleapis/drive 22, field by field. */
import { readFileSync } from 'node:fs';
import { drive, type drive_v3 } from '@googleapis/drive';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { googleDriveConnector } from '../../src/connectors/google_drive/index.js';
import { call, callContext, functionNamed, MemoryFiles } from '../connectors/call-context.js';
import { type Answer, essence, type Recorded, type Recorder, startRecorder } from './recorder.js';

const EXECUTION = 'exe_contract_1';
const FOLDER = 'application/vnd.google-apps.folder';
const DOCUMENT = 'application/vnd.google-apps.document';
const RESERVED = 'reserved_id_1';

const ITEM =
  'id,name,mimeType,parents,driveId,size,createdTime,modifiedTime,trashed,description,webViewLink,owners(emailAddress),shortcutDetails(targetId)';
const PERMISSION = 'id,type,role,emailAddress,domain,displayName';
const COMMENT =
  'id,content,author(displayName),createdTime,modifiedTime,resolved,quotedFileContent(value),replies(id,content,author(displayName),createdTime)';
const REVISION = 'id,modifiedTime,lastModifyingUser(displayName,emailAddress),mimeType,size,keepForever';

const all = { supportsAllDrives: true };
const marked = { appProperties: { siestaExecution: EXECUTION } };
const page = { pageSize: 25 };

let recorder: Recorder;
let client: drive_v3.Drive;
const files = new MemoryFiles();

beforeAll(async () => {
  recorder = await startRecorder();
  client = drive({ version: 'v3', auth: 'fake-key' });
});
afterAll(() => recorder.close());

/** Options of every call of theirs: media uploads listen to no other root address, and none may leave loopback. */
const here = () => ({
  rootUrl: `${recorder.origin}/`,
  retry: false,
  fetchImplementation: (input: string | URL | Request, init?: RequestInit) => {
    if (new URL(input instanceof Request ? input.url : input).origin !== recorder.origin) {
      throw new Error('the client would leave loopback');
    }
    return fetch(input, init);
  },
});
const reserve = () => client.files.generateIds({ count: 1, space: 'drive' }, here());
const get = (fileId: string, fields: string) => client.files.get({ fileId, fields, ...all }, here());

interface Case {
  readonly fn: string;
  readonly what?: string;
  readonly args: Arguments;
  readonly theirs: () => readonly (() => Promise<unknown>)[];
  readonly config?: Record<string, JsonValue>;
}

const CASES: readonly Case[] = [
  {
    fn: 'list_files',
    args: { folder_id: 'folder_1', order_by: 'newest', page_size: 10, page_token: 'next' },
    theirs: () => [
      () =>
        client.files.list(
          {
            ...all,
            includeItemsFromAllDrives: true,
            q: "'folder_1' in parents and trashed = false",
            orderBy: 'modifiedTime desc',
            pageSize: 10,
            pageToken: 'next',
            fields: `nextPageToken,incompleteSearch,files(${ITEM})`,
          },
          here(),
        ),
    ],
  },
  {
    fn: 'search_files',
    args: { text: "Ben's \\ plan", mime_type: 'text/plain', drive_id: 'drive_1' },
    theirs: () => [
      () =>
        client.files.list(
          {
            ...all,
            includeItemsFromAllDrives: true,
            q: "fullText contains 'Ben\\'s \\\\ plan' and mimeType = 'text/plain' and trashed = false",
            corpora: 'drive',
            driveId: 'drive_1',
            ...page,
            fields: `nextPageToken,incompleteSearch,files(${ITEM})`,
          },
          here(),
        ),
    ],
  },
  { fn: 'get_file', args: { id: 'file_1' }, theirs: () => [() => get('file_1', ITEM)] },
  {
    fn: 'read_content',
    args: { id: 'file_1' },
    theirs: () => [
      () => get('file_1', 'id,name,mimeType,size'),
      () => client.files.get({ fileId: 'file_1', alt: 'media', ...all }, here()),
    ],
  },
  {
    fn: 'export_file',
    args: { id: 'file_1', mime_type: 'text/markdown' },
    theirs: () => [
      () => get('file_1', 'id,name,mimeType'),
      () => client.files.export({ fileId: 'file_1', mimeType: 'text/markdown' }, here()),
    ],
  },
  {
    fn: 'list_drives',
    args: {},
    theirs: () => [
      () => client.drives.list({ ...page, fields: 'nextPageToken,drives(id,name,createdTime)' }, here()),
    ],
  },
  {
    fn: 'list_permissions',
    args: { id: 'file_1' },
    theirs: () => [
      () =>
        client.permissions.list(
          { fileId: 'file_1', ...all, ...page, fields: `nextPageToken,permissions(${PERMISSION})` },
          here(),
        ),
    ],
  },
  {
    fn: 'list_revisions',
    args: { id: 'file_1' },
    theirs: () => [
      () =>
        client.revisions.list(
          { fileId: 'file_1', ...page, fields: `nextPageToken,revisions(${REVISION})` },
          here(),
        ),
    ],
  },
  {
    fn: 'list_comments',
    args: { id: 'file_1' },
    theirs: () => [
      () =>
        client.comments.list(
          { fileId: 'file_1', ...page, fields: `nextPageToken,comments(${COMMENT})` },
          here(),
        ),
    ],
  },
  {
    fn: 'add_comment',
    args: { id: 'file_1', content: 'Looks good' },
    theirs: () => [
      () =>
        client.comments.create(
          { fileId: 'file_1', fields: COMMENT, requestBody: { content: 'Looks good' } },
          here(),
        ),
    ],
  },
  {
    fn: 'create_file',
    what: 'with content',
    args: { name: 'a.txt', parent_id: 'folder_1', content: 'Grüße\r\n--x\r\n' },
    theirs: () => [
      reserve,
      () =>
        client.files.create(
          {
            ...all,
            fields: ITEM,
            requestBody: {
              id: RESERVED,
              name: 'a.txt',
              mimeType: 'text/plain',
              parents: ['folder_1'],
              ...marked,
            },
            media: { mimeType: 'text/plain; charset=UTF-8', body: 'Grüße\r\n--x\r\n' },
          },
          here(),
        ),
    ],
  },
  {
    fn: 'create_file',
    what: 'a Google Doc, which takes no reserved id',
    args: { name: 'Plan', mime_type: DOCUMENT, content: '# Plan' },
    theirs: () => [
      () =>
        client.files.create(
          {
            ...all,
            fields: ITEM,
            requestBody: { name: 'Plan', mimeType: DOCUMENT, ...marked },
            media: { mimeType: 'text/plain; charset=UTF-8', body: '# Plan' },
          },
          here(),
        ),
    ],
  },
  {
    fn: 'create_file',
    what: 'an empty one',
    args: { name: 'empty.csv', mime_type: 'text/csv' },
    theirs: () => [
      reserve,
      () =>
        client.files.create(
          {
            ...all,
            fields: ITEM,
            requestBody: { id: RESERVED, name: 'empty.csv', mimeType: 'text/csv', ...marked },
          },
          here(),
        ),
    ],
  },
  {
    fn: 'create_folder',
    args: { name: 'New', parent_id: 'folder_1' },
    theirs: () => [
      reserve,
      () =>
        client.files.create(
          {
            ...all,
            fields: ITEM,
            requestBody: { id: RESERVED, name: 'New', mimeType: FOLDER, parents: ['folder_1'], ...marked },
          },
          here(),
        ),
    ],
  },
  {
    fn: 'copy_file',
    args: { id: 'file_1', name: 'Copy', parent_id: 'folder_1' },
    theirs: () => [
      () => get('file_1', 'id,mimeType,parents'),
      reserve,
      () =>
        client.files.copy(
          {
            fileId: 'file_1',
            ...all,
            fields: ITEM,
            requestBody: { id: RESERVED, name: 'Copy', parents: ['folder_1'], ...marked },
          },
          here(),
        ),
    ],
  },
  {
    fn: 'update_content',
    args: { id: 'file_1', content: 'New text' },
    theirs: () => [
      () => get('file_1', 'mimeType'),
      () =>
        client.files.update(
          {
            fileId: 'file_1',
            ...all,
            fields: ITEM,
            media: { mimeType: 'text/plain; charset=UTF-8', body: 'New text' },
          },
          here(),
        ),
    ],
  },
  {
    fn: 'rename_file',
    args: { id: 'file_1', name: 'b.txt' },
    theirs: () => [
      () =>
        client.files.update(
          { fileId: 'file_1', ...all, fields: ITEM, requestBody: { name: 'b.txt' } },
          here(),
        ),
    ],
  },
  {
    fn: 'move_file',
    args: { id: 'file_1', parent_id: 'folder_2' },
    theirs: () => [
      () => get('file_1', 'id,parents'),
      () =>
        client.files.update(
          {
            fileId: 'file_1',
            ...all,
            fields: ITEM,
            addParents: 'folder_2',
            removeParents: 'folder_1',
            requestBody: {},
          },
          here(),
        ),
    ],
  },
  ...[['trash_file', true] as const, ['restore_file', false] as const].map(
    ([fn, trashed]): Case => ({
      fn,
      args: { id: 'file_1' },
      theirs: () => [
        () =>
          client.files.update({ fileId: 'file_1', ...all, fields: ITEM, requestBody: { trashed } }, here()),
      ],
    }),
  ),
  {
    fn: 'delete_file_permanently',
    args: { id: 'file_1' },
    theirs: () => [() => client.files.delete({ fileId: 'file_1', ...all }, here())],
  },
  { fn: 'empty_trash', args: {}, theirs: () => [() => client.files.emptyTrash({}, here())] },
  {
    fn: 'empty_trash',
    what: 'of a shared drive',
    args: { drive_id: 'drive_1' },
    theirs: () => [() => client.files.emptyTrash({ driveId: 'drive_1' }, here())],
  },
  {
    fn: 'share_file',
    args: { id: 'file_1', type: 'user', role: 'writer', email: 'ben@siesta.example', message: 'Have a look' },
    theirs: () => [
      () =>
        client.permissions.create(
          {
            fileId: 'file_1',
            ...all,
            fields: PERMISSION,
            sendNotificationEmail: true,
            emailMessage: 'Have a look',
            requestBody: { type: 'user', role: 'writer', emailAddress: 'ben@siesta.example' },
          },
          here(),
        ),
    ],
  },
  {
    fn: 'share_file',
    what: 'with everybody, where that is allowed',
    config: { allow_public_sharing: 'yes' },
    args: { id: 'file_1', type: 'anyone', role: 'reader' },
    theirs: () => [
      () =>
        client.permissions.create(
          { fileId: 'file_1', ...all, fields: PERMISSION, requestBody: { type: 'anyone', role: 'reader' } },
          here(),
        ),
    ],
  },
  {
    fn: 'unshare_file',
    args: { id: 'file_1', permission_id: 'perm_1' },
    theirs: () => [
      () => client.permissions.delete({ fileId: 'file_1', permissionId: 'perm_1', ...all }, here()),
    ],
  },
  {
    fn: 'change_permission',
    args: { id: 'file_1', permission_id: 'perm_1', role: 'commenter' },
    theirs: () => [
      () =>
        client.permissions.get(
          { fileId: 'file_1', permissionId: 'perm_1', ...all, fields: PERMISSION },
          here(),
        ),
      () =>
        client.permissions.update(
          {
            fileId: 'file_1',
            permissionId: 'perm_1',
            ...all,
            fields: PERMISSION,
            requestBody: { role: 'commenter' },
          },
          here(),
        ),
    ],
  },
];

function answer({ path, query }: Recorded): Answer {
  if (path.endsWith('/generateIds')) return { body: { ids: [RESERVED] } };
  if (path.endsWith('/export') || query.some(([name]) => name === 'alt')) return { body: 'text' };
  return {
    body: { id: 'file_1', name: 'a.txt', mimeType: 'text/plain', parents: ['folder_1'], type: 'user' },
  };
}

/** JSON as it is; the parts of a multipart body; anything else as text. */
function bodyOf({ headers, body }: Recorded): unknown {
  const type = headers['content-type'] ?? '';
  if (body.byteLength === 0) return null;
  if (/^application\/json/.test(type)) return JSON.parse(body.toString());
  const boundary = /^multipart\/related; boundary=(\S+)$/.exec(type)?.[1];
  if (boundary === undefined) return { type, text: body.toString() };
  const [before, ...parts] = body.toString().split(`--${boundary}`);
  expect([before, parts.pop()?.trim()]).toEqual(['', '--']);
  return parts.map((part) => {
    const end = part.indexOf('\r\n\r\n');
    const [, partType] = /content-type: (.*)/.exec(part.slice(0, end)) ?? [];
    const text = part.slice(end + 4, -2);
    return partType?.startsWith('application/json') ? JSON.parse(text) : { type: partType, text };
  });
}

const comparison = { ignoreQuery: ['key'], body: bodyOf };

describe('a call of ours is the call of @googleapis/drive', () => {
  it.each(CASES.map((each) => ({ what: '', ...each })))(
    '$fn $what',
    async ({ fn, args, theirs, config = {} }) => {
      recorder.answer = answer;
      const context = callContext({ baseUrl: recorder.origin, executionId: EXECUTION, config, files });
      const ours = await recorder.during(() =>
        call(functionNamed(googleDriveConnector.functions(config), fn), context, args),
      );
      const expected = await recorder.during(async () => {
        for (const each of theirs()) await each();
      });
      expect(expected.length).toBeGreaterThan(0);
      expect(ours.map((request) => essence(request, comparison))).toEqual(
        expected.map((request) => essence(request, comparison)),
      );
    },
  );

  it('carries the bytes of an uploaded file untouched', async () => {
    recorder.answer = answer;
    const bytes = Buffer.from([0, 255, 13, 10, 45, 45, 13, 10, 128]);
    const file = files.add({ name: 'x.bin', type: 'application/octet-stream', bytes });
    const context = callContext({ baseUrl: recorder.origin, executionId: EXECUTION, files });
    const [, sent] = await recorder.during(() =>
      call(functionNamed(googleDriveConnector.functions({}), 'create_file'), context, {
        name: 'x.bin',
        file,
      }),
    );
    expect(sent?.body.includes(Buffer.concat([Buffer.from('\r\n\r\n'), bytes, Buffer.from('\r\n--')]))).toBe(
      true,
    );
  });
});

describe('what was verified', () => {
  const verified = JSON.parse(
    readFileSync(new URL('./verified/google_drive.json', import.meta.url), 'utf8'),
  ) as {
    against: string;
    checked: string[];
    live: { functions: string[] };
    unchecked: Record<string, string>;
  };
  const version = JSON.parse(
    readFileSync(new URL('../../node_modules/@googleapis/drive/package.json', import.meta.url), 'utf8'),
  ) as { version: string };

  it('is written down', () => {
    expect(verified.against).toBe(`@googleapis/drive ${version.version}`);
    expect([...verified.checked].sort()).toEqual([...new Set(CASES.map(({ fn }) => fn))].sort());
    const names = googleDriveConnector.functions({}).map(({ name }) => name);
    expect([...verified.checked, ...Object.keys(verified.unchecked)].sort()).toEqual(names.sort());
    expect(names).toEqual(expect.arrayContaining(verified.live.functions));
  });
});
