import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { firecrawlConnector } from '../../src/connectors/firecrawl/index.js';
import type { Arguments } from '../../src/connectors/framework.js';
import { type Answer, type Recorder, startRecorder } from '../contract/recorder.js';
import { call, callContext, functionNamed } from './call-context.js';

const functions = firecrawlConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);
const url = 'https://docs.siesta.example/';
const id = '0195f3a2-1b2c-7d3e-8f40-5a6b7c8d9e0f';

let firecrawl: Recorder;
beforeAll(async () => {
  firecrawl = await startRecorder();
});
afterAll(() => firecrawl.close());
beforeEach(() => {
  firecrawl.requests.length = 0;
});

function run(name: string, args: Arguments, answer: Answer) {
  firecrawl.answer = () => answer;
  return call(fn(name), callContext({ baseUrl: firecrawl.origin }), args);
}

describe('what comes back', () => {
  const page = {
    markdown: '# Menu',
    rawHtml: `<p>${'x'.repeat(100_000)}</p>`,
    links: ['https://docs.siesta.example/a'],
    screenshot: 'https://storage.example/shot.png',
    metadata: {
      title: ['Menu', 'Carta'],
      description: 'Of today',
      language: 'es',
      sourceURL: url,
      url: `${url}menu`,
      statusCode: 200,
    },
    warning: 'Cached',
  };

  it('is a page in the forms asked for, cut where it is long', async () => {
    expect(await run('scrape_url', { url }, { body: { success: true, data: page } })).toEqual({
      url: `${url}menu`,
      status: 200,
      title: 'Menu',
      description: 'Of today',
      language: 'es',
      markdown: '# Menu',
      raw_html: page.rawHtml.slice(0, 100_000),
      links: page.links,
      screenshot: page.screenshot,
      truncated: true,
      warning: 'Cached',
    });
  });

  it('is what a search found, source by source', async () => {
    const data = {
      web: [{ title: 'Siesta', url, description: 'Sleep', position: 1 }],
      news: [{ title: 'New hours', url, snippet: 'From May', date: '2 days ago' }],
    };
    const body = { success: true, data, creditsUsed: 2, warning: null };
    const args = { query: 'siesta', sources: ['web', 'news', 'images'] };
    expect(await run('search_web', args, { body })).toEqual({
      web: [{ title: 'Siesta', url, description: 'Sleep' }],
      news: [{ title: 'New hours', url, description: 'From May', date: '2 days ago' }],
      images: [],
      warning: null,
      credits_used: 2,
    });
  });

  it('is the map of a site, the state of an extraction, the credits that are left', async () => {
    expect(
      await run('map_site', { url }, { body: { success: true, links: [{ url, title: 'Docs' }] } }),
    ).toEqual({
      links: [{ url, title: 'Docs', description: '' }],
    });
    const extracted = { success: true, status: 'completed', data: { price: 12 }, tokensUsed: 300 };
    expect(await run('get_extract', { id }, { body: extracted })).toEqual({
      status: 'completed',
      data: { price: 12 },
      expires_at: null,
      tokens_used: 300,
    });
    const data = { remainingCredits: 1_000, planCredits: 500_000, billingPeriodStart: null };
    expect(await run('get_credit_usage', {}, { body: { success: true, data } })).toEqual({
      remaining_credits: 1_000,
      plan_credits: 500_000,
      billing_period_start: null,
      billing_period_end: null,
    });
  });

  it.each(['get_crawl', 'get_batch_scrape'])('%s gives the pages portion by portion', async (name) => {
    const next = `https://api.firecrawl.dev/v2/crawl/${id}?skip=25`;
    const state = {
      status: 'scraping',
      total: 40,
      completed: 25,
      creditsUsed: 25,
      expiresAt: '2026-09-01T00:00:00Z',
    };
    const data = [{ ...page, rawHtml: undefined }];
    expect(await run(name, { id, page_max_chars: 3 }, { body: { ...state, next, data } })).toEqual({
      status: 'scraping',
      total: 40,
      completed: 25,
      credits_used: 25,
      expires_at: '2026-09-01T00:00:00Z',
      pages: [expect.objectContaining({ url: `${url}menu`, markdown: '# M', truncated: true })],
      next_page_token: '25',
    });
    expect(await run(name, { id }, { body: { ...state, status: 'completed', data } })).toMatchObject({
      pages: [{ markdown: '# Menu', truncated: false }],
      next_page_token: null,
    });
  });

  it('is the job that was started', async () => {
    const started = { success: true, id, url: `https://api.firecrawl.dev/v2/crawl/${id}` };
    const jobs: readonly (readonly [string, Arguments])[] = [
      ['crawl_site', { url }],
      ['batch_scrape', { urls: [url] }],
      ['extract_data', { urls: [url], prompt: 'Prices' }],
    ];
    for (const [name, args] of jobs) expect(await run(name, args, { body: started })).toEqual({ id });
    expect(await run('cancel_crawl', { id }, { body: { status: 'cancelled' } })).toEqual({
      id,
      status: 'cancelled',
    });
  });
});

