import { describe, expect, it } from 'vitest';
import { azureStorageConnector } from '../../src/connectors/azure_storage/index.js';
import { parseXml } from '../../src/connectors/azure_storage/xml.js';
import type {
  Arguments,
  AuthMethod,
  UpstreamRequest,
  UpstreamResponse,
} from '../../src/connectors/framework.js';
import { call, callContext, functionNamed, upstreamResponse, withSecret } from './call-context.js';

const functions = azureStorageConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);
const ACCOUNT_URL = 'https://siestatest.blob.core.windows.net';
const CONFIG = { account_url: ACCOUNT_URL };
const KEY = Buffer.from('fake-account-key-canary-1').toString('base64');
const CONNECTION_STRING = `DefaultEndpointsProtocol=https;AccountName=siestatest;AccountKey=${KEY};EndpointSuffix=core.windows.net`;
const APP = '00000000-0000-4000-8000-000000000001';
const SAS = '?sv=2025-11-05&ss=b&srt=sco&sp=rl&se=2026-12-01T00:00:00Z&spr=https&sig=fake%2Bsignature%3D';
const BLOB = { container: 'reports', name: 'a/b.txt' };

function method(id: string): AuthMethod {
  const found = azureStorageConnector.auth.find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
}

/** Answers with the given answers in turn, and writes down what is asked. */
function context(answers: readonly UpstreamResponse[], condition?: string) {
  const asked: UpstreamRequest[] = [];
  const base = callContext({
    config: CONFIG,
    baseUrl: ACCOUNT_URL,
    executionId: 'exe_azure_1',
    ...(condition === undefined ? {} : { condition }),
  });
  const fetch = async (request: UpstreamRequest): Promise<UpstreamResponse> => {
    asked.push(request);
    const answer = answers[asked.length - 1];
    if (!answer) throw new Error(`unexpected ${request.method}`);
    return answer;
  };
  return { asked, context: { ...base, fetch } };
}

function refusal(status: number, code: string, message = 'Said by the service.\nRequestId:fake\nTime:now') {
  const body = `\uFEFF<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message><AuthenticationErrorDetail>fake-string-to-sign</AuthenticationErrorDetail></Error>`;
  return upstreamResponse(status, { 'x-ms-error-code': code, 'content-type': 'application/xml' }, body);
}

describe('what the service refuses', () => {
  it.each([
    [403, 'AuthenticationFailed', 'needs_reauth'],
    [401, 'InvalidAuthenticationInfo', 'needs_reauth'],
    [403, 'AuthorizationPermissionMismatch', 'forbidden_upstream'],
    [404, 'BlobNotFound', 'upstream_rejected'],
    [409, 'LeaseIdMissing', 'upstream_rejected'],
    [412, 'ConditionNotMet', 'target_changed'],
    [412, 'SourceConditionNotMet', 'target_changed'],
    [412, 'LeaseIdMissing', 'upstream_rejected'],
    [416, 'InvalidRange', 'upstream_rejected'],
  ])('%i %s is %s, and nothing happened', async (status, code, expected) => {
    const { context: one } = context([refusal(status, code)]);
    const failed = await call(fn('delete_blob'), one, BLOB).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: expected, definite: true, status });
    expect(String(failed)).toContain(`(${status} ${code}): Said by the service.`);
    expect(String(failed)).not.toMatch(/RequestId|string-to-sign/);
  });

  it('a failure of its own leaves the outcome open', async () => {
    const { context: one } = context([refusal(503, 'ServerBusy')]);
    await expect(call(fn('delete_blob'), one, BLOB)).rejects.toMatchObject({
      code: 'upstream_unavailable',
      definite: false,
    });
  });

  it('a refused create is a success when the mark is of this very execution', async () => {
    const headers = { etag: '"0x1"', 'last-modified': 'Mon, 04 May 2026 10:00:00 GMT' };
    const taken = refusal(409, 'ContainerAlreadyExists');
    const marked = (id: string) => upstreamResponse(200, { ...headers, 'x-ms-meta-siestaexecution': id }, '');
    const { context: mine } = context([taken, marked('exe_azure_1')]);
    expect(await call(fn('create_container'), mine, { container: 'reports' })).toEqual({
      container: 'reports',
      etag: '"0x1"',
      last_modified: '2026-05-04T10:00:00.000Z',
    });
    for (const other of [marked('exe_other'), upstreamResponse(200, headers, '')]) {
      const { context: theirs } = context([taken, other]);
      await expect(call(fn('create_container'), theirs, { container: 'reports' })).rejects.toMatchObject({
        code: 'upstream_rejected',
        definite: true,
        status: 409,
      });
    }
  });

  it('an answer that is not XML is said to be none', async () => {
    const hostile = '<!DOCTYPE x [<!ENTITY a "b">]><EnumerationResults>&a;</EnumerationResults>';
    const { context: one } = context([upstreamResponse(200, {}, hostile)]);
    await expect(call(fn('list_containers'), one, {})).rejects.toMatchObject({ code: 'upstream_rejected' });
  });
});

