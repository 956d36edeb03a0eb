import { describe, expect, it } from 'vitest';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { googleDriveConnector } from '../../src/connectors/google_drive/index.js';
import { Boundary, chosenPlaces, limitsOf, type Place } from '../../src/connectors/google_drive/limits.js';
import { objectOf } from '../../src/connectors/json.js';
import { call, functionNamed } from './call-context.js';
import { driveTree, json, namesIn, refusal, type TreeItem } from './drive-tree.js';

const FOLDER = 'application/vnd.google-apps.folder';
const SHORTCUT = 'application/vnd.google-apps.shortcut';

/** chosen_folder is what the admin chose; secret_* is what nobody may hear of. */
const ITEMS: readonly TreeItem[] = [
  { id: 'my_drive_root', name: 'My Drive', mimeType: FOLDER },
  { id: 'chosen_folder', name: 'FAQ', mimeType: FOLDER, parents: ['my_drive_root'] },
  { id: 'nested_folder', name: 'Old', mimeType: FOLDER, parents: ['chosen_folder'] },
  { id: 'nested_file', name: 'old.txt', parents: ['nested_folder'] },
  { id: 'direct_file', name: 'faq.txt', parents: ['chosen_folder'] },
  { id: 'secret_folder', name: 'Salaries', mimeType: FOLDER, parents: ['my_drive_root'] },
  { id: 'secret_file', name: 'salaries.csv', parents: ['secret_folder'] },
  { id: 'secret_shared', name: 'shared-with-me.txt' },
  { id: 'two_parents', name: 'half-secret.txt', parents: ['chosen_folder', 'secret_folder'] },
  {
    id: 'shortcut_in',
    name: 'to faq',
    mimeType: SHORTCUT,
    parents: ['chosen_folder'],
    target: 'direct_file',
  },
  {
    id: 'shortcut_out',
    name: 'to salaries',
    mimeType: SHORTCUT,
    parents: ['chosen_folder'],
    target: 'secret_file',
  },
  {
    id: 'shortcut_lost',
    name: 'to nowhere',
    mimeType: SHORTCUT,
    parents: ['chosen_folder'],
    target: 'gone_file_1',
  },
  { id: 'unreadable_parent', name: 'orphan.txt', parents: ['no_such_folder'] },
  { id: 'circle_a', name: 'circle a', mimeType: FOLDER, parents: ['circle_b'] },
  { id: 'circle_b', name: 'circle b', mimeType: FOLDER, parents: ['circle_a'] },
  { id: 'drive_allowed', name: 'Support', mimeType: FOLDER, driveId: 'drive_allowed' },
  { id: 'in_allowed_drive', name: 'guide.txt', driveId: 'drive_allowed', parents: ['hidden_in_drive'] },
  { id: 'drive_other', name: 'Board', mimeType: FOLDER, driveId: 'drive_other' },
  { id: 'in_other_drive', name: 'minutes.txt', driveId: 'drive_other', parents: ['drive_other'] },
];
const INSIDE = ['nested_folder', 'nested_file', 'direct_file', 'shortcut_in', 'in_allowed_drive'];
const OUTSIDE = ITEMS.map(({ id }) => id).filter(
  (id) => ![...INSIDE, 'chosen_folder', 'drive_allowed'].includes(id),
);
const LIMITED = { folders: 'chosen_folder', shared_drives: 'drive_allowed' };
const functions = googleDriveConnector.functions(LIMITED);
const fn = (name: string) => functionNamed(functions, name);

function run(name: string, args: Arguments, tree = driveTree(ITEMS)): Promise<JsonValue> {
  return call(fn(name), tree.context(LIMITED), args);
}

const text = { content: 'new' };
const user = { type: 'user', role: 'reader', email: 'cleo@siesta.example' };