describe('what Firecrawl refuses', () => {
  it.each<[string, Answer, object]>([
    [
      'an unknown key',
      { status: 401, body: { success: false, error: 'Unauthorized: Invalid token' } },
      { code: 'needs_reauth', definite: true },
    ],
    [
      'a team without credits',
      { status: 402, body: { success: false, error: 'Payment Required: Insufficient credits' } },
      { code: 'upstream_rejected', definite: true, message: expect.stringContaining('Insufficient credits') },
    ],
    ['a key without the right', { status: 403, body: {} }, { code: 'forbidden_upstream', definite: true }],
    [
      'too many calls',
      { status: 429, headers: { 'retry-after': '12' }, body: { error: 'Rate limit exceeded' } },
      { code: 'rate_limited', definite: true, retryAfter: 12 },
    ],
    ['a page that is too slow', { status: 408, body: {} }, { code: 'upstream_unavailable', definite: false }],
    [
      'nothing: it fails',
      { status: 502, body: 'Bad Gateway' },
      { code: 'upstream_unavailable', definite: false },
    ],
    [
      'a call, with 200',
      { body: { success: false, error: 'URL is\nblocked' } },
      { code: 'upstream_rejected', definite: true, message: 'Firecrawl refused the call: URL is blocked' },
    ],
  ])('%s', async (_what, answer, error) => {
    await expect(run('crawl_site', { url }, answer)).rejects.toMatchObject(error);
    expect(firecrawl.requests).toHaveLength(1);
  });

  it('does not know what became of a job without a name', async () => {
    await expect(run('crawl_site', { url }, { body: { success: true } })).rejects.toMatchObject({
      definite: false,
    });
  });
});

describe('what is refused before anything is sent', () => {
  it.each<[string, string, Arguments, string]>([
    ['an address of the own network', 'scrape_url', { url: 'http://10.0.0.7/' }, '/url'],
    ['a file', 'map_site', { url: 'file:///etc/passwd' }, '/url'],
    ['an address that is none', 'crawl_site', { url: 'docs.siesta.example' }, '/url'],
    ['one of several', 'batch_scrape', { urls: [url, 'https://wiki.internal/'] }, '/urls/1'],
    ['one below a local name', 'extract_data', { urls: ['https://localhost/*'], prompt: 'x' }, '/urls/0'],
    ['101 pages of a site', 'crawl_site', { url, limit: 101 }, '/limit'],
    ['5,001 addresses', 'map_site', { url, limit: 5_001 }, '/limit'],
    ['101 addresses', 'batch_scrape', { urls: Array.from({ length: 101 }, (_, n) => `${url}${n}`) }, '/urls'],
    [
      '11 sources',
      'extract_data',
      { urls: Array.from({ length: 11 }, (_, n) => `${url}${n}`), prompt: 'x' },
      '/urls',
    ],
    ['an extraction of nothing', 'extract_data', { urls: [url] }, ''],
    [
      'a schema of more than 32 KiB',
      'extract_data',
      { urls: [url], schema: { description: 'x'.repeat(32_768) } },
      '/schema',
    ],
    ['a query of 501 characters', 'search_web', { query: 'x'.repeat(501) }, '/query'],
    ['more than five minutes', 'scrape_url', { url, timeout: 300_001 }, '/timeout'],
    ['a wait beyond the end', 'scrape_url', { url, timeout: 5_000, wait_for: 5_000 }, '/wait_for'],
    ['headers', 'scrape_url', { url, headers: { Cookie: 'a=b' } }, ''],
    ['actions in a browser', 'scrape_url', { url, actions: [{ type: 'click', selector: 'a' }] }, ''],
    ['a webhook', 'crawl_site', { url, webhook: { url } }, ''],
    ['a path for an id', 'get_crawl', { id: '../team/credit-usage' }, '/id'],
  ])('%s', (_what, name, args, path) => {
    expect(fn(name).input.parse(args)).toMatchObject({ ok: false, issues: [{ path }] });
  });
});

