/** Jira Cloud, one site a connection. */
import { z } from 'zod';
import { type AuthMethod, defineConnector } from '../framework.js';
import { textOf } from '../json.js';
import {
  callJira,
  GATEWAY,
  GATEWAY_PATH,
  isSiteItself,
  RESOURCES_PATH,
  REST_PATH,
  SCOPES,
  siteAddress,
  siteOf,
} from './api.js';
import { attachmentFunctions } from './attachments.js';
import { commentFunctions } from './comments.js';
import { issueFunctions } from './issues.js';
import { lookUpFunctions } from './looking-up.js';
import { relationFunctions } from './relations.js';
import { searchingFunctions } from './searching.js';

const functions = [
  ...searchingFunctions,
  ...lookUpFunctions,
  ...issueFunctions,
  ...relationFunctions,
  ...commentFunctions,
  ...attachmentFunctions,
];

const auth: readonly AuthMethod[] = [
  {
    id: 'oauth',
    kind: 'oauth',
    title: 'Sign in with Atlassian',
    provider: 'atlassian',
    // The refresh token, and whose account it is (GET /myself).
    baseScopes: ['offline_access', SCOPES.user],
    recommended: { identity: 'private', why: 'each member allows it herself and can take it back' },
  },
  {
    id: 'basic',
    kind: 'secret',
    title: 'Mail address and API token',
    identities: ['shared'],
    recommended: { identity: 'shared', why: 'an account of its own shows in Jira who did what' },
    hint: 'Best an account of its own. A token without scopes: tokens with scopes do not work at the address of a site.',
    fields: [
      {
        name: 'username',
        label: 'Mail address of the account',
        kind: 'text',
        placeholder: 'agents@example.com',
      },
      {
        name: 'password',
        label: 'API token',
        kind: 'secret',
        hint: 'From id.atlassian.com, Security, API tokens.',
      },
    ],
    check: ({ username = '' }) =>
      /^[^\s:@]+@[^\s:@]+$/.test(username) ? undefined : 'The mail address of the account is missing.',
    apply(request, secret) {
      const pair = Buffer.from(`${secret.username ?? ''}:${secret.password ?? ''}`).toString('base64');
      return { ...request, headers: { ...request.headers, authorization: `Basic ${pair}` } };
    },
  },
];

export const jiraConnector = defineConnector({
  id: 'jira',
  title: 'Jira',
  description: 'Find, read, write and move issues of a Jira Cloud site.',
  identities: ['shared', 'private'],
  auth,
  fields: [
    {
      name: 'site',
      label: 'Jira site',
      kind: 'url',
      hint: 'The address in the browser when Jira is open.',
      placeholder: 'https://example.atlassian.net',
    },
  ],
  baseUrl: (config, method) => (method === 'oauth' ? GATEWAY : siteOf(config)),
  config: z.strictObject({
    site: z
      .string()
      .overwrite(siteAddress)
      .regex(
        /^https:\/\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.atlassian\.net$/,
        'is not the address of a Jira Cloud site such as https://example.atlassian.net',
      ),
  }),
  egress(config, baseUrl) {
    const { origin, pathname } = new URL(baseUrl);
    if (isSiteItself(config, baseUrl))
      return [{ origin, pathPrefix: `${pathname.replace(/\/+$/, '')}${REST_PATH}/` }];
    return [
      { origin, pathPrefix: `${GATEWAY_PATH}/` },
      { origin, pathPrefix: RESOURCES_PATH },
    ];
  },
  functions: () => functions,
  async account(context) {
    const { emailAddress, displayName } = await callJira(context, 'GET', ['myself']);
    return textOf(emailAddress) || textOf(displayName);
  },
  proposedName: (config) => {
    const [, name = ''] = /^https:\/\/([^.]+)\./.exec(siteOf(config)) ?? [];
    return name === '' ? 'Jira' : `Jira ${name}`;
  },
});
