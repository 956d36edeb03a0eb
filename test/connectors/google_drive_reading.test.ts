/** What callers get of files, and how they are searched. */
import { describe, expect, it } from 'vitest';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { googleDriveConnector } from '../../src/connectors/google_drive/index.js';
import { queryOf } from '../../src/connectors/google_drive/query.js';
import { objectOf } from '../../src/connectors/json.js';
import { call, functionNamed, MemoryFiles, upstreamResponse } from './call-context.js';
import { driveTree, json } from './drive-tree.js';

const FOLDER = 'application/vnd.google-apps.folder';
const ITEMS = [
  { id: 'folder_a', name: 'Plans', mimeType: FOLDER, parents: ['my_drive_root'] },
  {
    id: 'plan_file',
    name: 'plan.txt',
    parents: ['folder_a'],
    more: { size: '12', owners: [{ emailAddress: 'ada@siesta.example' }], headRevisionId: 'rev_1' },
  },
  {
    id: 'a_document',
    name: 'Notes',
    mimeType: 'application/vnd.google-apps.document',
    parents: ['folder_a'],
  },
];
const functions = googleDriveConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);

function run(
  name: string,
  args: Arguments,
  tree = driveTree(ITEMS),
  files?: MemoryFiles,
): Promise<JsonValue> {
  return call(fn(name), tree.context({}, files), args);
}

describe('what callers get', () => {
  it('an item is small and always has the same members', async () => {
    expect(await run('get_file', { id: 'plan_file' })).toEqual({
      id: 'plan_file',
      name: 'plan.txt',
      mime_type: 'text/plain',
      parent_id: 'folder_a',
      drive_id: null,
      size: 12,
      created_at: null,
      modified_at: '2026-08-01T10:00:00.000Z',
      trashed: false,
      description: '',
      owners: ['ada@siesta.example'],
      target_id: null,
      link: null,
    });
  });

  it('a list pages, and says when Drive did not look everywhere', async () => {
    const tree = driveTree(ITEMS);
    tree.answer = () => json(200, { files: [], incompleteSearch: true, nextPageToken: 'n' });
    const found = await run('search_files', { name: 'plan' }, tree);
    expect(found).toEqual({ files: [], incomplete: true, next_page_token: 'n' });
    expect(objectOf(await run('list_files', {}))).toMatchObject({ incomplete: false, next_page_token: null });
  });

  it('text comes as text, cut at 100,000 characters and then whole as a file too', async () => {
    expect(await run('read_content', { id: 'plan_file' })).toEqual({
      id: 'plan_file',
      name: 'plan.txt',
      mime_type: 'text/plain',
      text: 'text of plan.txt',
      truncated: false,
    });
    const tree = driveTree(ITEMS);
    tree.answer = ({ query }) =>
      query?.alt === 'media' ? upstreamResponse(200, {}, 'ü'.repeat(100_001)) : undefined;
    const files = new MemoryFiles();
    const long = objectOf(await run('read_content', { id: 'plan_file' }, tree, files));
    expect(long).toMatchObject({ text: 'ü'.repeat(100_000), truncated: true, name: 'plan.txt' });
    expect(files.kept.get(String(long.file))?.bytes).toHaveLength(200_002);
  });

  it('anything else comes as a file of its own, also what only claims to be text', async () => {
    const files = new MemoryFiles();
    const tree = driveTree(ITEMS);
    tree.answer = ({ query }) =>
      query?.alt === 'media' ? upstreamResponse(200, {}, Buffer.from([0xff, 0xfe])) : undefined;
    const read = objectOf(await run('read_content', { id: 'plan_file' }, tree, files));
    expect(read).toMatchObject({ name: 'plan.txt', type: 'text/plain', size: 2 });
    expect(files.kept.get(String(read.file))?.bytes).toEqual(Buffer.from([0xff, 0xfe]));
    const pdf = objectOf(
      await run('export_file', { id: 'a_document', mime_type: 'application/pdf' }, tree, files),
    );
    expect(files.kept.get(String(pdf.file))).toMatchObject({ name: 'Notes.pdf', type: 'application/pdf' });
  });

  it('a file that is too large is not fetched, a Google document is exported', async () => {
    const tree = driveTree(ITEMS);
    const reading = run('read_content', { id: 'plan_file', max_bytes: 11 }, tree);
    await expect(reading).rejects.toMatchObject({ code: 'upstream_rejected', definite: true });
    await expect(run('read_content', { id: 'a_document' }, tree)).rejects.toThrow('export_file');
    expect(tree.requests.filter(({ query }) => query?.alt === 'media')).toEqual([]);
  });

  it('comments and versions', async () => {
    const tree = driveTree(ITEMS);
    const comment = {
      id: 'c',
      content: 'Why?',
      author: { displayName: 'Ben' },
      replies: [{ content: 'So.' }],
    };
    const revision = { id: 'r', size: '7', lastModifyingUser: { displayName: 'Cleo' } };
    tree.answer = () => json(200, { comments: [comment], revisions: [revision] });
    expect(await run('list_comments', { id: 'plan_file' }, tree)).toMatchObject({
      comments: [
        { author: 'Ben', content: 'Why?', resolved: false, quoted: null, replies: [{ content: 'So.' }] },
      ],
    });
    expect(await run('list_revisions', { id: 'plan_file' }, tree)).toMatchObject({
      revisions: [{ id: 'r', size: 7, modified_by: 'Cleo' }],
    });
  });

  it('knows whose Drive it is', async () => {
    const tree = driveTree([]);
    tree.answer = () => json(200, { user: { emailAddress: 'ada@siesta.example' } });
    expect(await googleDriveConnector.account?.(tree.context())).toBe('ada@siesta.example');
  });
});

describe('the query is ours', () => {
  it.each([
    ["x' or name contains '", "name contains 'x\\' or name contains \\'' and trashed = false"],
    [
      "\\' or trashed = true or name = '",
      "name contains '\\\\\\' or trashed = true or name = \\'' and trashed = false",
    ],
    ['back\\', "name contains 'back\\\\' and trashed = false"],
  ])('%s stays a text', (name, q) => {
    expect(queryOf({ name, trashed: false })).toBe(q);
  });

  it('joins every criterion', () => {
    const modified = { modifiedAfter: '2026-01-01T00:00:00Z', modifiedBefore: '2026-02-01T00:00:00Z' };
    expect(queryOf({ text: 'a', mimeType: FOLDER, ...modified, folders: ['f', 'g'], trashed: true })).toBe(
      `fullText contains 'a' and mimeType = '${FOLDER}' and modifiedTime > '2026-01-01T00:00:00Z' and modifiedTime < '2026-02-01T00:00:00Z' and ('f' in parents or 'g' in parents) and trashed = true`,
    );
  });
});