describe('what the service answers', () => {
  it('names keep every character', async () => {
    const name = (text: string, encoded = '') => `<Blob><Name${encoded}>${text}</Name><Properties/></Blob>`;
    const body = `<EnumerationResults><Blobs>${name(' 007 ')}${name('a &amp;lt; &lt;b&gt;&#x41;&#13;')}${name('x%EF%BF%BF', ' Encoded="true"')}${name('__proto__')}<BlobPrefix><Name>p/</Name></BlobPrefix></Blobs><NextMarker>next!</NextMarker></EnumerationResults>`;
    const { context: one } = context([upstreamResponse(200, {}, body)]);
    expect(await call(fn('list_blobs'), one, { container: 'reports' })).toMatchObject({
      blobs: [{ name: ' 007 ' }, { name: 'a &lt; <b>A\r' }, { name: 'x\uFFFF' }, { name: '__proto__' }],
      folders: ['p/'],
      next_page_token: 'next!',
    });
    expect(parseXml('<a/>')).toEqual({});
  });

  it('a text that is too long for an answer comes as a file', async () => {
    const headers = { 'content-type': 'text/csv', 'content-range': 'bytes 0-100000/200000' };
    const { context: one, asked } = context([upstreamResponse(206, headers, 'x'.repeat(100_001))]);
    expect(await call(fn('read_blob'), one, BLOB)).toMatchObject({
      file: { name: 'b.txt', type: 'text/csv', size: 100_001 },
      size: 200_000,
      truncated: true,
    });
    expect(asked).toMatchObject([{ headers: { 'x-ms-range': 'bytes=0-10485759' }, maxBytes: 10_485_760 }]);
  });

  it('a blob with nothing in it has no range', async () => {
    const { context: one } = context([
      refusal(416, 'InvalidRange'),
      upstreamResponse(200, { 'content-type': 'text/plain' }, ''),
    ]);
    expect(await call(fn('read_blob'), one, BLOB)).toMatchObject({ text: '', size: 0, truncated: false });
  });

  it('a link ends by the clock of the service', async () => {
    const head = upstreamResponse(200, { date: 'Mon, 04 May 2026 10:00:00 GMT' }, '');
    const { context: one } = context([head]);
    const link = fn('create_sas_url');
    expect(await call(link, { ...one, sign: () => 'fake' }, BLOB)).toEqual({
      url: 'https://siestatest.blob.core.windows.net/reports/a/b.txt?sv=2025-11-05&spr=https&se=2026-05-04T10%3A15%3A00Z&sr=b&sp=r&sig=fake',
      expires_at: '2026-05-04T10:15:00Z',
    });
    expect(link.auth).toEqual(['connection_string']);
    const { context: unsigned } = context([head]);
    await expect(call(link, unsigned, BLOB)).rejects.toMatchObject({ code: 'forbidden_upstream' });
    const { context: away } = context([refusal(503, 'ServerBusy')]);
    await expect(call(link, { ...away, sign: () => 'fake' }, BLOB)).rejects.toMatchObject({
      code: 'upstream_unavailable',
      definite: true,
    });
  });
});