/** Every function that names an item: how it is asked for one. */
const NAMING: Readonly<Record<string, (id: string) => Arguments>> = {
  list_files: (folder_id) => ({ folder_id }),
  search_files: (folder_id) => ({ folder_id, name: 'a' }),
  get_file: (id) => ({ id }),
  read_content: (id) => ({ id }),
  export_file: (id) => ({ id }),
  list_permissions: (id) => ({ id }),
  list_revisions: (id) => ({ id }),
  list_comments: (id) => ({ id }),
  add_comment: (id) => ({ id, content: 'Hello' }),
  create_file: (parent_id) => ({ parent_id, name: 'a.txt', ...text }),
  create_folder: (parent_id) => ({ parent_id, name: 'a' }),
  copy_file: (id) => ({ id, parent_id: 'nested_folder' }),
  update_content: (id) => ({ id, ...text }),
  rename_file: (id) => ({ id, name: 'b' }),
  move_file: (id) => ({ id, parent_id: 'nested_folder' }),
  trash_file: (id) => ({ id }),
  restore_file: (id) => ({ id }),
  delete_file_permanently: (id) => ({ id }),
  share_file: (id) => ({ id, ...user }),
  unshare_file: (id) => ({ id, permission_id: 'part_1' }),
  change_permission: (id) => ({ id, permission_id: 'part_1', role: 'writer' }),
};

const OUT = { code: 'forbidden_upstream', definite: true };
const SECRETS = /salar|half-secret|shared-with-me|orphan|circle|Board|minutes|nowhere/i;

