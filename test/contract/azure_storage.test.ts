/** The same call through @azure/storage-blob and through us: what both put on the wire, signature included. */
import {
  BlobSASPermissions,
  BlobServiceClient,
  generateBlobSASQueryParameters,
  newPipeline,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_VERSION } from '../../src/connectors/azure_storage/api.js';
import { azureStorageConnector } from '../../src/connectors/azure_storage/index.js';
import type { Arguments, JsonValue, UpstreamRequest } from '../../src/connectors/framework.js';
import { createOutbound, type Outbound } from '../../src/net/safe-fetch.js';
import { call, callContext, functionNamed, MemoryFiles, withSecret } from '../connectors/call-context.js';
import { essence, type Recorded, type Recorder, startRecorder } from './recorder.js';
import verified from './verified/azure_storage.json' with { type: 'json' };

const ACCOUNT = 'siestatest';
const KEY = Buffer.from('fake-account-key-canary-1').toString('base64');
const EXECUTION = 'exe_contract_1';
const ETAG = '"0x8DCFAKE"';
const DATE = 'Mon, 04 May 2026 10:00:00 GMT';
const NAME = "folder one/ä+b & 'x' (1).txt";

const functions = azureStorageConnector.functions({});
const checked: string[] = [];
let recorder: Recorder;
let outbound: Outbound;
let service: BlobServiceClient;
const files = new MemoryFiles();

beforeAll(async () => {
  recorder = await startRecorder();
  outbound = createOutbound({ allowPrivate: [new URL(recorder.origin).host] });
  recorder.answer = answer;
  const pipeline = newPipeline(new StorageSharedKeyCredential(ACCOUNT, KEY), {
    retryOptions: { maxTries: 1 },
  });
  // Version and request id are ours to choose; they are signed, so both sides have to say the same.
  pipeline.factories.push({
    create: (next) => ({
      sendRequest(request) {
        request.headers.set('x-ms-version', API_VERSION);
        request.headers.set('x-ms-client-request-id', EXECUTION);
        return next.sendRequest(request);
      },
    }),
  });
  service = new BlobServiceClient(accountUrl(), pipeline);
});
afterAll(async () => {
  await outbound.close();
  await recorder.close();
});

function accountUrl(): string {
  return `${recorder.origin}/${ACCOUNT}`;
}

/** Just enough for either side to go on. */
function answer({ method, query, headers: asked }: Recorded) {
  const names = new Map(query);
  const headers = {
    date: DATE,
    etag: ETAG,
    'last-modified': DATE,
    'x-ms-copy-id': 'fake',
    'x-ms-copy-status': 'success',
  };
  if (names.get('comp') === 'list') {
    const members = names.has('restype') ? '<Blobs/>' : '<Containers/>';
    const body = `<?xml version="1.0"?><EnumerationResults>${members}<NextMarker/></EnumerationResults>`;
    return { headers: { ...headers, 'content-type': 'application/xml' }, body };
  }
  const put = names.get('comp') === 'metadata' ? 200 : names.get('comp') === 'tags' ? 204 : 201;
  const accepted = method === 'DELETE' || asked['x-ms-copy-source'] !== undefined;
  const status = accepted
    ? 202
    : method === 'PUT'
      ? put
      : method === 'GET' && asked['x-ms-range']
        ? 206
        : 200;
  if (method !== 'GET') return { status, headers, body: '' };
  return { status, headers: { ...headers, 'content-length': '4' }, body: 'text' };
}

/** What we send, at the second in which the client did. */
async function ours(name: string, args: Arguments, at: string, condition?: string): Promise<JsonValue> {
  const config = { account_url: accountUrl() };
  const auth = azureStorageConnector.auth.find(({ id }) => id === 'connection_string');
  if (auth?.kind !== 'secret') throw new Error('not a secret');
  const secret = { connection_string: `AccountName=${ACCOUNT};AccountKey=${KEY}` };
  const apply = withSecret(auth, secret, config, new Date(at));
  const allow = azureStorageConnector.egress(config, accountUrl());
  const context = {
    ...callContext({
      config,
      baseUrl: accountUrl(),
      executionId: EXECUTION,
      files,
      sign: (text) => auth.sign?.(text, secret) ?? '',
      ...(condition === undefined ? {} : { condition }),
    }),
    fetch: (request: UpstreamRequest) => outbound.send(apply(request), { allow }),
  };
  return call(functionNamed(functions, name), context, args);
}

const blob = (name = NAME) => service.getContainerClient('reports').getBlockBlobClient(name);
const SIGNED = [
  'authorization',
  'x-ms-date',
  'x-ms-version',
  'if-match',
  'if-none-match',
  'range',
  'content-length',
  'content-type',
  'content-md5',
  'x-ms-range',
];
const ATTRIBUTES = [
  'x-ms-blob-type',
  'x-ms-blob-content-type',
  'x-ms-meta-a_b',
  'x-ms-meta-a1',
  'x-ms-meta-siestaexecution',
];
const SPECIAL = ['x-ms-copy-source', 'x-ms-source-if-match', 'x-ms-delete-snapshots'];

interface Case {
  readonly name: string;
  readonly args: Arguments;
  readonly condition?: string;
  readonly theirs: () => Promise<unknown>;
}

