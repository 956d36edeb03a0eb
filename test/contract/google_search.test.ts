/**
 * Every call of ours against the same call through @googleapis/customsearch 7, field by field. For Vertex AI Search
 * no client is installed: its request is compared with `SearchRequest` of google.cloud.discoveryengine.v1
 * (search_service.proto, as in google-cloud-python, google-cloud-discoveryengine), written out here.
 */
import { readFileSync } from 'node:fs';
import { customsearch, type customsearch_v1 } from '@googleapis/customsearch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { googleSearchConnector } from '../../src/connectors/google_search/index.js';
import { call, callContext, functionNamed, withSecret } from '../connectors/call-context.js';
import { essence, type Recorder, startRecorder } from './recorder.js';

const KEY = 'fake-secret-canary-1';
const CUSTOM = { backend: 'custom_search', cx: '0123456789:engine' };
const VERTEX = {
  backend: 'vertex_ai_search',
  project: 'acme-search',
  location: 'eu',
  engine: 'site-search_1',
};

let recorder: Recorder;
beforeAll(async () => {
  recorder = await startRecorder();
});
afterAll(() => recorder.close());

function ours(name: string, config: Record<string, JsonValue>, args: Arguments) {
  const [, , apiKey] = googleSearchConnector.auth;
  if (!apiKey) throw new Error('no API key method');
  const context = callContext({
    baseUrl: recorder.origin,
    config,
    ...(config === CUSTOM && { authorize: withSecret(apiKey, { api_key: KEY }, config) }),
  });
  return recorder.during(() =>
    call(functionNamed(googleSearchConnector.functions(config), name), context, args),
  );
}

function theirs(params: customsearch_v1.Params$Resource$Cse$List) {
  const client = customsearch({ version: 'v1', auth: KEY });
  const options = { rootUrl: `${recorder.origin}/`, retry: false };
  return recorder.during(() => client.cse.list({ cx: CUSTOM.cx, ...params }, options));
}

const CASES: readonly (readonly [string, Arguments, customsearch_v1.Params$Resource$Cse$List])[] = [
  ['web_search', { q: 'siesta' }, { q: 'siesta', num: 10, start: 1, safe: 'active' }],
  [
    'web_search',
    {
      q: 'lunch & "sleep"',
      num: 5,
      start: 91,
      date_restrict: 'w2',
      site_search: 'example.com',
      site_search_filter: 'exclude',
      lr: 'lang_de',
      gl: 'de',
      hl: 'de',
      safe: 'off',
      sort: 'date',
      exact_terms: 'power nap',
      exclude_terms: 'coffee',
      file_type: 'pdf',
    },
    {
      q: 'lunch & "sleep"',
      num: 5,
      start: 91,
      dateRestrict: 'w2',
      siteSearch: 'example.com',
      siteSearchFilter: 'e',
      lr: 'lang_de',
      gl: 'de',
      hl: 'de',
      safe: 'off',
      sort: 'date',
      exactTerms: 'power nap',
      excludeTerms: 'coffee',
      fileType: 'pdf',
    },
  ],
  [
    'image_search',
    { q: 'hammock', size: 'large', type: 'photo', rights: ['cc_publicdomain', 'cc_attribute'] },
    {
      q: 'hammock',
      num: 10,
      start: 1,
      safe: 'active',
      searchType: 'image',
      imgSize: 'large',
      imgType: 'photo',
      rights: 'cc_publicdomain|cc_attribute',
    },
  ],
];

describe('a call of ours is the call of @googleapis/customsearch', () => {
  it.each(CASES)('%s %j', async (name, args, params) => {
    const sent = await ours(name, CUSTOM, args);
    const expected = await theirs(params);
    expect(expected).toHaveLength(1);
    expect(sent.map((request) => essence(request))).toEqual(expected.map((request) => essence(request)));
  });
});

describe('a call of Vertex AI Search is what its specification says', () => {
  const path =
    '/v1/projects/acme-search/locations/eu/collections/default_collection/engines/site-search_1/servingConfigs/default_search:search';
  const snippets = { contentSearchSpec: { snippetSpec: { returnSnippet: true } } };

  it.each([
    [{ q: 'siesta' }, { query: 'siesta', pageSize: 10, offset: 0, safeSearch: true, ...snippets }],
    [
      { q: 'siesta', num: 5, start: 11, gl: 'de', hl: 'de', safe: 'off' },
      {
        query: 'siesta',
        pageSize: 5,
        offset: 10,
        safeSearch: false,
        languageCode: 'de',
        params: { user_country_code: 'de' },
        ...snippets,
      },
    ],
  ])('%j', async (args, body) => {
    const sent = await ours('web_search', VERTEX, args);
    expect(sent.map((request) => essence(request))).toEqual([
      { method: 'POST', path, query: [], headers: {}, body },
    ]);
  });
});

describe('what was verified', () => {
  it('is written down', () => {
    const read = (file: string) =>
      JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as unknown;
    const verified = read('./verified/google_search.json') as {
      against: string;
      checked: string[];
      unchecked: object;
    };
    const { version } = read('../../node_modules/@googleapis/customsearch/package.json') as {
      version: string;
    };
    expect(verified.against).toBe(`@googleapis/customsearch ${version}`);
    expect([...verified.checked].sort()).toEqual([...new Set(CASES.map(([name]) => name))].sort());
    const names = googleSearchConnector.functions(CUSTOM).map(({ name }) => name);
    expect([...verified.checked, ...Object.keys(verified.unchecked)].sort()).toEqual(names.sort());
  });
});
