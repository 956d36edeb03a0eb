/**
 * Every request of the Firecrawl connector, written out from reading the vendor's OpenAPI document of version 2
 * (firecrawl/firecrawl-docs, api-reference/v2-openapi.json, commit 2edce52b2325, 2026-08-21).
 */
import type { Arguments } from '../../src/connectors/framework.js';

export interface Expected {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: readonly (readonly [string, string])[];
  readonly body?: object;
}

export const JOB = '0195f3a2-1b2c-7d3e-8f40-5a6b7c8d9e0f';
const url = 'https://docs.siesta.example/start?lang=de#top';
const options = {
  formats: ['markdown', 'raw_html', 'screenshot'],
  only_main_content: false,
  include_tags: ['main'],
  exclude_tags: ['.ad', 'footer'],
  wait_for: 500,
  max_age: 0,
  location: { country: 'DE', languages: ['de-DE', 'en'] },
};
const scrapeOptions = {
  formats: [{ type: 'markdown' }, { type: 'rawHtml' }, { type: 'screenshot' }],
  onlyMainContent: false,
  includeTags: ['main'],
  excludeTags: ['.ad', 'footer'],
  waitFor: 500,
  maxAge: 0,
  location: { country: 'DE', languages: ['de-DE', 'en'] },
  skipTlsVerification: false,
};
const plainOptions = { formats: [{ type: 'markdown' }], onlyMainContent: true, skipTlsVerification: false };
const schema = { type: 'object', properties: { price: { type: 'number' } }, required: ['price'] };

export const requests: readonly (readonly [name: string, args: Arguments, expected: Expected])[] = [
  ['get_credit_usage', {}, { method: 'GET', path: '/v2/team/credit-usage' }],
  [
    'scrape_url',
    { url, ...options, timeout: 300_000 },
    { method: 'POST', path: '/v2/scrape', body: { url, ...scrapeOptions, timeout: 300_000 } },
  ],
  [
    'scrape_url',
    { url, formats: ['summary', 'html', 'links', 'images'] },
    {
      method: 'POST',
      path: '/v2/scrape',
      body: {
        url,
        ...plainOptions,
        formats: [{ type: 'summary' }, { type: 'html' }, { type: 'links' }, { type: 'images' }],
        timeout: 50_000,
      },
    },
  ],
  [
    'search_web',
    {
      query: 'siesta hours',
      limit: 100,
      sources: ['web', 'news', 'images'],
      tbs: 'sbd:1,qdr:w',
      location: 'Sevilla,Spain',
    },
    {
      method: 'POST',
      path: '/v2/search',
      body: {
        query: 'siesta hours',
        limit: 100,
        sources: [{ type: 'web' }, { type: 'news' }, { type: 'images' }],
        tbs: 'sbd:1,qdr:w',
        location: 'Sevilla,Spain',
        timeout: 50_000,
      },
    },
  ],
  [
    'map_site',
    {
      url,
      search: 'pricing',
      limit: 5_000,
      include_subdomains: false,
      sitemap: 'only',
      location: { country: 'ES' },
    },
    {
      method: 'POST',
      path: '/v2/map',
      body: {
        url,
        search: 'pricing',
        limit: 5_000,
        includeSubdomains: false,
        sitemap: 'only',
        location: { country: 'ES' },
        timeout: 50_000,
      },
    },
  ],
  [
    'crawl_site',
    { url, limit: 100, max_depth: 2, include_paths: ['docs/.*'], exclude_paths: ['blog/.*'], ...options },
    {
      method: 'POST',
      path: '/v2/crawl',
      body: {
        url,
        limit: 100,
        maxDiscoveryDepth: 2,
        includePaths: ['docs/.*'],
        excludePaths: ['blog/.*'],
        scrapeOptions,
      },
    },
  ],
  // A limit is always said: without one, Firecrawl reads 10,000 pages.
  [
    'crawl_site',
    { url },
    { method: 'POST', path: '/v2/crawl', body: { url, limit: 25, scrapeOptions: plainOptions } },
  ],
  [
    'get_crawl',
    { id: JOB, page_token: '25' },
    { method: 'GET', path: `/v2/crawl/${JOB}`, query: [['skip', '25']] },
  ],
  ['cancel_crawl', { id: JOB }, { method: 'DELETE', path: `/v2/crawl/${JOB}` }],
  [
    'batch_scrape',
    { urls: [url, 'http://example.com/'], ...options, timeout: 1_000 },
    {
      method: 'POST',
      path: '/v2/batch/scrape',
      body: {
        urls: [url, 'http://example.com/'],
        ignoreInvalidURLs: false,
        ...scrapeOptions,
        timeout: 1_000,
      },
    },
  ],
  ['get_batch_scrape', { id: JOB }, { method: 'GET', path: `/v2/batch/scrape/${JOB}` }],
  [
    'extract_data',
    { urls: ['https://shop.siesta.example/*'], prompt: 'What does it cost?', schema, show_sources: true },
    {
      method: 'POST',
      path: '/v2/extract',
      body: {
        urls: ['https://shop.siesta.example/*'],
        prompt: 'What does it cost?',
        schema,
        showSources: true,
        enableWebSearch: false,
        ignoreInvalidURLs: false,
      },
    },
  ],
  ['get_extract', { id: JOB }, { method: 'GET', path: `/v2/extract/${JOB}` }],
];