describe('signing in', () => {
  const check = (id: string, secret: Record<string, string>) => {
    const found = method(id);
    return found.kind === 'secret' || found.kind === 'minted' ? found.check?.(secret, CONFIG) : undefined;
  };

  it.each<[string, string, Record<string, string>, RegExp | undefined]>([
    ['a connection string', 'connection_string', { connection_string: CONNECTION_STRING }, undefined],
    [
      'one of another account',
      'connection_string',
      { connection_string: CONNECTION_STRING.replace('siestatest', 'other') },
      /account other/,
    ],
    [
      'one without a key',
      'connection_string',
      { connection_string: 'AccountName=siestatest' },
      /not a connection string/,
    ],
    ['a signature', 'sas', { sas_token: SAS }, undefined],
    ['a signature with a policy', 'sas', { sas_token: 'sv=2025-11-05&sr=c&si=readers&sig=fake' }, undefined],
    ['a whole address', 'sas', { sas_token: `${ACCOUNT_URL}/c${SAS}` }, /question mark/],
    ['another parameter', 'sas', { sas_token: `${SAS}&comp=list` }, /a field that none has/],
    ['a field twice', 'sas', { sas_token: `${SAS}&sp=rwd` }, /a field that none has/],
    ['no end', 'sas', { sas_token: 'sv=2025-11-05&sr=c&sp=r&sig=fake' }, /an end/],
    ['a signature for queues', 'sas', { sas_token: SAS.replace('ss=b', 'ss=q') }, /not for blobs/],
    [
      'an app',
      'client_credentials',
      { tenant_id: 'contoso.example', client_id: APP, client_secret: 'fake-secret-canary-1' },
      undefined,
    ],
    [
      'a tenant that is a path',
      'client_credentials',
      { tenant_id: 'a/../b', client_id: APP, client_secret: 'fake-secret-canary-1' },
      /tenant/,
    ],
    [
      'an app by name',
      'client_credentials',
      { tenant_id: 'contoso.example', client_id: 'reports', client_secret: 'fake-secret-canary-1' },
      /application ID/,
    ],
  ])('%s', (_, id, secret, problem) => {
    const found = check(id, secret);
    if (problem) expect(found).toMatch(problem);
    else expect(found).toBeUndefined();
    expect(found ?? '').not.toContain(KEY);
    expect(found ?? '').not.toContain('signature%3D');
  });

  it('a SAS goes onto the query, and onto the source of a copy in the same account', () => {
    const apply = withSecret(method('sas'), { sas_token: SAS }, CONFIG);
    const applied = apply({
      method: 'PUT',
      url: `${ACCOUNT_URL}/reports/copy.txt`,
      query: { comp: 'x' },
      headers: { 'x-ms-copy-source': `${ACCOUNT_URL}/reports/a.txt` },
    });
    expect(applied.query).toMatchObject({ comp: 'x', sp: 'rl', sig: 'fake+signature=' });
    const source = new URL(applied.headers?.['x-ms-copy-source'] ?? '');
    expect(source.searchParams.get('sig')).toBe('fake+signature=');
    expect(apply({ method: 'GET', url: ACCOUNT_URL }).headers).toBeUndefined();
  });

  it('an app asks Microsoft for a token of storage', () => {
    const app = method('client_credentials');
    if (app.kind !== 'minted') throw new Error('not minted');
    const secret = {
      tenant_id: 'contoso.example',
      client_id: APP,
      client_secret: 'fake-secret-canary-1',
    };
    expect(app.mint(secret, CONFIG, [], (_key, otherwise) => otherwise)).toEqual({
      grant: 'client_credentials',
      token: 'https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token',
      clientId: APP,
      clientSecret: 'fake-secret-canary-1',
      clientAuth: 'post',
      scopes: ['https://storage.azure.com/.default'],
    });
  });
});

