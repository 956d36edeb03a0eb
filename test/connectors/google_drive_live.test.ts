/** The functions that emulate's Drive can stand for: the calls leave over HTTP and change what it keeps. */
import { createEmulator, type Emulator } from 'emulate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../playground/free-port.js';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { googleDriveConnector } from '../../src/connectors/google_drive/index.js';
import { objectOf } from '../../src/connectors/json.js';
import { call, callContext, functionNamed } from './call-context.js';
import { namesIn } from './drive-tree.js';

const EMAIL = 'ada@siesta.example';
const TOKEN = 'fake-token-1';
const FOLDER = 'application/vnd.google-apps.folder';
const LIMITED = { folders: 'chosen_folder' };

let emulator: Emulator;
let baseUrl: string;

beforeAll(async () => {
  const port = await freePort();
  const item = (id: string, name: string, parent: string, more: object = {}) => ({
    id,
    name,
    user_email: EMAIL,
    parent_ids: [parent],
    mime_type: 'text/plain',
    ...more,
  });
  emulator = await createEmulator({
    service: 'google',
    port,
    seed: {
      tokens: { [TOKEN]: { login: EMAIL } },
      google: {
        users: [{ email: EMAIL, name: 'Ada' }],
        drive_items: [
          item('chosen_folder', 'FAQ', 'root', { mime_type: FOLDER }),
          item('nested_folder', 'Old', 'chosen_folder', { mime_type: FOLDER }),
          item('faq_file', 'faq.txt', 'chosen_folder', { data: 'How do I reset it?' }),
          item('secret_folder', 'Salaries', 'root', { mime_type: FOLDER }),
          item('secret_file', 'salaries.csv', 'secret_folder'),
        ],
      },
    },
  });
  baseUrl = `http://127.0.0.1:${port}`;
});
afterAll(() => emulator.close());

function run(name: string, args: Arguments, config: Record<string, JsonValue> = LIMITED): Promise<JsonValue> {
  const context = callContext({
    baseUrl,
    config,
    authorize: (request) => ({
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${TOKEN}` },
    }),
  });
  return call(functionNamed(googleDriveConnector.functions(config), name), context, args);
}

describe('against a Drive that answers', () => {
  it('lists the chosen folder, and all of My Drive without limits', async () => {
    expect(namesIn(await run('list_files', { folder_id: 'chosen_folder' })).sort()).toEqual([
      'Old',
      'faq.txt',
    ]);
    expect(namesIn(await run('list_files', {}, {})).sort()).toEqual(['FAQ', 'Salaries']);
  });

  it('finds by type, and leaves out what is elsewhere', async () => {
    expect(namesIn(await run('search_files', { mime_type: FOLDER })).sort()).toEqual(['FAQ', 'Old']);
    expect(namesIn(await run('search_files', { mime_type: FOLDER }, {})).sort()).toEqual([
      'FAQ',
      'Old',
      'Salaries',
    ]);
  });

  it('shows, reads, renames and moves a file inside, and none outside', async () => {
    expect(await run('get_file', { id: 'faq_file' })).toMatchObject({
      name: 'faq.txt',
      parent_id: 'chosen_folder',
    });
    expect(await run('read_content', { id: 'faq_file' })).toMatchObject({ text: 'How do I reset it?' });
    expect(await run('rename_file', { id: 'faq_file', name: 'answers.txt' })).toMatchObject({
      name: 'answers.txt',
    });
    const moved = await run('move_file', { id: 'faq_file', parent_id: 'nested_folder' });
    expect(moved).toMatchObject({ parent_id: 'nested_folder' });
    expect(namesIn(await run('list_files', { folder_id: 'nested_folder' }))).toEqual(['answers.txt']);
    const out = { code: 'forbidden_upstream' };
    await expect(run('read_content', { id: 'secret_file' })).rejects.toMatchObject(out);
    await expect(run('move_file', { id: 'faq_file', parent_id: 'secret_folder' })).rejects.toMatchObject(out);
    expect(await run('get_file', { id: 'faq_file' }, {})).toMatchObject({ parent_id: 'nested_folder' });
  });

  it('uploads a document with its content in one request', async () => {
    const args = { name: 'Plan', mime_type: 'application/vnd.google-apps.document', content: '# Grüße' };
    const created = objectOf(await run('create_file', args));
    expect(created).toMatchObject({
      name: 'Plan',
      parent_id: 'chosen_folder',
      size: Buffer.byteLength('# Grüße'),
    });
    expect(await run('get_file', { id: String(created.id) })).toMatchObject({ name: 'Plan' });
  });
});