describe('a connection that is limited to folders', () => {
  it('has no function that escapes these tests', () => {
    expect(functions.map(({ name }) => name).sort()).toEqual(
      [...Object.keys(NAMING), 'list_drives', 'empty_trash'].sort(),
    );
  });

  describe.each(Object.entries(NAMING))('%s', (name, argsFor) => {
    it.each(OUTSIDE)('refuses %s, tells nothing of it, and changes nothing', async (id) => {
      const tree = driveTree(ITEMS);
      const asked = run(name, argsFor(id), tree);
      await expect(asked).rejects.toMatchObject(OUT);
      await expect(asked).rejects.not.toThrow(SECRETS);
      expect(tree.writes()).toEqual([]);
      expect(tree.requests.filter(({ query }) => query?.alt === 'media')).toEqual([]);
    });

    it('says the same of what does not exist', async () => {
      const elsewhere = await run(name, argsFor('secret_file')).catch((error: Error) => error);
      const nowhere = await run(name, argsFor('no_such_item')).catch((error: Error) => error);
      expect(nowhere).toEqual(elsewhere);
    });

    it('shows an approver nothing of what is outside either', async () => {
      const { observe, risk } = fn(name);
      if (risk === 'read') return expect(observe).toBeUndefined();
      if (!observe || !('read' in observe)) throw new Error('a write without a look at its target');
      const looking = observe.read(driveTree(ITEMS).context(LIMITED), argsFor('secret_file'));
      await expect(looking).rejects.toMatchObject(OUT);
    });

    it('works inside', async () => {
      const id = /^create_|^list_files|^search/.test(name) ? 'nested_folder' : 'nested_file';
      await expect(run(name, argsFor(id))).resolves.toBeDefined();
    });
  });

  it('an approver reads where a file is, and nothing of a folder outside', async () => {
    const where = async (id: string, items = ITEMS) => {
      const { observe } = fn('share_file');
      if (!observe || !('read' in observe)) throw new Error('no look at the file');
      const seen = await observe.read(driveTree(items).context(LIMITED), {
        id,
        ...user,
        send_notification: true,
      });
      expect(JSON.stringify(seen)).not.toMatch(SECRETS);
      return seen.fields.find(({ label }) => label === 'Folder')?.value;
    };
    expect(await where('nested_file')).toBe('Old');
    expect(await where('direct_file')).toBe('FAQ');
    // What holds the chosen folder is not for anybody to hear of.
    expect(await where('chosen_folder')).toBeUndefined();
    expect(await where('in_allowed_drive')).toBe('one that this connection does not see');
  });

  it('lists and finds what is inside and nothing else', async () => {
    const inside = ['FAQ', 'Old', 'old.txt', 'faq.txt', 'to faq', 'Support', 'guide.txt'];
    expect(namesIn(await run('search_files', { name: 'a' }))).toEqual(inside);
    const listed = await run('list_files', { folder_id: 'chosen_folder' });
    expect(namesIn(listed)).toEqual(inside);
    expect(JSON.stringify(listed)).not.toMatch(SECRETS);
  });

  it('begins at the chosen folders, not at My Drive', async () => {
    const tree = driveTree(ITEMS);
    await run('list_files', {}, tree);
    expect(tree.requests[0]?.query?.q).toBe(
      "('chosen_folder' in parents or 'drive_allowed' in parents) and trashed = false",
    );
    await expect(run('list_files', { folder_id: 'root' })).rejects.toMatchObject(OUT);
  });

  it('does not tell where the chosen folder is', async () => {
    expect(await run('get_file', { id: 'chosen_folder' })).toMatchObject({ name: 'FAQ', parent_id: null });
    expect(await run('get_file', { id: 'nested_file' })).toMatchObject({ parent_id: 'nested_folder' });
  });

  it('searches no other shared drive, and lists only the allowed one', async () => {
    await expect(run('search_files', { name: 'a', drive_id: 'drive_other' })).rejects.toMatchObject(OUT);
    expect(await run('list_drives', {})).toEqual({
      drives: [{ id: 'drive_allowed', name: 'Name of drive_allowed', created_at: null }],
      next_page_token: null,
    });
  });

  it('searches only the shared drive where it is limited to that one', async () => {
    const corpus = async (config: Record<string, string>, args: Arguments = {}) => {
      const tree = driveTree(ITEMS);
      await call(fn('search_files'), tree.context(config), { name: 'a', ...args });
      return tree.requests.map(({ query }) => query).find((query) => query?.q !== undefined);
    };
    const only = { corpora: 'drive', driveId: 'drive_allowed' };
    expect(await corpus({ shared_drives: 'drive_allowed' })).toMatchObject(only);
    expect(await corpus(LIMITED)).toMatchObject({ corpora: 'allDrives' });
    expect(await corpus(LIMITED, { drive_id: 'drive_allowed' })).toMatchObject(only);
  });

  it.each(['create_file', 'create_folder'])(
    '%s goes into the first chosen folder by itself',
    async (name) => {
      const tree = driveTree(ITEMS);
      const args = { name: 'a', ...(name === 'create_file' && text) };
      await run(name, args, tree);
      const [write] = tree.writes();
      const sent =
        write?.json ?? JSON.parse(String(write?.body).split('\r\n\r\n')[1]?.split('\r\n')[0] ?? '');
      expect(sent).toMatchObject({ parents: ['chosen_folder'] });
    },
  );

  it('puts a copy beside the original, and nowhere else', async () => {
    const tree = driveTree(ITEMS);
    await run('copy_file', { id: 'nested_file' }, tree);
    expect(tree.writes()[0]?.json).toMatchObject({ parents: ['nested_folder'] });
    await expect(run('copy_file', { id: 'nested_file', parent_id: 'secret_folder' })).rejects.toMatchObject(
      OUT,
    );
  });

  it('puts a copy of what was chosen itself not beside it, which is outside', async () => {
    const tree = driveTree(ITEMS);
    const config = { folders: 'chosen_folder secret_file' };
    await call(fn('copy_file'), tree.context(config), { id: 'secret_file' });
    expect(tree.writes()[0]?.json).toMatchObject({ parents: ['chosen_folder'] });
  });

  it('moves nothing out and nothing in', async () => {
    for (const parent_id of ['secret_folder', 'my_drive_root', 'root', 'drive_other']) {
      const tree = driveTree(ITEMS);
      await expect(run('move_file', { id: 'direct_file', parent_id }, tree)).rejects.toMatchObject(OUT);
      expect(tree.writes()).toEqual([]);
    }
    const tree = driveTree(ITEMS);
    await run('move_file', { id: 'direct_file', parent_id: 'nested_folder' }, tree);
    expect(tree.writes()[0]?.query).toMatchObject({
      addParents: 'nested_folder',
      removeParents: 'chosen_folder',
    });
  });

  it.each(['rename_file', 'move_file', 'trash_file', 'restore_file', 'delete_file_permanently'])(
    '%s leaves the chosen folder itself alone',
    async (name) => {
      const tree = driveTree(ITEMS);
      await expect(run(name, NAMING[name]?.('chosen_folder') ?? {}, tree)).rejects.toMatchObject(OUT);
      expect(tree.writes()).toEqual([]);
    },
  );

  it('never empties the trash, and does not look into it', async () => {
    const tree = driveTree(ITEMS);
    await expect(run('empty_trash', {}, tree)).rejects.toMatchObject(OUT);
    await expect(run('empty_trash', { drive_id: 'drive_allowed' }, tree)).rejects.toMatchObject(OUT);
    const { observe } = fn('empty_trash');
    if (!observe || !('read' in observe)) throw new Error('no look at the trash');
    await expect(observe.read(tree.context(LIMITED), {})).rejects.toMatchObject(OUT);
    expect(tree.requests).toEqual([]);
  });

  it('finds its own creation again only inside', async () => {
    const { reconcile } = fn('create_file');
    const tree = driveTree(ITEMS);
    const found = (item: string) => () =>
      json(200, { files: ITEMS.filter(({ id }) => id === item).map(asFile) });
    const asFile = ({ id, name, parents = [] }: TreeItem) => ({ id, name, parents: [...parents] });
    tree.answer = (request) => (request.url.endsWith('/files') ? found('direct_file')() : undefined);
    expect(await reconcile?.(tree.context(LIMITED), {})).toMatchObject({
      status: 'applied',
      result: { id: 'direct_file' },
    });
    tree.answer = (request) => (request.url.endsWith('/files') ? found('secret_file')() : undefined);
    expect(await reconcile?.(tree.context(LIMITED), {})).toMatchObject({ status: 'unknown' });
  });

  it('takes a folder above that may not be read as outside, but not a Drive that is down', async () => {
    const tree = driveTree(ITEMS);
    const above = (answer: ReturnType<typeof json>) => (request: { url: string }) =>
      request.url.endsWith('/nested_folder') ? answer : undefined;
    tree.answer = above(refusal(403, 'insufficientFilePermissions', 'No access.'));
    await expect(run('get_file', { id: 'nested_file' }, tree)).rejects.toMatchObject(OUT);
    expect(namesIn(await run('search_files', { name: 'a' }, tree))).not.toContain('old.txt');
    tree.answer = above(json(503, {}));
    await expect(run('rename_file', { id: 'nested_file', name: 'b' }, tree)).rejects.toMatchObject({
      code: 'upstream_unavailable',
      definite: true,
    });
    expect(tree.writes()).toEqual([]);
  });

  it('asks for the scope that reaches chosen folders', () => {
    const scope = (name: string, config: Record<string, JsonValue>) =>
      functionNamed(googleDriveConnector.functions(config), name).scopes.map((each) => each.split('/').pop());
    expect(scope('create_file', {})).toEqual(['drive.file']);
    expect(scope('create_file', { may_change: 'all_files' })).toEqual(['drive']);
    expect(scope('create_file', LIMITED)).toEqual(['drive']);
    expect(scope('create_file', { ...LIMITED, may_change: 'own_files' })).toEqual([
      'drive.file',
      'drive.metadata.readonly',
    ]);
    expect(scope('list_files', LIMITED)).toEqual(['drive.metadata.readonly']);
  });
});