describe('what an approver reads', () => {
  it('is the site and how much of it', () => {
    const args = { url, limit: 50, max_depth: 2, exclude_paths: ['blog/.*'], location: { country: 'DE' } };
    const parsed = fn('crawl_site').input.parse(args);
    expect(parsed.ok && fn('crawl_site').card(parsed.value)).toEqual([
      { label: 'Site', value: url, kind: 'link' },
      { label: 'Pages', value: 'at most 50', kind: 'short' },
      { label: 'Depth', value: '2', kind: 'short' },
      { label: 'Without paths', value: 'blog/.*', kind: 'short' },
      { label: 'Formats', value: 'markdown', kind: 'short' },
      { label: 'As seen from', value: 'DE', kind: 'short' },
    ]);
  });

  it('is every address, and what the model is told', () => {
    expect(fn('batch_scrape').card({ urls: [url, `${url}b`] })[0]).toEqual({
      label: 'Pages',
      value: `${url}\n${url}b`,
      kind: 'long',
    });
    const schema = { properties: { price: { type: 'number' } } };
    expect(fn('extract_data').card({ urls: [url], prompt: 'Prices', schema })).toEqual([
      { label: 'Pages', value: url, kind: 'long' },
      { label: 'Prompt', value: 'Prices', kind: 'long' },
      { label: 'Schema', value: 'properties.price.type: number', kind: 'long' },
    ]);
  });

  it('is the state of the crawl that is to be stopped', async () => {
    const { observe } = fn('cancel_crawl');
    if (observe === undefined || 'none' in observe) throw new Error('nothing observed');
    firecrawl.answer = () => ({ body: { status: 'scraping', completed: 3 } });
    expect(await observe.read(callContext({ baseUrl: firecrawl.origin }), { id })).toEqual({
      fields: [
        { label: 'Job', value: id, kind: 'short' },
        { label: 'State', value: 'scraping', kind: 'short' },
      ],
      version: '',
    });
  });
});

describe('credits', () => {
  it('are spent after a question, or within a budget', () => {
    const free = ['cancel_crawl', 'get_batch_scrape', 'get_crawl', 'get_credit_usage', 'get_extract'];
    for (const { name, approval, budgetPerHour, risk, observe } of functions) {
      expect([approval, budgetPerHour], name).toEqual(
        free.includes(name) ? ['auto', undefined] : risk === 'read' ? ['auto', 60] : ['ask', undefined],
      );
      expect(observe !== undefined, name).toBe(risk !== 'read');
    }
  });

  it('are the key’s, which goes to Firecrawl alone', () => {
    const [method] = firecrawlConnector.auth;
    if (method?.kind !== 'secret') throw new Error('no secret');
    expect(method.check?.({ api_key: 'fc-fake-secret-canary-1' }, {})).toBeUndefined();
    expect(method.check?.({ api_key: 'with space' }, {})).toBe('That is not an API key of Firecrawl.');
    expect(firecrawlConnector.egress({}, 'https://api.firecrawl.dev')).toEqual([
      { origin: 'https://api.firecrawl.dev', pathPrefix: '/v2/' },
    ]);
  });
});
