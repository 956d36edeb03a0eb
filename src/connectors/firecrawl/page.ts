/** How a page is asked for, and how one comes back. Not exposed: actions, headers, proxies (shared/CONNECTORS.md, 4.11). */
import { z } from 'zod';
import { short } from '../fields.js';
import type { CardField } from '../framework.js';
import { compact, type JsonObject, numberOf, objectOf, textOf, textOrNull, textsIn } from '../json.js';

/** Ours and Firecrawl's names of the forms that a page can be given in. */
const FORMATS = {
  markdown: 'markdown',
  summary: 'summary',
  html: 'html',
  raw_html: 'rawHtml',
  links: 'links',
  images: 'images',
  screenshot: 'screenshot',
} as const;
type Format = keyof typeof FORMATS;
const TEXTS = ['markdown', 'summary', 'html', 'raw_html'] as const satisfies readonly Format[];
const MOST_LINKS = 1_000;

const tags = z.array(z.string().min(1).max(200)).max(50);
export const location = z.strictObject({
  country: z.string().regex(/^[A-Z]{2}$/, 'is not a country code such as DE'),
  languages: z.exactOptional(z.array(z.string().regex(/^[A-Za-z0-9-]{2,35}$/)).max(10)),
});
export const formats = z
  .array(z.enum(['markdown', 'summary', 'html', 'raw_html', 'links', 'images', 'screenshot']))
  .min(1)
  .max(7)
  .refine((given) => new Set(given).size === given.length, 'names a format twice')
  .default(['markdown']);

/** What every function that reads pages takes. */
export const pageFields = {
  formats,
  only_main_content: z.boolean().default(true).describe('Without menus, headers and footers.'),
  include_tags: z.exactOptional(tags).describe('CSS selectors of what is kept.'),
  exclude_tags: z.exactOptional(tags).describe('CSS selectors of what is left out.'),
  wait_for: z.exactOptional(z.int().min(0).max(60_000)).describe('Milliseconds before the page is read.'),
  max_age: z
    .exactOptional(z.int().min(0).max(31_536_000_000))
    .describe('Milliseconds; a copy that is younger is taken. 0: always a new one.'),
  location: z.exactOptional(location),
};

/** Milliseconds; the limits of the API. */
export function timeout(initial: number) {
  return z.int().min(1_000).max(300_000).default(initial);
}

export interface PageOptions {
  readonly formats: readonly Format[];
  readonly only_main_content: boolean;
  readonly include_tags?: string[];
  readonly exclude_tags?: string[];
  readonly wait_for?: number;
  readonly max_age?: number;
  readonly location?: { country: string; languages?: string[] };
  readonly timeout?: number;
}

/** `ScrapeOptions` of the API. Certificates are checked, which Firecrawl leaves out unless asked. */
export function scrapeOptions(options: PageOptions): JsonObject {
  return compact({
    formats: options.formats.map((format) => ({ type: FORMATS[format] })),
    onlyMainContent: options.only_main_content,
    includeTags: options.include_tags,
    excludeTags: options.exclude_tags,
    waitFor: options.wait_for,
    maxAge: options.max_age,
    location: options.location && compact(options.location),
    timeout: options.timeout,
    skipTlsVerification: false,
  });
}

export function optionsCard(options: PageOptions): CardField[] {
  return [
    ...short('Formats', [...options.formats]),
    ...short('Only these parts', options.include_tags),
    ...short('Without these parts', options.exclude_tags),
    ...short('As seen from', options.location?.country),
  ];
}

/**
 * `{url, status, title, description, language, truncated, warning}` and what was asked for: `markdown`, `summary`,
 * `html`, `raw_html`, `links`, `images`, `screenshot` (an address that ends after a day).
 * @param longest characters of each text
 */
export function pageOf(page: JsonObject, longest: number): JsonObject {
  const metadata = objectOf(page.metadata);
  const texts = TEXTS.flatMap((name) => {
    const text = page[FORMATS[name]];
    return typeof text === 'string' ? [{ name, text }] : [];
  });
  return {
    url: textOf(metadata.url) || textOf(metadata.sourceURL),
    status: numberOf(metadata.statusCode),
    title: firstText(metadata.title),
    description: firstText(metadata.description),
    language: firstText(metadata.language),
    ...Object.fromEntries(texts.map(({ name, text }) => [name, text.slice(0, longest)])),
    ...listOf('links', page.links),
    ...listOf('images', page.images),
    ...(typeof page.screenshot === 'string' ? { screenshot: page.screenshot } : {}),
    truncated: texts.some(({ text }) => text.length > longest) || isLong(page.links) || isLong(page.images),
    warning: textOrNull(page.warning) ?? textOrNull(metadata.error),
  };
}

function listOf(name: string, value: JsonObject[string] | undefined): JsonObject {
  return Array.isArray(value) ? { [name]: textsIn(value).slice(0, MOST_LINKS) } : {};
}

function isLong(value: JsonObject[string] | undefined): boolean {
  return Array.isArray(value) && value.length > MOST_LINKS;
}

/** A page may have several of a kind. */
function firstText(value: JsonObject[string] | undefined): string | null {
  return textOrNull(Array.isArray(value) ? value[0] : value);
}
