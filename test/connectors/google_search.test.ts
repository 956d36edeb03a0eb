import { describe, expect, it } from 'vitest';
import type {
  Arguments,
  JsonValue,
  UpstreamRequest,
  UpstreamResponse,
} from '../../src/connectors/framework.js';
import { googleSearchConnector } from '../../src/connectors/google_search/index.js';
import { call, callContext, functionNamed, withSecret } from './call-context.js';
import { json, refusal } from './drive-tree.js';

const CUSTOM = { backend: 'custom_search', cx: '0123456789:engine' };
const VERTEX = { backend: 'vertex_ai_search', project: 'acme-search', engine: 'site-search_1' };

function run(
  name: string,
  config: Record<string, JsonValue>,
  args: Arguments,
  answer: UpstreamResponse,
  seen: UpstreamRequest[] = [],
): Promise<JsonValue> {
  const context = {
    ...callContext({ baseUrl: 'https://search.test', config }),
    fetch: async (request: UpstreamRequest) => {
      seen.push(request);
      return answer;
    },
  };
  return call(functionNamed(googleSearchConnector.functions(config), name), context, args);
}

const page = {
  title: 'Siesta - Wikipedia',
  link: 'https://en.wikipedia.org/wiki/Siesta',
  displayLink: 'en.wikipedia.org',
  snippet: 'A short nap.',
};
const result = {
  title: page.title,
  link: page.link,
  display_link: page.displayLink,
  snippet: page.snippet,
  mime_type: null,
};

describe('one function, two back ends', () => {
  it('web_search answers alike from Custom Search', async () => {
    const answer = {
      searchInformation: { totalResults: '1230' },
      queries: { nextPage: [{ startIndex: 11 }] },
      items: [{ ...page, htmlTitle: '<b>Siesta</b>', pagemap: {} }],
    };
    expect(await run('web_search', CUSTOM, { q: 'siesta' }, json(200, answer))).toEqual({
      results: [result],
      total_results: 1230,
      next_start: 11,
    });
    const last = { ...answer, queries: { nextPage: [{ startIndex: 101 }] } };
    expect(await run('web_search', CUSTOM, { q: 'siesta', start: 91 }, json(200, last))).toMatchObject({
      next_start: null,
    });
  });

  it('and from Vertex AI Search', async () => {
    const document = {
      name: 'projects/1/…/documents/0',
      derivedStructData: {
        ...page,
        snippets: [{ snippet: 'A short <b>nap</b>.', snippet_status: 'SUCCESS' }],
      },
    };
    const answer = { results: [{ id: '0', document }], totalSize: 1230, nextPageToken: 'next' };
    expect(await run('web_search', VERTEX, { q: 'siesta' }, json(200, answer))).toEqual({
      results: [result],
      total_results: 1230,
      next_start: 11,
    });
    expect(await run('web_search', VERTEX, { q: 'siesta' }, json(200, {}))).toEqual({
      results: [],
      total_results: null,
      next_start: null,
    });
  });

  it('a document of an own data store has its words in its own data', async () => {
    const none = [
      { snippet: 'No snippet is available for this page.', snippet_status: 'NO_SNIPPET_AVAILABLE' },
    ];
    const document = {
      structData: { title: 'Handbook', uri: 'https://intra.siesta.example/handbook' },
      derivedStructData: { snippets: none },
    };
    expect(await run('web_search', VERTEX, { q: 'x' }, json(200, { results: [{ document }] }))).toMatchObject(
      {
        results: [{ title: 'Handbook', display_link: 'intra.siesta.example', snippet: '' }],
      },
    );
  });

  it('shows callers the same parameters, and refuses with a reason what one lacks', () => {
    const [custom] = googleSearchConnector.functions(CUSTOM);
    const [vertex] = googleSearchConnector.functions(VERTEX);
    expect(vertex?.input.jsonSchema).toEqual(custom?.input.jsonSchema);
    const lacking = {
      date_restrict: 'd1',
      site_search: 'a.example',
      site_search_filter: 'include',
      lr: 'lang_de',
      sort: 'date',
      exact_terms: 'a',
      exclude_terms: 'a',
      file_type: 'pdf',
    };
    expect(custom?.input.parse({ q: 'a', ...lacking }).ok).toBe(true);
    const refused = vertex?.input.parse({ q: 'a', ...lacking });
    if (!refused || refused.ok) throw new Error('accepted');
    expect(refused.issues.map(({ path }) => path)).toEqual(Object.keys(lacking).map((name) => `/${name}`));
    expect(refused.issues[0]?.message).toMatch(/Vertex AI Search/);
  });

  it('images are a matter of Custom Search alone', async () => {
    const names = (config: Record<string, JsonValue>) =>
      googleSearchConnector.functions(config).map(({ name, auth }) => [name, auth]);
    expect(names(VERTEX)).toEqual([['web_search', ['oauth', 'service_account_key']]]);
    expect(names(CUSTOM)).toEqual([
      ['web_search', ['api_key']],
      ['image_search', ['api_key']],
    ]);
    const image = {
      contextLink: 'https://a.example',
      thumbnailLink: 'https://t.example',
      width: 2,
      height: 1,
      byteSize: 9,
    };
    const found = await run(
      'image_search',
      CUSTOM,
      { q: 'hammock' },
      json(200, { items: [{ ...page, mime: 'image/png', image }] }),
    );
    expect(found).toMatchObject({
      results: [
        { mime_type: 'image/png', context_link: 'https://a.example', width: 2, height: 1, byte_size: 9 },
      ],
    });
  });
});

