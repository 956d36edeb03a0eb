/** Gmail, on the mailbox of whoever connects it. */
import { z } from 'zod';
import { defineConnector } from '../framework.js';
import { googleAuth, impersonate, impersonateField } from '../google/auth.js';
import { textOf } from '../json.js';
import { callGmail, GMAIL_PATH } from './api.js';
import { attachmentFunctions } from './attachments.js';
import { UPLOAD_PATH } from './compose.js';
import { draftFunctions } from './drafts.js';
import { labelFunctions } from './labels.js';
import { readingFunctions } from './reading.js';
import { removingFunctions } from './removing.js';
import { sendingFunctions } from './sending.js';
import { settingsFunctions } from './settings.js';

const functions = [
  ...readingFunctions,
  ...attachmentFunctions,
  ...draftFunctions,
  ...sendingFunctions,
  ...labelFunctions,
  ...removingFunctions,
  ...settingsFunctions,
];

export const gmailConnector = defineConnector({
  id: 'gmail',
  title: 'Gmail',
  description: 'Read, write, send and sort mails of a Google account.',
  identities: ['shared', 'private'],
  auth: googleAuth('a mailbox of the domain, which no single person has to lend'),
  fields: [impersonateField],
  baseUrl: 'https://gmail.googleapis.com',
  config: z.strictObject({ impersonate }),
  egress: (_config, baseUrl) =>
    [GMAIL_PATH, UPLOAD_PATH].map((pathPrefix) => ({ origin: new URL(baseUrl).origin, pathPrefix })),
  functions: () => functions,
  account: async (context) => textOf((await callGmail(context, 'GET', ['profile'])).emailAddress),
  proposedName: () => 'Gmail',
});