describe('the way up', () => {
  const place = (id: string, parents: string[], more: Partial<Place> = {}): Place => ({
    id,
    parents,
    driveId: null,
    targetId: null,
    ...more,
  });
  function boundary(places: readonly Place[]) {
    const asked: string[] = [];
    const lookUp = async (id: string) => {
      asked.push(id);
      return places.find((each) => each.id === id) ?? null;
    };
    return { asked, boundary: new Boundary({ folders: ['top'], drives: [] }, lookUp) };
  }
  /** `f0` lies in top, every other in the one before. */
  const chain = (length: number) =>
    Array.from({ length }, (_, index) => place(`f${index}`, [index === 0 ? 'top' : `f${index - 1}`]));

  it.each([
    [39, true],
    [40, true],
    [41, false],
    [500, false],
  ])('through %i folders: %s', async (length, inside) => {
    const places = chain(length);
    const last = places.at(-1);
    if (!last) throw new Error('no chain');
    expect(await boundary(places).boundary.contains(last)).toBe(inside);
  });

  it('looks a folder up once in a call, however many items are in it', async () => {
    const { asked, boundary: one } = boundary(chain(3));
    const items = Array.from({ length: 100 }, (_, index) => place(`item${index}`, ['f2']));
    expect(await Promise.all(items.map((item) => one.contains(item)))).toEqual(Array(100).fill(true));
    expect(asked.sort()).toEqual(['f0', 'f1', 'f2']);
  });

  it('stops after 200 look-ups, says so, and takes the rest as outside', async () => {
    const folders = Array.from({ length: 201 }, (_, index) => place(`folder${index}`, ['top']));
    const { asked, boundary: one } = boundary(folders);
    for (let index = 0; index < 200; index++) {
      expect(await one.contains(place(`item${index}`, [`folder${index}`]))).toBe(true);
    }
    expect(one.exhausted).toBe(false);
    expect(await one.contains(place('item200', ['folder200']))).toBe(false);
    expect(one.exhausted).toBe(true);
    expect(asked).toHaveLength(200);
  });

  it('ends where folders with two parents each multiply the ways', async () => {
    const layers = Array.from({ length: 38 }, (_, layer) =>
      ['a', 'b'].map((side) =>
        place(`${side}${layer}`, layer === 0 ? ['top'] : [`a${layer - 1}`, `b${layer - 1}`]),
      ),
    ).flat();
    const { asked, boundary: one } = boundary(layers);
    expect(await one.contains(place('item', ['a37', 'b37']))).toBe(true);
    expect(asked).toHaveLength(76);
  });

  it('goes nowhere in a circle, nor from an item that has no folder', async () => {
    const circle = [place('a', ['b']), place('b', ['c', 'top']), place('c', ['a'])];
    const { boundary: one } = boundary(circle);
    for (const item of circle) expect(await one.contains(item)).toBe(false);
    expect(await one.contains(place('self', ['self']))).toBe(false);
    expect(await one.contains(place('lonely', []))).toBe(false);
  });

  it('follows a shortcut to what it leads to', async () => {
    const { boundary: one } = boundary([place('in', ['top']), place('out', ['elsewhere'])]);
    expect(await one.contains(place('s', ['top'], { targetId: 'in' }))).toBe(true);
    expect(await one.contains(place('s', ['top'], { targetId: 'out' }))).toBe(false);
    expect(await one.contains(place('s', ['top'], { targetId: 'gone' }))).toBe(false);
    expect(await one.contains(place('t', ['elsewhere'], { targetId: 'in' }))).toBe(false);
  });
});