describe('what is refused before anything is sent', () => {
  it.each<[string, string, Arguments, string]>([
    ['a folder ..', 'read_blob', { ...BLOB, name: 'a/../../other/b' }, '/name'],
    ['an encoded ..', 'read_blob', { ...BLOB, name: 'a/%2e%2e/b' }, '/name'],
    ['an encoded slash', 'delete_blob', { ...BLOB, name: 'a%252Fb' }, '/name'],
    ['a double slash', 'delete_blob', { ...BLOB, name: 'a//b' }, '/name'],
    ['a backslash', 'delete_blob', { ...BLOB, name: 'a\\b' }, '/name'],
    ['a line break', 'delete_blob', { ...BLOB, name: 'a\nb' }, '/name'],
    ['half a character', 'delete_blob', { ...BLOB, name: 'a\ud800' }, '/name'],
    ['a container of two letters', 'create_container', { container: 'ab' }, '/container'],
    ['a container with two hyphens', 'create_container', { container: 'a--b' }, '/container'],
    ['a container of 64 letters', 'create_container', { container: 'a'.repeat(64) }, '/container'],
    ['deleting the website', 'delete_container', { container: '$web' }, '/container'],
    ['a container that is a path', 'list_blobs', { container: '../x' }, '/container'],
    ['no content', 'upload_blob', BLOB, ''],
    ['content twice', 'upload_blob', { ...BLOB, content: 'x', file: 'file_1234567890' }, ''],
    ['an etag without overwrite', 'upload_blob', { ...BLOB, content: 'x', etag: '"0x1"' }, ''],
    [
      'a header in the type',
      'upload_blob',
      { ...BLOB, content: 'x', content_type: 'a/b\r\nx: y' },
      '/content_type',
    ],
    ['a header in metadata', 'set_metadata', { ...BLOB, metadata: { a: 'b\r\nx: y' } }, '/metadata/a'],
    ['our own mark', 'set_metadata', { ...BLOB, metadata: { siestaexecution: 'exe_1' } }, '/metadata'],
    ['XML in a tag', 'set_tags', { ...BLOB, tags: { a: '</Value>' } }, '/tags/a'],
    [
      'eleven tags',
      'set_tags',
      { ...BLOB, tags: Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`t${at}`, 'x'])) },
      '/tags',
    ],
    [
      'a source elsewhere',
      'copy_blob',
      { ...BLOB, source_url: 'https://evil.example/x' },
      '/source_container',
    ],
    ['a link of two hours', 'create_sas_url', { ...BLOB, minutes: 120 }, '/minutes'],
    ['501 blobs', 'list_blobs', { container: 'reports', max_results: 501 }, '/max_results'],
    ['11 MiB', 'read_blob', { ...BLOB, max_bytes: 11 * 1024 * 1024 }, '/max_bytes'],
  ])('%s', (_, name, args, path) => {
    const parsed = fn(name).input.parse(args);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.issues[0]?.path).toBe(path);
  });

  it('an etag of the caller’s own that is old: it was approved as it is, and no second look makes it newer', async () => {
    const args = { ...BLOB, content: 'x', overwrite: true, etag: '"0x1"' };
    const { context: looking } = context([
      upstreamResponse(200, { etag: '"0x2"' }, ''),
      refusal(404, 'BlobNotFound'),
    ]);
    const { observe } = fn('upload_blob');
    if (!observe || 'none' in observe) throw new Error('it is not observed');
    for (const version of ['"0x2"', '']) {
      const seen = await observe.read(looking, args);
      expect(seen).toMatchObject({ version });
      expect(seen).not.toHaveProperty('condition');
    }
    const { context: one, asked } = context([
      refusal(412, 'ConditionNotMet'),
      upstreamResponse(200, { etag: '"0x2"' }, ''),
    ]);
    await expect(call(fn('upload_blob'), one, args)).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
      status: 412,
    });
    expect(asked[0]?.headers).toMatchObject({ 'if-match': '"0x1"' });
  });
});

