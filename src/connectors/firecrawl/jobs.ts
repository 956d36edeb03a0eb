/** Firecrawl functions that start a job and look at it later. A job spends credits while it runs. */
import { z } from 'zod';
import { input, link, long, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { compact, type JsonObject, numberOf, objectsIn, textOf, textOrNull } from '../json.js';
import { readableLines } from '../lines.js';
import { publicUrl } from '../public-url.js';
import { callFirecrawl, nextPortion, startJob } from './api.js';
import { optionsCard, pageFields, pageOf, scrapeOptions, timeout } from './page.js';

/** Without a limit of its own, Firecrawl crawls 10,000 pages. */
const MOST_PAGES = 100;
const LONGEST_SCHEMA = 32 * 1_024;

const paths = z.array(z.string().min(1).max(500)).max(50);
const crawl = input(
  z.strictObject({
    url: publicUrl,
    limit: z.int().min(1).max(MOST_PAGES).default(25).describe(`How many pages, at most ${MOST_PAGES}.`),
    max_depth: z.exactOptional(z.int().min(0).max(20)).describe('How many links away from the first page.'),
    include_paths: z.exactOptional(paths).describe('Regular expressions; only paths that match are read.'),
    exclude_paths: z.exactOptional(paths).describe('Regular expressions; paths that match are left out.'),
    ...pageFields,
  }),
);
const urlsUpTo = (most: number) =>
  z
    .array(publicUrl)
    .min(1)
    .max(most)
    .refine((urls) => new Set(urls).size === urls.length, 'names an address twice');
const batch = input(
  z
    .strictObject({ urls: urlsUpTo(100), ...pageFields, timeout: timeout(60_000) })
    .refine(({ wait_for: wait = 0, timeout: most }) => wait < most, {
      path: ['wait_for'],
      message: 'must be shorter than the timeout',
    }),
);
const extract = input(
  z
    .strictObject({
      urls: urlsUpTo(10).describe('Addresses; one that ends with /* means the pages below it.'),
      prompt: z.exactOptional(z.string().min(1).max(10_000)).describe('What to look for, in words.'),
      schema: z
        .exactOptional(z.record(z.string(), z.json()))
        .refine(
          (schema) => schema === undefined || JSON.stringify(schema).length <= LONGEST_SCHEMA,
          `must not be longer than ${LONGEST_SCHEMA} characters`,
        )
        .describe('The JSON Schema of the answer.'),
      show_sources: z.boolean().default(false),
    })
    .refine(
      (given) => given.prompt !== undefined || given.schema !== undefined,
      'needs a prompt or a schema',
    ),
);
const jobId = z.uuid('is not the id of a job');
const job = input(z.strictObject({ id: jobId }));
const pages = input(
  z.strictObject({
    id: jobId,
    page_token: z.exactOptional(z.string().regex(/^\d{1,7}$/, 'is not a page token')),
    page_max_chars: z
      .int()
      .min(1)
      .max(100_000)
      .default(10_000)
      .describe('The text of each page is cut after so many characters.'),
  }),
);

const START = {
  risk: 'write',
  approval: 'ask',
  scopes: [],
  idempotency: 'none',
  output: '{id} of the job',
  observe: { none: 'It starts something new; there is no target yet.' },
} as const satisfies Partial<FunctionDefinition>;
const LOOK = {
  risk: 'read',
  approval: 'auto',
  scopes: [],
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;

const jobCard: FunctionDefinition['card'] = (args) => short('Job', textOf(args.id));

/** The state of a crawl or batch, and a portion of its pages. */
async function pagesOf(
  context: CallContext,
  path: string,
  args: ReturnType<typeof pages.read>,
): Promise<JsonObject> {
  const { id, page_token: skip, page_max_chars: longest } = args;
  const answer = await callFirecrawl(context, 'GET', `${path}/${id}`, { query: { skip } });
  return {
    status: textOf(answer.status),
    total: numberOf(answer.total),
    completed: numberOf(answer.completed),
    credits_used: numberOf(answer.creditsUsed),
    expires_at: textOrNull(answer.expiresAt),
    pages: objectsIn(answer.data).map((page) => pageOf(page, longest)),
    ...nextPortion(answer),
  };
}
const PAGES_OUTPUT =
  '{status: scraping | completed | failed | cancelled, total, completed, credits_used, expires_at, pages: [as scrape_url], next_page_token}';

export const jobFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...START,
    name: 'crawl_site',
    title: 'Read a web site',
    description: `Starts reading a page and those it links to, at most ${MOST_PAGES}. Costs credits for each.`,
    input: crawl.schema,
    card: (args) => {
      const given = crawl.read(args);
      return [
        ...link('Site', given.url),
        ...short('Pages', `at most ${given.limit}`),
        ...short('Depth', given.max_depth),
        ...short('Only paths', given.include_paths),
        ...short('Without paths', given.exclude_paths),
        ...optionsCard(given),
      ];
    },
    async run(context, args) {
      const { url, limit, max_depth, include_paths, exclude_paths, ...options } = crawl.read(args);
      const scope = compact({
        maxDiscoveryDepth: max_depth,
        includePaths: include_paths,
        excludePaths: exclude_paths,
      });
      return startJob(context, 'crawl', { url, limit, ...scope, scrapeOptions: scrapeOptions(options) });
    },
  }),
  defineFunction({
    ...LOOK,
    name: 'get_crawl',
    title: 'Look at a crawl',
    description: 'Tells how far a crawl is, and gives the pages it has read.',
    input: pages.schema,
    output: PAGES_OUTPUT,
    card: jobCard,
    run: (context, args) => pagesOf(context, 'crawl', pages.read(args)),
  }),
  defineFunction({
    ...LOOK,
    name: 'cancel_crawl',
    title: 'Stop a crawl',
    description: 'Stops a crawl. What was read so far stays, and was paid for.',
    risk: 'write',
    input: job.schema,
    output: '{id, status}',
    card: jobCard,
    observe: {
      condition: null,
      async read(context, args) {
        const { id } = job.read(args);
        const { status } = await callFirecrawl(context, 'GET', `crawl/${id}`);
        return { fields: [...short('Job', id), ...short('State', textOf(status))], version: '' };
      },
    },
    async run(context, args) {
      const { id } = job.read(args);
      const { status } = await callFirecrawl(context, 'DELETE', `crawl/${id}`);
      return { id, status: textOf(status) };
    },
  }),
  defineFunction({
    ...START,
    name: 'batch_scrape',
    title: 'Read several web pages',
    description: 'Starts reading up to 100 pages. Costs credits for each.',
    input: batch.schema,
    card: (args) => {
      const given = batch.read(args);
      const [only] = given.urls;
      const urls = given.urls.length === 1 ? link('Page', only) : long('Pages', given.urls.join('\n'));
      return [...urls, ...optionsCard(given)];
    },
    async run(context, args) {
      const { urls, ...options } = batch.read(args);
      return startJob(context, 'batch/scrape', {
        urls,
        ignoreInvalidURLs: false,
        ...scrapeOptions(options),
      });
    },
  }),
  defineFunction({
    ...LOOK,
    name: 'get_batch_scrape',
    title: 'Look at a batch of pages',
    description: 'Tells how far a batch is, and gives the pages it has read.',
    input: pages.schema,
    output: PAGES_OUTPUT,
    card: jobCard,
    run: (context, args) => pagesOf(context, 'batch/scrape', pages.read(args)),
  }),
  defineFunction({
    ...START,
    name: 'extract_data',
    title: 'Extract data from web pages',
    description:
      'Has a language model of Firecrawl read up to 10 addresses and answer in a given form. Costs credits.',
    input: extract.schema,
    card: (args) => {
      const { urls, prompt, schema } = extract.read(args);
      return [
        ...long('Pages', urls.join('\n')),
        ...long('Prompt', prompt),
        ...long('Schema', schema === undefined ? undefined : readableLines(schema).join('\n')),
      ];
    },
    async run(context, args) {
      const { show_sources: showSources, ...given } = extract.read(args);
      const json = { ...compact(given), showSources, enableWebSearch: false, ignoreInvalidURLs: false };
      return startJob(context, 'extract', json);
    },
  }),
  defineFunction({
    ...LOOK,
    name: 'get_extract',
    title: 'Look at an extraction',
    description: 'Tells how far an extraction is, and gives its answer.',
    input: job.schema,
    output:
      '{status: processing | completed | failed | cancelled, data, expires_at, tokens_used}; data is in the form asked for',
    card: jobCard,
    async run(context, args) {
      const answer = await callFirecrawl(context, 'GET', `extract/${job.read(args).id}`);
      return {
        status: textOf(answer.status),
        data: answer.data ?? null,
        expires_at: textOrNull(answer.expiresAt),
        tokens_used: numberOf(answer.tokensUsed),
      };
    },
  }),
];
