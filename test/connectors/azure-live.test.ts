import {
  AccountSASPermissions,
  generateAccountSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_VERSION } from '../../src/connectors/azure_storage/api.js';
import { azureStorageConnector } from '../../src/connectors/azure_storage/index.js';
import type { Arguments, CallContext, JsonValue, Observation } from '../../src/connectors/framework.js';
import { createOutbound, type Outbound } from '../../src/net/safe-fetch.js';
import { ACCOUNT, ACCOUNT_KEY, type Azurite, CONNECTION_STRING, startAzurite } from './azurite.js';
import { call, callContext, functionNamed, MemoryFiles, withSecret } from './call-context.js';

/** Real Shared Key and SAS signatures over the real transport (request guard included), answered by Azurite. */
const functions = azureStorageConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);
const method = (id: string) => {
  const found = azureStorageConnector.auth.find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
};

let azurite: Azurite;
let outbound: Outbound;
const files = new MemoryFiles();
let nextExecution = 1;

beforeAll(async () => {
  azurite = await startAzurite();
  outbound = createOutbound({ allowPrivate: [new URL(azurite.accountUrl).host] });
  await run('create_container', { container: 'reports' });
});
afterAll(async () => {
  await outbound?.close();
  await azurite?.close();
});

interface Given {
  readonly sas?: string;
  readonly condition?: string | undefined;
  readonly executionId?: string;
}

function contextFor({ sas, condition, executionId = `exe_${nextExecution++}` }: Given = {}): CallContext {
  const config = { account_url: azurite.accountUrl };
  const baseUrl = azurite.accountUrl;
  const auth = method(sas === undefined ? 'connection_string' : 'sas');
  const secret: Record<string, string> =
    sas === undefined ? { connection_string: CONNECTION_STRING } : { sas_token: sas };
  if (auth.kind !== 'secret') throw new Error('not a secret');
  expect(auth.check?.(secret, config)).toBeUndefined();
  const apply = withSecret(auth, secret, config, new Date());
  const policy = { allow: azureStorageConnector.egress(config, baseUrl) };
  return {
    ...callContext({
      config,
      baseUrl,
      executionId,
      files,
      ...(condition === undefined ? {} : { condition }),
      sign: (text) => auth.sign?.(text, secret) ?? '',
    }),
    fetch: (request) => outbound.send(apply(request), policy),
  };
}

async function run(name: string, args: Arguments, given: Given = {}): Promise<Record<string, JsonValue>> {
  const result = await call(fn(name), contextFor(given), args);
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    throw new Error('not an object');
  return result;
}

async function observe(name: string, args: Arguments, given: Given = {}): Promise<Observation> {
  const { observe } = fn(name);
  if (!observe || 'none' in observe) throw new Error(`${name} is not observed`);
  return observe.read(contextFor(given), args);
}

/** A name with everything that is encoded on the way. */
const ODD = "folder one/ä+b & 50% 'x' (1)~!*;=@$,[2].txt";
const at = (name: string) => ({ container: 'reports', name });