describe('the connector', () => {
  it.each([
    ['https://siestatest.blob.core.windows.net', true],
    ['https://siestatest.blob.core.windows.net/', true],
    ['https://siestatest.z12.blob.storage.azure.net', true],
    ['http://127.0.0.1:10000/devstoreaccount1', true],
    ['https://siestatest.blob.core.windows.net/reports', false],
    ['https://siestatest.blob.core.windows.net.evil.example', false],
    ['https://user@siestatest.blob.core.windows.net', false],
    ['https://siestatest.blob.core.windows.net?sig=x', false],
    ['https://siestatest.queue.core.windows.net', false],
    ['ftp://127.0.0.1/devstoreaccount1', false],
  ])('takes %s as an account: %s', (url, taken) => {
    expect(azureStorageConnector.config.safeParse({ account_url: url }).success).toBe(taken);
  });

  it('reaches its account and nothing else', () => {
    expect(azureStorageConnector.egress(CONFIG, ACCOUNT_URL)).toEqual([
      { origin: ACCOUNT_URL, pathPrefix: '/' },
    ]);
    expect(azureStorageConnector.egress({}, 'http://127.0.0.1:10000/devstoreaccount1')).toEqual([
      { origin: 'http://127.0.0.1:10000', pathPrefix: '/devstoreaccount1/' },
    ]);
  });

  it('names its account even where it may not list containers', async () => {
    const { context: narrow } = context([refusal(403, 'AuthorizationResourceTypeMismatch')]);
    expect(await azureStorageConnector.account?.(narrow)).toBe('siestatest');
    const { context: wrong } = context([refusal(403, 'AuthenticationFailed')]);
    await expect(azureStorageConnector.account?.(wrong)).rejects.toMatchObject({ code: 'needs_reauth' });
  });

  it('ships as the catalogue says', () => {
    const rows = functions.map(({ name, risk, approval }) => `${name} ${risk} ${approval}`);
    expect(rows).toEqual([
      'list_containers read auto',
      'list_blobs read auto',
      'get_blob_properties read auto',
      'read_blob read auto',
      'upload_blob write ask',
      'copy_blob write ask',
      'delete_blob destructive ask',
      'set_metadata write ask',
      'set_tags write ask',
      'create_container write ask',
      'delete_container destructive off',
      'create_sas_url destructive ask',
    ]);
    expect(functions.filter(({ risk, observe }) => risk !== 'read' && !observe)).toEqual([]);
    expect(functions.filter(({ askEveryTime }) => askEveryTime).map(({ name }) => name)).toEqual([
      'delete_blob',
      'delete_container',
      'create_sas_url',
    ]);
  });

  it('shows on the card what will happen', () => {
    expect(
      fn('upload_blob').card({
        ...BLOB,
        content: 'Hello',
        overwrite: true,
        metadata: { owner: 'ada', a: '1' },
      }),
    ).toEqual([
      { label: 'Container', value: 'reports', kind: 'short' },
      { label: 'Blob', value: 'a/b.txt', kind: 'short' },
      { label: 'If it exists', value: 'It is replaced', kind: 'short' },
      { label: 'Content', value: 'Hello', kind: 'long' },
      { label: 'Metadata', value: 'a: "1"\nowner: ada', kind: 'long' },
    ]);
    expect(fn('create_sas_url').card({ ...BLOB, minutes: 20 })).toContainEqual({
      label: 'For',
      value: '20 minutes',
      kind: 'short',
    });
    expect(fn('delete_blob').card({ ...BLOB, snapshots: 'only' })).toContainEqual({
      label: 'Deletes',
      value: 'Only its snapshots',
      kind: 'short',
    });
  });
});
