/** Gmail, on the mailbox of whoever connects it. */
import { z } from 'zod';
import { defineConnector } from '../framework.js';
import { callGmail, GMAIL_PATH, textOf } from './api.js';
import { labelFunctions } from './labels.js';
import { readingFunctions } from './reading.js';
import { writingFunctions } from './writing.js';

const functions = [...readingFunctions, ...writingFunctions, ...labelFunctions];

export const gmailConnector = defineConnector({
  id: 'gmail',
  title: 'Gmail',
  description: 'Read, write, send and sort mails of a Google account.',
  identities: ['shared', 'private'],
  auth: [
    {
      id: 'oauth',
      kind: 'oauth',
      title: 'Sign in with Google',
      provider: 'google',
      baseScopes: ['openid', 'email'],
    },
  ],
  fields: [],
  baseUrl: 'https://gmail.googleapis.com',
  config: z.strictObject({}),
  egress: (_config, baseUrl) => [{ origin: new URL(baseUrl).origin, pathPrefix: GMAIL_PATH }],
  functions: () => functions,
  account: async (context) => textOf((await callGmail(context, 'GET', ['profile'])).emailAddress),
  proposedName: () => 'Gmail',
});
