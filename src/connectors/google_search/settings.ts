/** Which of Google's two searches a connection uses, and where it is. Pure. */
import { z } from 'zod';
import type { JsonValue } from '../framework.js';

export const CLOUD_SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

export const settings = z
  .strictObject({
    backend: z.enum(['custom_search', 'vertex_ai_search']),
    cx: z.exactOptional(
      z
        .string()
        .regex(
          /^[\w:.-]{1,100}$/,
          'is not the id of a search engine such as 017576662512468239146:omuauf_lfve',
        ),
    ),
    project: z.exactOptional(
      z.string().regex(/^[a-z0-9-]{1,63}$/, 'is not the id of a Google Cloud project'),
    ),
    location: z.exactOptional(z.enum(['global', 'us', 'eu'])),
    engine: z.exactOptional(z.string().regex(/^[\w-]{1,63}$/, 'is not the id of a search app')),
    impersonate: z.exactOptional(z.email('is not a mail address').max(254)),
  })
  .refine(({ backend, cx }) => backend !== 'custom_search' || cx !== undefined, {
    path: ['backend'],
    error: 'Custom Search takes an API key and needs the id of a search engine (cx).',
  })
  .refine(
    ({ backend, project, engine }) =>
      backend !== 'vertex_ai_search' || (project !== undefined && engine !== undefined),
    {
      path: ['backend'],
      error:
        'Vertex AI Search takes a Google account or a service account, and needs the ids of the project and of the search app.',
    },
  );

type Config = Readonly<Record<string, JsonValue>>;

export function isCustomSearch(config: Config): boolean {
  return config.backend === 'custom_search';
}

/** Search apps of a region are served by the host of that region (Vertex AI Search guide, "Locations"). */
export function baseUrlOf(config: Config): string {
  if (isCustomSearch(config)) return 'https://customsearch.googleapis.com';
  const region = config.location === 'us' || config.location === 'eu' ? `${config.location}-` : '';
  return `https://${region}discoveryengine.googleapis.com`;
}

export const CUSTOM_SEARCH_PATH = '/customsearch/v1';

/** `/v1/projects/…/engines/…` of the search app. */
export function enginePath(config: Config): string {
  const { project = '', location = 'global', engine = '' } = config;
  const segments = [
    'projects',
    project,
    'locations',
    location,
    'collections',
    'default_collection',
    'engines',
    engine,
  ];
  return `/v1/${segments.map((segment) => encodeURIComponent(String(segment))).join('/')}`;
}
