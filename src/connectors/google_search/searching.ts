/** Searching the web with whichever back end the connection has: one function, one shape of results. */
import { z } from 'zod';
import { input, oneLine } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { compact, type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { searchCustom, searchVertex } from './api.js';
import { CLOUD_SCOPE } from './settings.js';

const language = z.string().regex(/^[a-z]{2,3}(-[A-Za-z]{2,4})?$/, 'is not a language such as en or pt-BR');
const country = z.string().regex(/^[a-z]{2}$/, 'is not a country of two lower-case letters such as de');

/** Neither back end goes beyond 100 results here (Custom Search: `start` + `num` of cse.list). */
const common = {
  q: oneLine(2_048).describe('What to search for, at most 2,048 characters.'),
  num: z.int().min(1).max(10).default(10).describe('How many results, at most 10.'),
  start: z.int().min(1).max(91).default(1).describe('The first result, at most 91: see next_start.'),
  gl: z.exactOptional(country).describe('Country of the one who searches.'),
  hl: z.exactOptional(language).describe('Language of the one who searches.'),
  safe: z.enum(['active', 'off']).default('active').describe('SafeSearch.'),
};
/** What Custom Search alone can do. */
const narrowing = {
  date_restrict: z
    .exactOptional(z.string().regex(/^[dwmy][1-9]\d{0,3}$/, 'is not d, w, m or y and a number'))
    .describe('Only the last days, weeks, months or years: d7, w2, m3, y1.'),
  site_search: z.exactOptional(oneLine(253)).describe('A site that is searched alone, or left out.'),
  site_search_filter: z.exactOptional(z.enum(['include', 'exclude'])).describe('include where left out.'),
  lr: z
    .exactOptional(z.string().regex(/^lang_[a-z]{2}(-[A-Z]{2})?$/, 'is not a language such as lang_de'))
    .describe('Only documents in this language.'),
  sort: z.exactOptional(oneLine(100)).describe('For example date.'),
  exact_terms: z.exactOptional(oneLine(500)).describe('A phrase that every result contains.'),
  exclude_terms: z.exactOptional(oneLine(500)).describe('A phrase that no result contains.'),
  file_type: z.exactOptional(z.string().regex(/^[a-z0-9]{1,10}$/, 'is not an ending such as pdf')),
};

const hasSite = (args: { site_search?: string; site_search_filter?: string }): boolean =>
  args.site_search !== undefined || args.site_search_filter === undefined;
const NEEDS_SITE = { path: ['site_search_filter'], error: 'needs site_search' };

const shape = z.strictObject({ ...common, ...narrowing });
const onCustom = input(shape.refine(hasSite, NEEDS_SITE));
/** The same schema to callers; what this back end lacks is refused rather than ignored. */
const onVertex = input(
  shape.superRefine((args, check) => {
    for (const name of Object.keys(narrowing)) {
      if (!Object.hasOwn(args, name)) continue;
      const message = 'is not possible with Vertex AI Search, which this connection uses; leave it out';
      check.addIssue({ code: 'custom', path: [name], message });
    }
  }),
);
const images = input(
  z
    .strictObject({
      ...common,
      site_search: narrowing.site_search,
      site_search_filter: narrowing.site_search_filter,
      size: z.exactOptional(z.enum(['icon', 'small', 'medium', 'large', 'xlarge', 'xxlarge', 'huge'])),
      type: z.exactOptional(z.enum(['clipart', 'face', 'lineart', 'stock', 'photo', 'animated'])),
      rights: z
        .exactOptional(
          z
            .array(
              z.enum([
                'cc_publicdomain',
                'cc_attribute',
                'cc_sharealike',
                'cc_noncommercial',
                'cc_nonderived',
              ]),
            )
            .min(1)
            .max(5),
        )
        .describe('Only images under any of these licences.'),
    })
    .refine(hasSite, NEEDS_SITE),
);

type Common = { q: string; num: number; start: number; gl?: string; hl?: string; safe: string };
type Sites = { site_search?: string; site_search_filter?: 'include' | 'exclude' };

function commonQuery({ q, num, start, gl, hl, safe }: Common): Record<string, string | undefined> {
  return { q, num: String(num), start: String(start), gl, hl, safe };
}

function siteQuery({
  site_search: siteSearch,
  site_search_filter: filter,
}: Sites): Record<string, string | undefined> {
  if (siteSearch === undefined) return {};
  return { siteSearch, siteSearchFilter: filter === 'exclude' ? 'e' : 'i' };
}

/** Where the next page starts; null at the end. */
function nextOf(answer: JsonObject): number | null {
  const next = numberOf(objectsIn(objectOf(answer.queries).nextPage)[0]?.startIndex);
  return next !== null && next <= 91 ? next : null;
}

function totalOf(total: unknown): number | null {
  const count =
    typeof total === 'number'
      ? total
      : Number(typeof total === 'string' && total !== '' ? total : Number.NaN);
  return Number.isFinite(count) ? count : null;
}

function customResult(found: JsonObject): JsonObject {
  return {
    title: textOf(found.title),
    link: textOf(found.link),
    display_link: textOf(found.displayLink),
    snippet: textOf(found.snippet),
    mime_type: textOrNull(found.mime),
  };
}

/** A document of a website has its words derived by Google; one of an own data store has them in its own data. */
function vertexResult(found: JsonObject): JsonObject {
  const document = objectOf(found.document);
  const derived = objectOf(document.derivedStructData);
  const own = objectOf(document.structData);
  const link = textOf(derived.link) || textOf(own.link) || textOf(own.uri) || textOf(own.url);
  const snippet = objectsIn(derived.snippets).find((each) => each.snippet_status !== 'NO_SNIPPET_AVAILABLE');
  return {
    title: textOf(derived.title) || textOf(own.title),
    link,
    display_link: textOf(derived.displayLink) || (URL.canParse(link) ? new URL(link).host : ''),
    snippet: textOf(snippet?.snippet).replace(/<\/?b>/g, ''),
    mime_type: textOrNull(derived.mime),
  };
}

const READ = {
  risk: 'read',
  approval: 'auto',
  idempotency: 'natural',
  card: () => [],
} as const satisfies Partial<FunctionDefinition>;
const WEB = {
  ...READ,
  name: 'web_search',
  title: 'Search the web',
  output:
    '{results: [{title, link, display_link, snippet, mime_type}], total_results, next_start: null at the end}',
} as const;

const customWeb = defineFunction({
  ...WEB,
  description: 'Searches the sites of a Programmable Search Engine.',
  scopes: [],
  auth: ['api_key'],
  input: onCustom.schema,
  async run(context, args) {
    const search = onCustom.read(args);
    const answer = await searchCustom(context, {
      ...commonQuery(search),
      ...siteQuery(search),
      dateRestrict: search.date_restrict,
      lr: search.lr,
      sort: search.sort,
      exactTerms: search.exact_terms,
      excludeTerms: search.exclude_terms,
      fileType: search.file_type,
    });
    return {
      results: objectsIn(answer.items).map(customResult),
      total_results: totalOf(objectOf(answer.searchInformation).totalResults),
      next_start: nextOf(answer),
    };
  },
});

const vertexWeb = defineFunction({
  ...WEB,
  description:
    'Searches the sites of a Vertex AI Search app. q, num, start, gl, hl and safe work; the other parameters are refused.',
  scopes: [CLOUD_SCOPE],
  auth: ['oauth', 'service_account_key'],
  input: onVertex.schema,
  async run(context, args) {
    const { q, num, start, gl, hl, safe } = onVertex.read(args);
    const answer = await searchVertex(
      context,
      compact({
        query: q,
        pageSize: num,
        offset: start - 1,
        safeSearch: safe === 'active',
        languageCode: hl,
        params: gl === undefined ? undefined : { user_country_code: gl },
        contentSearchSpec: { snippetSpec: { returnSnippet: true } },
      }),
    );
    const next = start + num;
    return {
      results: objectsIn(answer.results).map(vertexResult),
      total_results: totalOf(answer.totalSize),
      next_start: textOf(answer.nextPageToken) !== '' && next <= 91 ? next : null,
    };
  },
});

const customImages = defineFunction({
  ...READ,
  name: 'image_search',
  title: 'Search images',
  description: 'Searches images on the sites of a Programmable Search Engine.',
  scopes: [],
  auth: ['api_key'],
  input: images.schema,
  output:
    '{results: [{title, link, display_link, mime_type, context_link, thumbnail_link, width, height, byte_size}], total_results, next_start: null at the end}',
  async run(context, args) {
    const search = images.read(args);
    const answer = await searchCustom(context, {
      ...commonQuery(search),
      ...siteQuery(search),
      searchType: 'image',
      imgSize: search.size,
      imgType: search.type,
      rights: search.rights?.join('|'),
    });
    const results = objectsIn(answer.items).map((found) => {
      const image = objectOf(found.image);
      const { title, link, display_link, mime_type } = customResult(found);
      return compact({
        title,
        link,
        display_link,
        mime_type,
        context_link: textOf(image.contextLink),
        thumbnail_link: textOf(image.thumbnailLink),
        width: numberOf(image.width),
        height: numberOf(image.height),
        byte_size: numberOf(image.byteSize),
      });
    });
    return {
      results,
      total_results: totalOf(objectOf(answer.searchInformation).totalResults),
      next_start: nextOf(answer),
    };
  },
});

export const customSearchFunctions: readonly FunctionDefinition[] = [customWeb, customImages];
export const vertexSearchFunctions: readonly FunctionDefinition[] = [vertexWeb];
