/** OpenAI: models answer, look, listen and speak; files and vector stores are looked after. */
import { z } from 'zod';
import { type CallContext, defineConnector, type JsonValue, type UpstreamRequest } from '../framework.js';
import { parseBaseUrl } from '../rest/index.js';
import { answerFunctions } from './answers.js';
import { callOpenAi } from './api.js';
import { parseModels } from './fields.js';
import { fileFunctions } from './files.js';
import { mediaFunctions } from './media.js';
import { readingFunctions } from './reading.js';

type Config = Readonly<Record<string, JsonValue>>;

const BASE_URL = 'https://api.openai.com/v1';

const config = z.strictObject({
  organization: z.exactOptional(z.string().regex(/^org-[\w-]{1,100}$/, 'is not an id such as org-…')),
  project: z.exactOptional(z.string().regex(/^proj_[\w-]{1,100}$/, 'is not an id such as proj_…')),
  models: z.exactOptional(
    z
      .string()
      .max(8_000)
      .refine(
        (text) => (parseModels(text)?.length ?? 0) > 0,
        'must be names of models with commas between them',
      ),
  ),
  base_url: z.exactOptional(z.string().max(300).refine(isBaseUrl, 'is not an address such as https://…/v1')),
});

function isBaseUrl(text: string): boolean {
  try {
    return parseBaseUrl(text, () => true) === text.trim().replace(/\/+$/, '');
  } catch {
    return false;
  }
}

/** The key, and whose bill it goes on where the key belongs to more than one (`OpenAI-Organization`, `OpenAI-Project`). */
function withKey(request: UpstreamRequest, key: string, values: Config): UpstreamRequest {
  return {
    ...request,
    headers: {
      ...request.headers,
      authorization: `Bearer ${key}`,
      ...(typeof values.organization === 'string' && { 'openai-organization': values.organization }),
      ...(typeof values.project === 'string' && { 'openai-project': values.project }),
    },
  };
}

/** The API does not tell whose a key is; that it lists models proves that it works. */
async function nameAccount(context: CallContext): Promise<string> {
  await callOpenAi(context, { method: 'GET', path: ['models'] });
  const { project, organization } = context.config;
  return typeof project === 'string' ? project : typeof organization === 'string' ? organization : 'API key';
}

export const openaiConnector = defineConnector({
  id: 'openai',
  title: 'OpenAI',
  description: 'Let models answer, compare texts, make images and speech, and look after files.',
  identities: ['shared'],
  auth: [
    {
      id: 'api_key',
      kind: 'secret',
      title: 'API key',
      recommended: {
        identity: 'shared',
        why: 'a key of a project of its own has its own limits and its own bill',
      },
      fields: [
        { name: 'api_key', label: 'API key', kind: 'secret', hint: 'From platform.openai.com, "API keys".' },
      ],
      apply: (request, { api_key: key = '' }, values) => withKey(request, key, values),
      check: ({ api_key: key = '' }) =>
        /^[\x21-\x7e]{8,500}$/.test(key) ? undefined : 'An API key has no spaces and at least 8 characters.',
    },
  ],
  fields: [
    {
      name: 'models',
      label: 'Allowed models',
      kind: 'text',
      optional: true,
      hint: 'With commas between them. Left empty, every model may be used.',
      placeholder: 'gpt-5-mini, text-embedding-3-small',
    },
    { name: 'organization', label: 'Organization', kind: 'text', optional: true, placeholder: 'org-…' },
    { name: 'project', label: 'Project', kind: 'text', optional: true, placeholder: 'proj_…' },
    {
      name: 'base_url',
      label: 'Base URL',
      kind: 'url',
      optional: true,
      hint: 'For a regional endpoint or a gateway of your own.',
      placeholder: BASE_URL,
    },
  ],
  notice: 'Calls cost money at OpenAI. Answers run without asking up to a budget an hour and caller.',
  baseUrl: (values) => (typeof values.base_url === 'string' ? values.base_url.replace(/\/+$/, '') : BASE_URL),
  config,
  egress(_values, baseUrl) {
    const { origin, pathname } = new URL(baseUrl);
    return [{ origin, pathPrefix: `${pathname.replace(/\/+$/, '')}/` }];
  },
  functions(values) {
    const models = parseModels(typeof values.models === 'string' ? values.models : '') ?? [];
    return [
      ...answerFunctions(models),
      ...readingFunctions(models),
      ...mediaFunctions(models),
      ...fileFunctions,
    ];
  },
  account: nameAccount,
  proposedName: () => 'OpenAI',
});