describe('Shared Key', () => {
  it('uploads, shows, lists and reads a blob, whatever its name', async () => {
    const uploaded = await run('upload_blob', {
      ...at(ODD),
      content: 'Grüße',
      metadata: { b_a: '1', b1: '2', ba: '3', b__a: '4', _b: 'two  spaces' },
    });
    expect(uploaded).toMatchObject({ ...at(ODD), size: 7, etag: expect.stringMatching(/^"0x/) });
    expect(await run('get_blob_properties', at(ODD))).toMatchObject({
      size: 7,
      content_type: 'text/plain; charset=utf-8',
      etag: uploaded.etag,
      blob_type: 'BlockBlob',
      metadata: { b_a: '1', b1: '2', ba: '3', b__a: '4', _b: 'two  spaces' },
    });
    const listed = await run('list_blobs', { container: 'reports', prefix: 'folder one/' });
    expect(listed).toEqual({
      blobs: [expect.objectContaining({ name: ODD, size: 7, last_modified: uploaded.last_modified })],
      folders: [],
      next_page_token: null,
    });
    expect(await run('read_blob', at(ODD))).toMatchObject({ text: 'Grüße', size: 7, truncated: false });
    expect(await run('read_blob', { ...at(ODD), offset: 2, max_bytes: 3 })).toMatchObject({
      text: 'ü',
      bytes_read: 3,
      truncated: true,
    });
  });

  it('lists folders and pages', async () => {
    for (const name of ['p/1.txt', 'p/2.txt', 'p/q/3.txt'])
      await run('upload_blob', { ...at(name), content: name });
    const folders = await run('list_blobs', { container: 'reports', prefix: 'p/', delimiter: '/' });
    expect(folders.folders).toEqual(['p/q/']);
    const first = await run('list_blobs', { container: 'reports', prefix: 'p/', max_results: 2 });
    expect(first.next_page_token).toEqual(expect.any(String));
    const second = await run('list_blobs', {
      container: 'reports',
      prefix: 'p/',
      max_results: 2,
      page_token: String(first.next_page_token),
    });
    expect(second).toMatchObject({ blobs: [{ name: 'p/q/3.txt' }], next_page_token: null });
  });

  it('keeps what is no text as a file, and uploads a file', async () => {
    const bytes = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 255]);
    const file = files.add({ name: 'dot.png', type: 'image/png', bytes });
    await run('upload_blob', { ...at('img/dot.png'), file });
    const read = await run('read_blob', at('img/dot.png'));
    expect(read).toMatchObject({
      content_type: 'image/png',
      file: { name: 'dot.png', type: 'image/png', size: 8 },
    });
    const kept =
      typeof read.file === 'object' && read.file !== null && 'file' in read.file ? read.file.file : '';
    expect(Buffer.from((await files.read(String(kept))).bytes)).toEqual(bytes);
  });

  it('reads an empty blob', async () => {
    await run('upload_blob', { ...at('empty.txt'), content: '' });
    expect(await run('read_blob', at('empty.txt'))).toMatchObject({ text: '', size: 0, truncated: false });
  });

  it('does not overwrite unasked; a repeat of its own call succeeds', async () => {
    const args = { ...at('once.txt'), content: 'first' };
    const first = await run('upload_blob', args, { executionId: 'exe_once' });
    expect(await run('upload_blob', args, { executionId: 'exe_once' })).toEqual(first);
    await expect(run('upload_blob', args)).rejects.toMatchObject({
      code: 'upstream_rejected',
      status: 409,
      definite: true,
      message: expect.stringContaining('BlobAlreadyExists'),
    });
  });

  it('writes only what the approver saw', async () => {
    const args = { ...at('seen.txt'), content: 'new', overwrite: true };
    const fresh = await observe('upload_blob', args);
    expect(fresh).toMatchObject({ condition: 'absent', version: '' });
    await run('upload_blob', { ...args, content: 'in between' });
    await expect(run('upload_blob', args, { condition: fresh.condition })).rejects.toMatchObject({
      code: 'target_changed',
      definite: true,
    });
    const seen = await observe('upload_blob', args);
    expect(seen.fields).toContainEqual({ label: 'Size', value: '10 bytes', kind: 'short' });
    await run('upload_blob', args, { condition: seen.condition, executionId: 'exe_seen' });
    // The answer was lost and the call is repeated: the etag is our own by now.
    await run('upload_blob', args, { condition: seen.condition, executionId: 'exe_seen' });
    for (const [name, more] of [
      ['upload_blob', { content: 'x', overwrite: true }],
      ['set_metadata', { metadata: { a: 'b' } }],
      ['delete_blob', {}],
    ] as const) {
      await expect(
        run(name, { ...at('seen.txt'), ...more }, { condition: seen.condition }),
      ).rejects.toMatchObject({ code: 'target_changed', definite: true, status: 412 });
    }
    expect(await run('read_blob', at('seen.txt'))).toMatchObject({ text: 'new' });
  });

  it('replaces metadata', async () => {
    await run('upload_blob', { ...at('meta.txt'), content: 'x', metadata: { owner: 'ada', year: '2025' } });
    const args = { ...at('meta.txt'), metadata: { owner: 'ben' } };
    const { fields, condition } = await observe('set_metadata', args);
    expect(fields).toEqual([
      { label: 'Metadata', kind: 'long', value: 'owner: ada\nyear: "2025"', after: 'owner: ben' },
    ]);
    await run('set_metadata', args, { condition });
    expect(await run('get_blob_properties', at('meta.txt'))).toMatchObject({ metadata: { owner: 'ben' } });
  });

  it('replaces tags', async () => {
    await run('upload_blob', { ...at('tags.txt'), content: 'x' });
    const args = { ...at('tags.txt'), tags: { project: 'one/two: a+b', 'due by': 'May' } };
    expect((await observe('set_tags', args)).fields).toMatchObject([{ label: 'Tags', value: 'none' }]);
    expect(await run('set_tags', args)).toEqual(args);
    expect((await observe('set_tags', args)).fields).toMatchObject([
      { value: '"due by": May\nproject: one/two: a+b', after: '"due by": May\nproject: one/two: a+b' },
    ]);
    expect(await run('get_blob_properties', at('tags.txt'))).toMatchObject({ tag_count: 2 });
  });

  it('copies inside the account what was seen to where it was seen', async () => {
    await run('upload_blob', { ...at('from & to.txt'), content: 'copied', metadata: { a: 'b' } });
    const args = { source_container: 'reports', source_name: 'from & to.txt', ...at('copy.txt') };
    const seen = await observe('copy_blob', args);
    expect(seen.fields.map(({ label }) => label)).toEqual([
      'Source: Size',
      'Source: Type',
      'Source: Last changed',
      'Target: There now',
    ]);
    expect(await run('copy_blob', args, { condition: seen.condition })).toMatchObject({
      copy_status: 'success',
    });
    expect(await run('read_blob', at('copy.txt'))).toMatchObject({ text: 'copied' });
    await expect(run('copy_blob', args)).rejects.toMatchObject({ code: 'upstream_rejected', definite: true });
    await expect(
      run('copy_blob', { ...args, overwrite: true }, { condition: '"0x0" "0x0"' }),
    ).rejects.toMatchObject({ code: 'target_changed', definite: true });
    await run('copy_blob', { ...args, overwrite: true });
  });

  it('deletes a blob', async () => {
    await run('upload_blob', { ...at('gone.txt'), content: 'x' });
    const { condition } = await observe('delete_blob', at('gone.txt'));
    expect(await run('delete_blob', { ...at('gone.txt'), snapshots: 'include' }, { condition })).toEqual({
      ...at('gone.txt'),
      deleted: 'blob_and_snapshots',
    });
    await expect(run('read_blob', at('gone.txt'))).rejects.toMatchObject({
      code: 'upstream_rejected',
      status: 404,
      message: expect.stringContaining('BlobNotFound'),
    });
  });

  it('finds out whether a call happened whose answer was lost', async () => {
    const cases: [string, Arguments][] = [
      ['upload_blob', { ...at('lost.txt'), content: 'x', metadata: { a: 'b' } }],
      ['create_container', { container: 'lost' }],
    ];
    for (const [name, args] of cases) {
      const reconcile = (executionId: string) => fn(name).reconcile?.(contextFor({ executionId }), args);
      expect(await reconcile('exe_lost')).toEqual({ status: 'not_applied' });
      const result = await run(name, args, { executionId: 'exe_lost' });
      expect(await reconcile('exe_lost')).toEqual({ status: 'applied', result });
      expect(await reconcile('exe_other')).toMatchObject({ status: 'unknown' });
    }
  });

  it('creates a container once, and deletes it', async () => {
    const args = { container: 'short-lived' };
    const first = await run('create_container', args, { executionId: 'exe_container' });
    expect(await run('create_container', args, { executionId: 'exe_container' })).toEqual(first);
    await expect(run('create_container', args)).rejects.toMatchObject({ status: 409, definite: true });
    await run('upload_blob', { container: 'short-lived', name: 'a.txt', content: 'x' });
    const { containers } = await run('list_containers', { prefix: 'short' });
    expect(containers).toEqual([
      { name: 'short-lived', etag: first.etag, last_modified: first.last_modified, public_access: null },
    ]);
    expect((await observe('delete_container', args)).fields).toEqual([
      { label: 'Holds', value: 'a.txt', kind: 'long' },
    ]);
    await run('delete_container', args);
    expect(await run('list_containers', { prefix: 'short' })).toEqual({
      containers: [],
      next_page_token: null,
    });
  });

  it('knows whose account it is', async () => {
    expect(await azureStorageConnector.account?.(contextFor())).toBe(ACCOUNT);
  });

  it('does nothing with a wrong key', async () => {
    const wrong = CONNECTION_STRING.replace(
      /AccountKey=[^;]+/,
      `AccountKey=${Buffer.alloc(32).toString('base64')}`,
    );
    const config = { account_url: azurite.accountUrl };
    const apply = withSecret(method('connection_string'), { connection_string: wrong }, config, new Date());
    const policy = { allow: azureStorageConnector.egress(config, azurite.accountUrl) };
    const context = {
      ...contextFor(),
      fetch: (request: Parameters<typeof apply>[0]) => outbound.send(apply(request), policy),
    };
    await expect(fn('get_blob_properties').run(context, at('x.txt'))).rejects.toMatchObject({
      // Azurite's word for it; the service itself says AuthenticationFailed
      code: 'forbidden_upstream',
      message: expect.stringContaining('AuthorizationFailure'),
      definite: true,
    });
  });
});

describe('a signature of the account (SAS)', () => {
  it('does what its permissions say, copies included', async () => {
    const signed = generateAccountSASQueryParameters(
      {
        expiresOn: new Date(Date.now() + 600_000),
        permissions: AccountSASPermissions.parse('rwdlact'),
        resourceTypes: 'sco',
        services: 'b',
        version: API_VERSION,
      },
      new StorageSharedKeyCredential(ACCOUNT, ACCOUNT_KEY),
    );
    const given = { sas: `?${signed}` };
    await run('create_container', { container: 'by-sas' }, given);
    const one = { container: 'by-sas', name: ODD };
    await run('upload_blob', { ...one, content: 'signed' }, given);
    await run('set_metadata', { ...one, metadata: { a: 'b' } }, given);
    await run('set_tags', { ...one, tags: { a: 'b c' } }, given);
    const copied = { container: 'by-sas', name: 'copy.txt' };
    const copy = { source_container: 'by-sas', source_name: ODD, ...copied };
    expect(await run('copy_blob', copy, given)).toMatchObject({ copy_status: 'success' });
    expect(await run('read_blob', copied, given)).toMatchObject({ text: 'signed' });
    expect(await run('get_blob_properties', one, given)).toMatchObject({
      metadata: { a: 'b' },
      tag_count: 1,
    });
    expect(await run('list_blobs', { container: 'by-sas', prefix: 'copy' }, given)).toMatchObject({
      blobs: [{ name: 'copy.txt' }],
    });
    await run('delete_blob', copied, given);
    await run('delete_container', { container: 'by-sas' }, given);
    expect(await run('list_containers', { prefix: 'by-sas' }, given)).toMatchObject({ containers: [] });
    expect(await azureStorageConnector.account?.(contextFor(given))).toBe(ACCOUNT);
  });
});

describe('a link', () => {
  it('lets anybody read that blob and nothing else, and ends', async () => {
    await run('upload_blob', { ...at(ODD), content: 'shared', overwrite: true });
    await run('upload_blob', { ...at('other.txt'), content: 'kept' });
    const { url, expires_at: expiry } = await run('create_sas_url', { ...at(ODD), minutes: 5 });
    const link = new URL(String(url));
    expect(await (await fetch(link)).text()).toBe('shared');
    const minutes = (Date.parse(String(expiry)) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(3.5);
    expect(minutes).toBeLessThanOrEqual(5);
    expect((await fetch(link, { method: 'DELETE' })).status).toBe(403);
    const other = new URL(`${azurite.accountUrl}/reports/other.txt${link.search}`);
    expect((await fetch(other)).status).toBe(403);
  });

  it('is a signature with which the connector itself can sign in', async () => {
    await run('upload_blob', { ...at('by-sas.txt'), content: 'read me' });
    const { url } = await run('create_sas_url', at('by-sas.txt'));
    const sas = new URL(String(url)).search;
    expect(await run('read_blob', at('by-sas.txt'), { sas })).toMatchObject({ text: 'read me' });
    await expect(run('delete_blob', at('by-sas.txt'), { sas })).rejects.toMatchObject({
      code: 'forbidden_upstream',
      definite: true,
    });
  });

  it('is not made for a blob that is not there', async () => {
    await expect(run('create_sas_url', at('nowhere.txt'))).rejects.toMatchObject({ status: 404 });
  });
});
