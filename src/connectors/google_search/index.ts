/** Google Search, with a back end that can be switched: Custom Search JSON API or Vertex AI Search. */
import { type AuthMethod, defineConnector } from '../framework.js';
import { googleAuth, impersonateField } from '../google/auth.js';
import { objectOf, textOf } from '../json.js';
import { readEngine, searchCustom } from './api.js';
import { customSearchFunctions, vertexSearchFunctions } from './searching.js';
import { baseUrlOf, CUSTOM_SEARCH_PATH, enginePath, isCustomSearch, settings } from './settings.js';

const CLOUD_AUTH = ['oauth', 'service_account_key'];

/** The API takes its key in the query alone (Custom Search JSON API, "Identify your application"). */
const apiKey: AuthMethod = {
  id: 'api_key',
  kind: 'secret',
  title: 'API key (Custom Search)',
  identities: ['shared'],
  hint: 'For those who have the Custom Search JSON API already; it ends on 1 January 2027.',
  fields: [{ name: 'api_key', label: 'API key', kind: 'secret' }],
  apply: (request, secret) => ({ ...request, query: { ...request.query, key: secret.api_key ?? '' } }),
};

export const googleSearchConnector = defineConnector({
  id: 'google_search',
  title: 'Google Search',
  description: 'Search the web, or chosen sites, with Google.',
  identities: ['shared', 'private'],
  auth: [...googleAuth('no person has to stay for it'), apiKey],
  fields: [
    {
      name: 'backend',
      label: 'Search with',
      kind: 'select',
      initial: 'vertex_ai_search',
      hint: 'Custom Search is closed to new customers; those who have it keep it until 1 January 2027. It takes an API key; Vertex AI Search takes a Google account or a service account.',
      options: [
        { value: 'vertex_ai_search', label: 'Vertex AI Search' },
        { value: 'custom_search', label: 'Custom Search JSON API (until 2027)' },
      ],
    },
    {
      name: 'cx',
      label: 'Search engine id (cx)',
      kind: 'text',
      optional: true,
      auth: ['api_key'],
      hint: 'For Custom Search: from the control panel of the Programmable Search Engine.',
    },
    {
      name: 'project',
      label: 'Google Cloud project',
      kind: 'text',
      optional: true,
      auth: CLOUD_AUTH,
      hint: 'For Vertex AI Search: the id of the project.',
    },
    {
      name: 'engine',
      label: 'Search app id',
      kind: 'text',
      optional: true,
      auth: CLOUD_AUTH,
      hint: 'For Vertex AI Search: the id of the app (engine).',
    },
    {
      name: 'location',
      label: 'Location of the search app',
      kind: 'select',
      optional: true,
      initial: 'global',
      auth: CLOUD_AUTH,
      options: [
        { value: 'global', label: 'Global' },
        { value: 'us', label: 'United States' },
        { value: 'eu', label: 'European Union' },
      ],
    },
    { ...impersonateField, auth: ['service_account_key'] },
  ],
  notice:
    'Google has closed the Custom Search JSON API to new customers, and those who have it must leave it by 1 January 2027. Everybody else searches with Vertex AI Search: an app in the own Google Cloud project that names the sites to be searched. It is not a search of the whole web.',
  baseUrl: baseUrlOf,
  config: settings,
  egress(config, baseUrl) {
    const pathPrefix = isCustomSearch(config) ? CUSTOM_SEARCH_PATH : enginePath(config);
    return [{ origin: new URL(baseUrl).origin, pathPrefix }];
  },
  functions: (config) => (isCustomSearch(config) ? customSearchFunctions : vertexSearchFunctions),
  async account(context) {
    if (!isCustomSearch(context.config)) return textOf((await readEngine(context)).displayName);
    // The name of the engine comes with every answer; there is nothing cheaper to ask for.
    const answer = await searchCustom(context, { q: 'test', num: '1', fields: 'context' });
    return textOf(objectOf(answer.context).title);
  },
  proposedName: () => 'Google Search',
});
