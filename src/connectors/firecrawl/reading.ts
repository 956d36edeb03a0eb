/** Firecrawl functions that answer at once: a page, a search, the map of a site. */
import { z } from 'zod';
import { input, link, oneLine, short } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { publicUrl } from '../public-url.js';
import { callFirecrawl } from './api.js';
import { location, pageFields, pageOf, scrapeOptions, timeout } from './page.js';

/** One call has 60 seconds in all (shared/CONNECTORS.md, 5.1): the page has to be there before they are over. */
const SOON = 50_000;
const LONGEST_TEXT = 100_000;

const page = input(
  z
    .strictObject({
      url: publicUrl,
      ...pageFields,
      timeout: timeout(SOON).describe(
        'Milliseconds for the page. A call has a minute in all; batch_scrape can wait longer.',
      ),
    })
    .refine(({ wait_for: wait = 0, timeout: most }) => wait < most, {
      path: ['wait_for'],
      message: 'must be shorter than the timeout',
    }),
);
const search = input(
  z.strictObject({
    query: z.string().min(1).max(500),
    limit: z.int().min(1).max(100).default(10).describe('How many of each source, at most 100.'),
    sources: z
      .array(z.enum(['web', 'news', 'images']))
      .min(1)
      .max(3)
      .refine((given) => new Set(given).size === given.length, 'names a source twice')
      .default(['web']),
    tbs: z
      .exactOptional(z.string().regex(/^[\w:,/.-]{1,100}$/))
      .describe('How recent: qdr:d (a day), qdr:w, qdr:m, qdr:y; sbd:1 sorts by date.'),
    location: z.exactOptional(oneLine(200)).describe('Where one searches from: Berlin,Germany'),
  }),
);
const map = input(
  z.strictObject({
    url: publicUrl,
    search: z.exactOptional(oneLine(500)).describe('What fits this comes first.'),
    limit: z.int().min(1).max(5_000).default(500).describe('How many addresses, at most 5,000.'),
    include_subdomains: z.boolean().default(true),
    sitemap: z.enum(['include', 'skip', 'only']).default('include'),
    location: z.exactOptional(location),
  }),
);
const nothing = input(z.strictObject({}));

const READ = {
  risk: 'read',
  approval: 'auto',
  scopes: [],
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;
const COSTS = { ...READ, budgetPerHour: 60 } as const;

export const readingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'get_credit_usage',
    title: 'Show credits',
    description: 'Tells how many credits are left. Costs none.',
    input: nothing.schema,
    output: '{remaining_credits, plan_credits, billing_period_start, billing_period_end}',
    card: () => [],
    async run(context) {
      const data = objectOf((await callFirecrawl(context, 'GET', 'team/credit-usage')).data);
      return {
        remaining_credits: numberOf(data.remainingCredits),
        plan_credits: numberOf(data.planCredits),
        billing_period_start: textOrNull(data.billingPeriodStart),
        billing_period_end: textOrNull(data.billingPeriodEnd),
      };
    },
  }),
  defineFunction({
    ...COSTS,
    name: 'scrape_url',
    title: 'Read a web page',
    description: 'Reads one page of the public web as Markdown or in other forms. Costs credits.',
    input: page.schema,
    output:
      '{url, status, title, description, language, markdown, summary, html, raw_html, links, images, screenshot, truncated, warning}; of the forms, those that were asked for',
    card: (args) => link('Page', page.read(args).url),
    async run(context, args) {
      const { url, ...options } = page.read(args);
      const json = { url, ...scrapeOptions(options) };
      return pageOf(objectOf((await callFirecrawl(context, 'POST', 'scrape', { json })).data), LONGEST_TEXT);
    },
  }),
  defineFunction({
    ...COSTS,
    name: 'search_web',
    title: 'Search the web',
    description: 'Searches the public web, its news or its images. Costs credits.',
    input: search.schema,
    output:
      '{web: [{title, url, description}], news: [{title, url, description, date}], images: [{title, url, image_url}], warning, credits_used}; of the sources, those that were asked for',
    card: (args) => short('Search', search.read(args).query),
    async run(context, args) {
      const { sources, ...query } = search.read(args);
      const json = { ...query, sources: sources.map((type) => ({ type })), timeout: SOON };
      const answer = await callFirecrawl(context, 'POST', 'search', { json });
      const data = objectOf(answer.data);
      const found = sources.map((source) => [source, objectsIn(data[source]).map(FOUND[source])]);
      const end = { warning: textOrNull(answer.warning), credits_used: numberOf(answer.creditsUsed) };
      return { ...Object.fromEntries(found), ...end };
    },
  }),
  defineFunction({
    ...COSTS,
    name: 'map_site',
    title: 'List the pages of a site',
    description:
      'Lists the addresses of a web site, on request those first that fit a search. Costs credits.',
    input: map.schema,
    output: '{links: [{url, title, description}]}',
    card: (args) => link('Site', map.read(args).url),
    async run(context, args) {
      const { include_subdomains: includeSubdomains, ...query } = map.read(args);
      const json = { ...query, includeSubdomains, timeout: SOON };
      const { links } = await callFirecrawl(context, 'POST', 'map', { json });
      return { links: objectsIn(links).map(linkOf) };
    },
  }),
];

function linkOf(result: JsonObject): JsonObject {
  const { title, url, description } = result;
  return { title: textOf(title), url: textOf(url), description: textOf(description) };
}

const FOUND = {
  web: linkOf,
  news: (result: JsonObject): JsonObject => ({
    ...linkOf({ ...result, description: result.snippet ?? '' }),
    date: textOrNull(result.date),
  }),
  images: ({ title, url, imageUrl }: JsonObject): JsonObject => ({
    title: textOf(title),
    url: textOf(url),
    image_url: textOf(imageUrl),
  }),
};