const at = { container: 'reports', name: NAME };
const marker = { siestaexecution: EXECUTION };
const cases: Case[] = [
  {
    name: 'list_containers',
    args: { prefix: 'a b+c', max_results: 7, page_token: 'next/1=' },
    theirs: () =>
      service
        .listContainers({ prefix: 'a b+c' })
        .byPage({ maxPageSize: 7, continuationToken: 'next/1=' })
        .next(),
  },
  {
    name: 'list_blobs',
    args: { container: 'reports', prefix: 'ä & b/', delimiter: '/', max_results: 9 },
    theirs: () =>
      service
        .getContainerClient('reports')
        .listBlobsByHierarchy('/', { prefix: 'ä & b/' })
        .byPage({ maxPageSize: 9 })
        .next(),
  },
  {
    name: 'list_blobs',
    args: { container: 'reports', max_results: 9 },
    theirs: () => service.getContainerClient('reports').listBlobsFlat().byPage({ maxPageSize: 9 }).next(),
  },
  { name: 'get_blob_properties', args: at, theirs: () => blob().getProperties() },
  {
    name: 'read_blob',
    args: { ...at, offset: 10, max_bytes: 100 },
    theirs: () => blob().download(10, 100),
  },
  {
    name: 'upload_blob',
    args: { ...at, content: 'Grüße', content_type: 'text/markdown', metadata: { a_b: '1', a1: '2  3' } },
    theirs: () =>
      blob().upload('Grüße', 7, {
        blobHTTPHeaders: { blobContentType: 'text/markdown' },
        conditions: { ifNoneMatch: '*' },
        metadata: { a_b: '1', a1: '2  3', ...marker },
      }),
  },
  {
    name: 'upload_blob',
    args: { ...at, content: '', overwrite: true },
    condition: ETAG,
    theirs: () =>
      blob().upload('', 0, {
        blobHTTPHeaders: { blobContentType: 'text/plain; charset=utf-8' },
        conditions: { ifMatch: ETAG },
        metadata: marker,
      }),
  },
  {
    name: 'set_metadata',
    args: { ...at, metadata: { a_b: '1', a1: '2' } },
    condition: ETAG,
    theirs: () => blob().setMetadata({ a_b: '1', a1: '2' }, { conditions: { ifMatch: ETAG } }),
  },
  {
    name: 'set_tags',
    args: { ...at, tags: { project: 'one/two: a+b' } },
    theirs: () => blob().setTags({ project: 'one/two: a+b' }),
  },
  {
    name: 'copy_blob',
    args: { source_container: 'reports', source_name: NAME, container: 'reports', name: 'copy.txt' },
    condition: `${ETAG} absent`,
    theirs: () =>
      blob('copy.txt').beginCopyFromURL(blob().url, {
        conditions: { ifNoneMatch: '*' },
        sourceConditions: { ifMatch: ETAG },
      }),
  },
  {
    name: 'delete_blob',
    args: { ...at, snapshots: 'include' },
    condition: ETAG,
    theirs: () => blob().delete({ deleteSnapshots: 'include', conditions: { ifMatch: ETAG } }),
  },
  {
    name: 'create_container',
    args: { container: 'reports' },
    theirs: () => service.getContainerClient('reports').create({ metadata: marker }),
  },
  {
    name: 'delete_container',
    args: { container: 'reports' },
    theirs: () => service.getContainerClient('reports').delete(),
  },
];

describe('as @azure/storage-blob sends it, signed with the same key in the same second', () => {
  it.each(cases)('$name', async ({ name, args, condition, theirs }) => {
    const [expected] = await recorder.during(theirs);
    const date = expected?.headers['x-ms-date'] ?? '';
    const [sent] = await recorder.during(() => ours(name, args, date, condition));
    const comparison = {
      headers: [...SIGNED, ...ATTRIBUTES, ...SPECIAL],
      body: ({ body }: Recorded) => body.toString('utf8'),
    };
    expect(expected?.headers.authorization).toMatch(/^SharedKey siestatest:/);
    expect(essence(sent, comparison)).toEqual(essence(expected, comparison));
    checked.push(name);
  });
});

describe('a link as @azure/storage-blob signs it', () => {
  it('create_sas_url', async () => {
    const result = await ours('create_sas_url', { ...at, minutes: 30 }, DATE);
    const query = generateBlobSASQueryParameters(
      {
        containerName: 'reports',
        blobName: NAME,
        permissions: BlobSASPermissions.parse('r'),
        expiresOn: new Date(Date.parse(DATE) + 30 * 60_000),
        protocol: SASProtocol.HttpsAndHttp,
        version: API_VERSION,
      },
      new StorageSharedKeyCredential(ACCOUNT, KEY),
    );
    const expected = new URL(`${blob().url}?${query}`);
    const given = new URL(
      String(typeof result === 'object' && result !== null && 'url' in result ? result.url : ''),
    );
    expect(given.pathname).toBe(expected.pathname);
    expect([...given.searchParams].sort()).toEqual([...expected.searchParams].sort());
    checked.push('create_sas_url');
  });
});

describe('the list of what is verified', () => {
  it('says what was compared here, and names every function', () => {
    expect([...new Set(checked)].sort()).toEqual([...verified.checked].sort());
    const named = [...verified.checked, ...Object.keys(verified.unchecked)].sort();
    expect(named).toEqual(functions.map(({ name }) => name).sort());
  });
});
