/** Slack, as a bot of the workspace or as the person who signs in. */
import { z } from 'zod';
import { defineConnector } from '../framework.js';
import { textOf } from '../json.js';
import { API_PATH, callSlack } from './api.js';
import { changingFunctions } from './changing.js';
import { channelFunctions } from './channels.js';
import { fileFunctions } from './files.js';
import { readingFunctions } from './reading.js';
import { sendingFunctions } from './sending.js';

const BASE_URL = 'https://slack.com';

const functions = [
  ...readingFunctions,
  ...fileFunctions,
  ...sendingFunctions,
  ...changingFunctions,
  ...channelFunctions,
];

export const slackConnector = defineConnector({
  id: 'slack',
  title: 'Slack',
  description: 'Read, write and organise messages, files and channels of a Slack workspace.',
  identities: ['shared', 'private'],
  auth: [
    {
      id: 'oauth',
      kind: 'oauth',
      title: 'Add a bot with Slack',
      provider: 'slack',
      baseScopes: [],
      identities: ['shared'],
      recommended: {
        identity: 'shared',
        why: 'a bot has a name of its own and sees only the channels it was added to',
      },
    },
    {
      id: 'oauth_user',
      kind: 'oauth',
      title: 'Sign in with Slack as oneself',
      provider: 'slack_user',
      baseScopes: [],
      identities: ['private'],
      recommended: {
        identity: 'private',
        why: 'each member acts as herself and can search what she can read',
      },
      hint: 'Messages are sent in the name of the person who signs in.',
    },
    {
      id: 'bearer',
      kind: 'secret',
      title: 'Bot token',
      identities: ['shared'],
      fields: [
        {
          name: 'token',
          label: 'Bot token',
          kind: 'secret',
          hint: '“Bot User OAuth Token” of the Slack app, under OAuth & Permissions.',
          placeholder: 'xoxb-…',
        },
      ],
      check: ({ token = '' }) =>
        /^xoxb-[\w-]+$/.test(token) ? undefined : 'That is not a bot token; it begins with xoxb-.',
      apply: (request, { token = '' }) => ({
        ...request,
        headers: { ...request.headers, authorization: `Bearer ${token}` },
      }),
    },
  ],
  fields: [],
  notice:
    'Leave PKCE off in the Slack app that people sign in with: turning it on makes it a public client, and Slack ' +
    'has no way back. It signs in with its client secret.',
  baseUrl: BASE_URL,
  config: z.strictObject({}),
  // Slack takes the bytes of files on a host of its own; a stand-in takes them itself.
  egress: (_config, baseUrl) => [
    { origin: new URL(baseUrl).origin, pathPrefix: API_PATH },
    {
      origin: baseUrl === BASE_URL ? 'https://files.slack.com' : new URL(baseUrl).origin,
      pathPrefix: '/upload/',
    },
  ],
  functions: () => functions,
  async account(context) {
    const { user, team } = await callSlack(context, 'auth.test');
    return `${textOf(user)} (${textOf(team)})`;
  },
  proposedName: () => 'Slack',
});