describe('what is refused before anything is sent', () => {
  it.each([
    ['a query above 2,048 characters', { q: 'x'.repeat(2_049) }, '/q'],
    ['11 results', { q: 'a', num: 11 }, '/num'],
    ['beyond the 100th result', { q: 'a', start: 92 }, '/start'],
    ['no period', { q: 'a', date_restrict: 'h1' }, '/date_restrict'],
    ['a filter without a site', { q: 'a', site_search_filter: 'exclude' }, '/site_search_filter'],
    ['another engine', { q: 'a', cx: 'theirs' }, ''],
  ])('%s', (_, args, path) => {
    const [fn] = googleSearchConnector.functions(CUSTOM);
    expect(fn?.input.parse(args)).toMatchObject({ ok: false, issues: [{ path }] });
  });
});

describe('what Google says', () => {
  it.each([
    [refusal(400, 'badRequest', 'API key not valid.'), 'upstream_rejected'],
    [
      json(400, {
        error: { code: 400, message: 'API key not valid.', details: [{ reason: 'API_KEY_INVALID' }] },
      }),
      'needs_reauth',
    ],
    [
      refusal(403, 'forbidden', 'This project does not have the access to Custom Search JSON API.'),
      'forbidden_upstream',
    ],
    [refusal(429, 'rateLimitExceeded', 'Quota exceeded.'), 'rate_limited'],
    [json(410, {}), 'upstream_rejected'],
  ])('%#', async (answer, code) => {
    await expect(run('web_search', CUSTOM, { q: 'a' }, answer)).rejects.toMatchObject({
      code,
      definite: true,
    });
  });
});

describe('the connector', () => {
  const baseUrl = (config: Record<string, JsonValue>) => {
    const { baseUrl: named } = googleSearchConnector;
    if (typeof named !== 'function') throw new Error('one base URL for both');
    return named(config, 'oauth');
  };

  it('reaches one search engine or one search app', () => {
    expect(baseUrl(CUSTOM)).toBe('https://customsearch.googleapis.com');
    expect(baseUrl(VERTEX)).toBe('https://discoveryengine.googleapis.com');
    expect(baseUrl({ ...VERTEX, location: 'eu' })).toBe('https://eu-discoveryengine.googleapis.com');
    expect(googleSearchConnector.egress(CUSTOM, baseUrl(CUSTOM))).toEqual([
      { origin: 'https://customsearch.googleapis.com', pathPrefix: '/customsearch/v1' },
    ]);
    expect(googleSearchConnector.egress(VERTEX, baseUrl(VERTEX))).toEqual([
      {
        origin: 'https://discoveryengine.googleapis.com',
        pathPrefix:
          '/v1/projects/acme-search/locations/global/collections/default_collection/engines/site-search_1',
      },
    ]);
  });

  it('puts the key on the request, and nowhere else', async () => {
    const [, , apiKey] = googleSearchConnector.auth;
    if (!apiKey) throw new Error('no API key method');
    const seen: UpstreamRequest[] = [];
    await run('web_search', CUSTOM, { q: 'a' }, json(200, {}), seen);
    const [request] = seen;
    if (!request) throw new Error('nothing was sent');
    const authorize = withSecret(apiKey, { api_key: 'fake-secret-canary-1' }, CUSTOM);
    expect(authorize(request)).toEqual({
      ...request,
      query: { ...request.query, key: 'fake-secret-canary-1' },
    });
  });

  it.each([
    [{ backend: 'custom_search' }, 'cx'],
    [{ backend: 'vertex_ai_search', project: 'acme' }, 'search app'],
    [{ backend: 'vertex_ai_search', engine: 'a' }, 'project'],
  ])('asks for what a back end needs: %j', (config, word) => {
    const parsed = googleSearchConnector.config.safeParse(config);
    expect(parsed.error?.issues[0]).toMatchObject({
      path: ['backend'],
      message: expect.stringContaining(word),
    });
  });

  it('takes what it needs, and no path', () => {
    expect(googleSearchConnector.config.safeParse(CUSTOM).success).toBe(true);
    expect(googleSearchConnector.config.safeParse(VERTEX).success).toBe(true);
    expect(googleSearchConnector.config.safeParse({ ...VERTEX, engine: '../x' }).success).toBe(false);
    expect(googleSearchConnector.config.safeParse({ ...VERTEX, project: 'a/b' }).success).toBe(false);
  });

  it('tells the truth about the end of Custom Search', () => {
    expect(googleSearchConnector.notice).toMatch(/closed .* to new customers/);
    expect(googleSearchConnector.notice).toMatch(/1 January 2027/);
    expect(googleSearchConnector.fields[0]).toMatchObject({ name: 'backend', initial: 'vertex_ai_search' });
  });

  it('knows what it searches', async () => {
    const account = async (config: Record<string, JsonValue>, answer: UpstreamResponse) =>
      googleSearchConnector.account?.({ ...callContext({ config }), fetch: async () => answer });
    expect(await account(CUSTOM, json(200, { context: { title: 'Handbooks' } }))).toBe('Handbooks');
    expect(await account(VERTEX, json(200, { displayName: 'Site search' }))).toBe('Site search');
  });
});
