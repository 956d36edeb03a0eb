import { describe, expect, it } from 'vitest';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { googleDriveConnector } from '../../src/connectors/google_drive/index.js';
import { call, functionNamed, MemoryFiles } from './call-context.js';
import { type DriveTree, driveTree, json, refusal } from './drive-tree.js';

const FOLDER = 'application/vnd.google-apps.folder';
const ITEMS = [
  { id: 'folder_a', name: 'Plans', mimeType: FOLDER, parents: ['my_drive_root'] },
  { id: 'folder_b', name: 'Archive', mimeType: FOLDER, parents: ['my_drive_root'] },
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

function observe(name: string, args: Arguments, tree = driveTree(ITEMS)) {
  const { observe: look } = fn(name);
  if (!look || !('read' in look)) throw new Error(`${name} does not look at its target`);
  return look.read(tree.context(), args);
}

/** Answers requests whose method and path match, others as usual. */
function answering(method: string, path: RegExp, answer: ReturnType<typeof json>): DriveTree {
  const tree = driveTree(ITEMS);
  tree.answer = (request) => (request.method === method && path.test(request.url) ? answer : undefined);
  return tree;
}

describe('creating once', () => {
  const conflict = refusal(409, 'fileIdInUse', 'A file already exists with the provided ID.');
  const existing = (execution: string) => ({
    id: 'reserved_id_1',
    name: 'a.txt',
    appProperties: { siestaExecution: execution },
  });

  it.each([
    ['create_file', { name: 'a.txt', content: 'x' }],
    ['create_folder', { name: 'a' }],
    ['copy_file', { id: 'plan_file' }],
  ])('%s: what is there already and ours is a success', async (name, args) => {
    const tree = driveTree(ITEMS);
    tree.answer = ({ method, url }) => {
      if (method === 'POST') return conflict;
      return url.endsWith('/reserved_id_1') ? json(200, existing('exe_test_1')) : undefined;
    };
    expect(await run(name, args, tree)).toMatchObject({ id: 'reserved_id_1', name: 'a.txt' });
    expect(tree.writes()).toHaveLength(1);
  });

  it("somebody else's is a refusal, and what cannot be read back is unknown", async () => {
    const tree = driveTree(ITEMS);
    tree.answer = ({ method, url }) => {
      if (method === 'POST') return conflict;
      return url.endsWith('/reserved_id_1') ? json(200, existing('exe_other')) : undefined;
    };
    await expect(run('create_folder', { name: 'a' }, tree)).rejects.toMatchObject({
      status: 409,
      definite: true,
    });
    tree.answer = ({ method, url }) => {
      if (method === 'POST') return conflict;
      return url.endsWith('/reserved_id_1') ? json(503, {}) : undefined;
    };
    await expect(run('create_folder', { name: 'a' }, tree)).rejects.toMatchObject({
      code: 'upstream_unavailable',
      definite: false,
    });
  });

  it('finds its own mark after a lost answer; without it nothing is proven', async () => {
    const { reconcile } = fn('copy_file');
    const tree = answering('GET', /\/files$/, json(200, { files: [existing('exe_test_1')] }));
    const found = await reconcile?.(tree.context(), {});
    expect(found).toMatchObject({ status: 'applied', result: { id: 'reserved_id_1' } });
    expect(tree.requests[0]?.query?.q).toBe(
      "appProperties has { key='siestaExecution' and value='exe_test_1' }",
    );
    const none = answering('GET', /\/files$/, json(200, { files: [] }));
    expect(await reconcile?.(none.context(), {})).toMatchObject({ status: 'unknown' });
  });

  it('a file of more than 5 MB, or one that is gone, is refused before anything is sent', async () => {
    const files = new MemoryFiles();
    const file = files.add({ name: 'big', type: 'text/plain', bytes: Buffer.alloc(5_000_001) });
    const tree = driveTree(ITEMS);
    const refused = { code: 'invalid_arguments', definite: true };
    await expect(run('create_file', { name: 'big', file }, tree, files)).rejects.toMatchObject(refused);
    const gone = { id: 'plan_file', file: 'file_gone_000001' };
    await expect(run('update_content', gone, tree, files)).rejects.toMatchObject(refused);
    expect(tree.writes()).toEqual([]);
    expect(fn('create_file').files?.({ name: 'big', file })).toEqual([file]);
  });

  it('the type of a file stays what it is when its text is replaced', async () => {
    const tree = driveTree([
      { id: 'table_file', name: 't.csv', mimeType: 'text/csv', parents: ['folder_a'] },
    ]);
    await run('update_content', { id: 'table_file', content: 'a,b' }, tree);
    expect(tree.writes()[0]?.headers).toEqual({ 'content-type': 'text/csv; charset=UTF-8' });
  });
});

describe('what Google says', () => {
  it.each([
    [refusal(404, 'notFound', 'File not found: x.'), 'upstream_rejected', true],
    [refusal(403, 'insufficientFilePermissions', 'No.'), 'forbidden_upstream', true],
    [refusal(403, 'insufficientPermissions', 'Insufficient Permission'), 'needs_more_scopes', true],
    [refusal(403, 'userRateLimitExceeded', 'Slow down.'), 'rate_limited', true],
    [refusal(403, 'sharingRateLimitExceeded', 'Too many shares.'), 'rate_limited', true],
    [
      refusal(403, 'storageQuotaExceeded', 'Service Accounts do not have storage quota.'),
      'upstream_rejected',
      true,
    ],
    [
      refusal(403, 'exportSizeLimitExceeded', 'This file is too large to be exported.'),
      'upstream_rejected',
      true,
    ],
    [refusal(401, 'authError', 'Invalid Credentials'), 'needs_reauth', true],
    [refusal(429, 'rateLimitExceeded', 'Slow down.'), 'rate_limited', true],
    [refusal(500, 'backendError', 'Backend Error'), 'upstream_unavailable', false],
  ])('%#: %s', async (answer, code, definite) => {
    const tree = answering('PATCH', /plan_file$/, answer);
    await expect(run('rename_file', { id: 'plan_file', name: 'b' }, tree)).rejects.toMatchObject({
      code,
      definite,
    });
  });

  it('a failed look before a write is a known end: nothing was written', async () => {
    const tree = answering('GET', /plan_file$/, json(503, {}));
    const moving = run('move_file', { id: 'plan_file', parent_id: 'folder_b' }, tree);
    await expect(moving).rejects.toMatchObject({ code: 'upstream_unavailable', definite: true });
  });
});

describe('what an approver sees', () => {
  const MEMBERS = [
    { type: 'user', emailAddress: 'ada@siesta.example', role: 'owner' },
    { type: 'user', emailAddress: 'Ben@siesta.example', role: 'writer' },
    { type: 'anyone', role: 'reader' },
    { type: 'group', emailAddress: 'all@siesta.example', role: 'commenter' },
    { type: 'domain', domain: 'siesta.example', role: 'reader' },
  ];
  const READERS =
    'Anyone with the link (reader), Everybody at siesta.example (reader), all@siesta.example (commenter), Ben@siesta.example (writer), ada@siesta.example (owner)';
  const lines = (fields: readonly { label: string; value: string; after?: string }[]) =>
    fields.map(({ label, value, after }) => `${label}: ${value}${after === undefined ? '' : ` → ${after}`}`);

  it.each([
    [
      'create_file',
      { name: 'a.txt', parent_id: 'folder_a', content: 'x' },
      ['Folder: Plans', `Seen by: ${READERS}`],
    ],
    [
      'create_folder',
      { name: 'a', parent_id: 'folder_b' },
      ['Folder: Archive', 'Seen by: Drive lists nobody'],
    ],
    [
      'create_folder',
      { name: 'a' },
      ['Folder: My Drive', 'Seen by: Nobody but this account, until it is shared'],
    ],
    [
      'copy_file',
      { id: 'plan_file', parent_id: 'folder_b' },
      ['Name: plan.txt', 'Kind: text/plain', 'Folder: Archive', 'Seen by: Drive lists nobody'],
    ],
    [
      'copy_file',
      { id: 'plan_file' },
      ['Name: plan.txt', 'Kind: text/plain', 'Folder: Plans', `Seen by: ${READERS}`],
    ],
    [
      'rename_file',
      { id: 'plan_file', name: 'b.txt' },
      ['Name: plan.txt → b.txt', 'Kind: text/plain', 'Folder: Plans'],
    ],
    [
      'move_file',
      { id: 'plan_file', parent_id: 'folder_b' },
      ['Name: plan.txt', 'Kind: text/plain', 'Folder: Plans → Archive', 'Seen by: Drive lists nobody'],
    ],
    ['add_comment', { id: 'a_document', content: 'x' }, ['Name: Notes', 'Kind: Google document']],
    [
      'trash_file',
      { id: 'folder_a' },
      [
        'Name: Plans',
        'Kind: Folder',
        'Folder: My Drive',
        'Last changed: 2026-08-01T10:00:00.000Z',
        'In the trash: No → Yes',
      ],
    ],
    [
      'delete_file_permanently',
      { id: 'plan_file' },
      [
        'Name: plan.txt',
        'Kind: text/plain',
        'Folder: Plans',
        'Last changed: 2026-08-01T10:00:00.000Z',
        'In the trash: No',
      ],
    ],
  ])('%s %j', async (name, args, expected) => {
    const root = { id: 'my_drive_root', name: 'My Drive', mimeType: FOLDER };
    const tree = driveTree([...ITEMS, root]);
    tree.answer = ({ url }) => {
      if (url.endsWith('/folder_a/permissions')) return json(200, { permissions: MEMBERS });
      return url.endsWith('/permissions') ? json(200, { permissions: [] }) : undefined;
    };
    expect(lines((await observe(name, args, tree)).fields)).toEqual(expected);
  });

  it('that more see a folder than Drive lists at once, and that Drive does not tell who', async () => {
    const create = { name: 'a', parent_id: 'folder_a' };
    const seenBy = async (answer: ReturnType<typeof json>) =>
      lines((await observe('create_folder', create, answering('GET', /permissions$/, answer))).fields)[1];
    const [first] = MEMBERS;
    expect(await seenBy(json(200, { permissions: first ? [first] : [], nextPageToken: 'n' }))).toBe(
      'Seen by: ada@siesta.example (owner), … and more',
    );
    for (const status of [403, 404]) {
      const reason = status === 403 ? 'insufficientFilePermissions' : 'notFound';
      expect(await seenBy(refusal(status, reason, 'No.'))).toBe(
        'Seen by: Drive does not tell this account who',
      );
    }
    await expect(seenBy(json(503, {}))).rejects.toMatchObject({ code: 'upstream_unavailable' });
  });

  it('content that changed since is another version; its name alone is not', async () => {
    expect((await observe('update_content', { id: 'plan_file', content: 'x' })).version).toBe('rev_1');
    expect((await observe('rename_file', { id: 'plan_file', name: 'x' })).version).toBe('');
  });

  it('who could see the file, and who will', async () => {
    const tree = driveTree(ITEMS);
    const cleo = { type: 'user', emailAddress: 'Cleo@siesta.example', role: 'reader', id: 'p' };
    tree.answer = ({ url }) => {
      if (url.endsWith('/permissions')) return json(200, { permissions: [cleo] });
      return url.endsWith('/p') ? json(200, cleo) : undefined;
    };
    const share = { id: 'plan_file', type: 'user', role: 'writer', send_notification: true };
    const known = await observe('share_file', { ...share, email: 'cleo@siesta.example' }, tree);
    expect(lines(known.fields)).toEqual([
      'Name: plan.txt',
      'Kind: text/plain',
      'Folder: Plans',
      'Access: reader → writer',
    ]);
    const stranger = await observe('share_file', { ...share, email: 'eve@evil.example' }, tree);
    expect(lines(stranger.fields)).toContain('Access: none → writer');
    const revoked = await observe('unshare_file', { id: 'plan_file', permission_id: 'p' }, tree);
    expect(lines(revoked.fields)).toEqual([
      'Name: plan.txt',
      'Kind: text/plain',
      'Folder: Plans',
      'Whose: Cleo@siesta.example',
      'Access: reader → none',
    ]);
  });

  it('that it is a whole shared drive that is shared', async () => {
    const root = { id: 'drive_1', name: 'Drive', mimeType: FOLDER, driveId: 'drive_1' };
    const share = { id: 'drive_1', type: 'user', role: 'reader', email: 'ben@siesta.example' };
    const { fields } = await observe('share_file', share, driveTree([root]));
    expect(fields).toContainEqual({ label: 'Kind', value: 'Whole shared drive', kind: 'short' });
  });

  it('what is lost when the trash is emptied', async () => {
    const tree = answering(
      'GET',
      /\/files$/,
      json(200, { files: [{ name: 'a' }, { name: 'b' }], nextPageToken: 'n' }),
    );
    expect(lines((await observe('empty_trash', {}, tree)).fields)).toEqual([
      'In the trash: a\nb\n… and more',
    ]);
    expect(tree.requests[0]?.query?.q).toBe("trashed = true and 'me' in owners");
  });

  it('whom a share is for, as the caller asked', () => {
    const args = {
      id: 'plan_file',
      type: 'group',
      role: 'writer',
      email: 'all@siesta.example',
      message: 'Hi',
    };
    const parsed = fn('share_file').input.parse(args);
    if (!parsed.ok) throw new Error('refused');
    expect(lines(fn('share_file').card(parsed.value))).toEqual([
      'File: plan_file',
      'With: all@siesta.example',
      'As: writer',
      'Mail: Google sends one',
      'Message: Hi',
    ]);
  });
});

describe('what is refused before anything is sent', () => {
  const share = { id: 'plan_file', role: 'reader' };
  it.each([
    ['a word that is an endpoint', 'delete_file_permanently', { id: 'trash' }, '/id'],
    ['another one', 'get_file', { id: 'generateIds' }, '/id'],
    ['an id that is a path', 'trash_file', { id: '../drives/x' }, '/id'],
    ['an id that ends a query', 'list_files', { folder_id: "x' in parents or 'y" }, '/folder_id'],
    ['101 files', 'list_files', { page_size: 101 }, '/page_size'],
    ['a search for nothing', 'search_files', { folder_id: 'folder_a' }, ''],
    ['a sorted search in text', 'search_files', { text: 'a', order_by: 'name' }, '/order_by'],
    ['a query above 2,048 characters', 'search_files', { text: "'".repeat(1_024) }, ''],
    ['a name of two lines', 'rename_file', { id: 'plan_file', name: 'a\nb' }, '/name'],
    ['a name of 256 characters', 'create_folder', { name: 'x'.repeat(256) }, '/name'],
    ['two contents', 'create_file', { name: 'a', content: 'x', file: 'file_test_000001' }, ''],
    ['a header in a type', 'create_file', { name: 'a', mime_type: 'text/plain\r\nx: y' }, '/mime_type'],
    ['a folder as a file', 'create_file', { name: 'a', mime_type: FOLDER }, '/mime_type'],
    ['no content', 'update_content', { id: 'plan_file' }, ''],
    [
      'a comment of 4,097 characters',
      'add_comment',
      { id: 'plan_file', content: 'x'.repeat(4_097) },
      '/content',
    ],
    ['a larger file', 'read_content', { id: 'plan_file', max_bytes: 10_000_001 }, '/max_bytes'],
    ['everybody', 'share_file', { ...share, type: 'anyone' }, '/type'],
    ['a new owner', 'share_file', { ...share, type: 'user', email: 'a@b.example', role: 'owner' }, '/role'],
    [
      'a transfer',
      'share_file',
      { ...share, type: 'user', email: 'a@b.example', transfer_ownership: true },
      '',
    ],
    ['a user without an address', 'share_file', { ...share, type: 'user' }, '/email'],
    [
      'a domain with an address',
      'share_file',
      { ...share, type: 'domain', domain: 'b.example', email: 'a@b.example' },
      '/email',
    ],
    [
      'a message that nobody gets',
      'share_file',
      { ...share, type: 'domain', domain: 'b.example', message: 'x' },
      '/message',
    ],
    ['a new owner', 'change_permission', { id: 'plan_file', permission_id: 'p', role: 'owner' }, '/role'],
  ])('%s', (_, name, args, path) => {
    const parsed = fn(name).input.parse(args);
    expect(parsed).toMatchObject({ ok: false });
    expect(parsed.ok ? [] : parsed.issues.map((issue) => issue.path)).toContain(path);
  });

  it('a public link opens only where an admin allows it, and grows only there', async () => {
    const allowed = googleDriveConnector.functions({ allow_public_sharing: 'yes' });
    const open = { ...share, type: 'anyone' };
    expect(functionNamed(allowed, 'share_file').input.parse(open).ok).toBe(true);
    const tree = answering(
      'GET',
      /permissions\/anyoneWithLink$/,
      json(200, { type: 'anyone', role: 'reader' }),
    );
    const args = { id: 'plan_file', permission_id: 'anyoneWithLink', role: 'writer' };
    const refused = { code: 'forbidden_upstream', definite: true };
    await expect(run('change_permission', args, tree)).rejects.toMatchObject(refused);
    await expect(
      fn('share_file').run(tree.context(), { ...open, send_notification: true }),
    ).rejects.toMatchObject(refused);
    expect(tree.writes()).toEqual([]);
  });
});

describe('the connector', () => {
  it('reaches Drive and nothing else of Google', () => {
    expect(googleDriveConnector.egress({}, 'https://www.googleapis.com')).toEqual([
      { origin: 'https://www.googleapis.com', pathPrefix: '/drive/v3/' },
      { origin: 'https://www.googleapis.com', pathPrefix: '/upload/drive/v3/' },
    ]);
  });

  it('ships as the catalogue says', () => {
    const rows = functions.map(({ name, risk, approval, askEveryTime }) =>
      [name, risk, approval, askEveryTime && 'every time'].filter(Boolean).join(' '),
    );
    expect(rows.filter((row) => row.endsWith(' read auto'))).toHaveLength(9);
    expect(rows.filter((row) => !row.endsWith(' read auto'))).toEqual([
      'add_comment write ask',
      'create_file write ask',
      'create_folder write ask',
      'copy_file write ask',
      'update_content write ask',
      'rename_file write ask',
      'move_file write ask',
      'trash_file write ask',
      'restore_file write ask',
      'delete_file_permanently destructive off every time',
      'empty_trash destructive off every time',
      'share_file destructive ask every time',
      'unshare_file destructive ask every time',
      'change_permission destructive ask every time',
    ]);
    expect(functions.filter(({ risk, observe: look }) => risk !== 'read' && look === undefined)).toEqual([]);
  });

  it('recommends an account of several people and chosen folders', () => {
    expect(googleDriveConnector.notice).toMatch(/service account or a business account/);
    expect(googleDriveConnector.notice).toMatch(/name the folders/);
  });
});