describe('naming the folders', () => {
  const read = (typed: unknown) => chosenPlaces.safeParse(typed);

  it('takes ids and addresses, and keeps ids', () => {
    const typed = [
      'https://drive.google.com/drive/folders/1AbcDefGhij?usp=sharing',
      ' https://drive.google.com/drive/u/0/folders/1AbcDefGhij/, 0AJ5mzbcvT9q ',
      'https://drive.google.com/open?id=1KlmNopQrst',
    ].join('\n');
    expect(read(typed)).toMatchObject({ success: true, data: '1AbcDefGhij\n0AJ5mzbcvT9q\n1KlmNopQrst' });
    expect(read(['1AbcDefGhij', '1KlmNopQrst'])).toMatchObject({
      success: true,
      data: '1AbcDefGhij\n1KlmNopQrst',
    });
    const kept = read(typed).data;
    expect(read(kept).data).toBe(kept);
    expect(limitsOf({ folders: kept ?? null })).toEqual({
      folders: ['1AbcDefGhij', '0AJ5mzbcvT9q', '1KlmNopQrst'],
      drives: [],
    });
  });

  it.each([
    'root',
    'Salaries 2026',
    'https://evil.example/drive/folders/1AbcDefGhij',
    'http://drive.google.com/drive/folders/1AbcDefGhij',
    'https://drive.google.com/drive/my-drive',
    "1AbcDefGhij' or 'x",
    Array.from({ length: 21 }, (_, index) => `folder_${index}_abc`).join('\n'),
  ])('refuses %s', (typed) => {
    expect(read(typed).success).toBe(false);
  });

  it('is no limit when nothing is named', () => {
    expect(limitsOf({})).toBeNull();
    expect(limitsOf({ folders: '', shared_drives: ' \n' })).toBeNull();
    expect(
      objectOf(googleDriveConnector.config.parse({ allow_public_sharing: 'no' })).folders,
    ).toBeUndefined();
  });
});
