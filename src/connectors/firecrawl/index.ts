/** Firecrawl: pages of the public web, read for whoever holds the key. */
import { z } from 'zod';
import { defineConnector } from '../framework.js';
import { API_PATH } from './api.js';
import { jobFunctions } from './jobs.js';
import { readingFunctions } from './reading.js';

const functions = [...readingFunctions, ...jobFunctions];

export const firecrawlConnector = defineConnector({
  id: 'firecrawl',
  title: 'Firecrawl',
  description: 'Read, search and crawl the public web.',
  identities: ['shared'],
  auth: [
    {
      id: 'api_key',
      kind: 'secret',
      title: 'API key',
      recommended: { identity: 'shared', why: 'it is the only way that Firecrawl has' },
      fields: [
        {
          name: 'api_key',
          label: 'API key',
          kind: 'secret',
          hint: 'From firecrawl.dev/app/api-keys; a team has one purse of credits.',
          placeholder: 'fc-…',
        },
      ],
      check: ({ api_key: key = '' }) =>
        /^[\x21-\x7e]{8,512}$/.test(key) ? undefined : 'That is not an API key of Firecrawl.',
      apply: (request, { api_key: key = '' }) => ({
        ...request,
        headers: { ...request.headers, authorization: `Bearer ${key}` },
      }),
    },
  ],
  fields: [],
  notice:
    'Each page costs credits of the key’s team. Addresses, searches and prompts go to Firecrawl, outside the company.',
  baseUrl: 'https://api.firecrawl.dev',
  config: z.strictObject({}),
  egress: (_config, baseUrl) => [{ origin: new URL(baseUrl).origin, pathPrefix: API_PATH }],
  functions: () => functions,
  proposedName: () => 'Firecrawl',
});
