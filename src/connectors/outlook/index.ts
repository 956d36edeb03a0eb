/** Outlook: mail and calendar of one mailbox, by Microsoft Graph. */
import { z } from 'zod';
import { defineConnector, type JsonValue } from '../framework.js';
import { textOf } from '../json.js';
import { isGuid, microsoftAuth } from '../microsoft/auth.js';
import { GRAPH, graphRoot } from '../microsoft/graph.js';
import { mailAddress } from '../mime.js';
import { callOutlook, mailboxPath } from './api.js';
import { calendarReadingFunctions } from './calendar-reading.js';
import { calendarWritingFunctions } from './calendar-writing.js';
import { mailReadingFunctions } from './mail-reading.js';
import { mailSendingFunctions } from './mail-sending.js';
import { mailWritingFunctions } from './mail-writing.js';

const functions = [
  ...mailReadingFunctions,
  ...mailWritingFunctions,
  ...mailSendingFunctions,
  ...calendarReadingFunctions,
  ...calendarWritingFunctions,
];

const WIDE =
  "An app's Mail and Calendars permissions reach every mailbox of the company, unless Exchange limits the app to some (application access policy).";

function mailboxOf(config: Readonly<Record<string, JsonValue>>): string | undefined {
  return textOf(config.mailbox) || undefined;
}

export const outlookConnector = defineConnector({
  id: 'outlook',
  title: 'Outlook',
  description: 'Read, write, send and sort mails of a mailbox, and work with its calendar.',
  identities: ['shared', 'private'],
  auth: microsoftAuth({
    why: 'it works on one named mailbox, which no single person has to lend',
    hint: WIDE,
    check: (config) =>
      mailboxOf(config) === undefined
        ? 'App credentials have no mailbox of their own: name the mailbox in the settings of the connection.'
        : undefined,
    actsFor: mailboxOf,
  }),
  fields: [
    {
      name: 'mailbox',
      label: 'Mailbox (app credentials only)',
      kind: 'text',
      optional: true,
      hint: 'Its address. Leave it empty where people sign in: each works on her own.',
      placeholder: 'support@example.com',
    },
  ],
  baseUrl: GRAPH,
  config: z.strictObject({
    mailbox: z.exactOptional(
      z.union([mailAddress, z.string().refine(isGuid, 'is not an address or a user id')]),
    ),
  }),
  egress(config, baseUrl) {
    const { origin, pathname } = new URL(`${graphRoot(baseUrl)}${mailboxPath(config)}`);
    return [{ origin, pathPrefix: pathname }];
  },
  functions: () => functions,
  notice: WIDE,
  async account(context) {
    const mailbox = mailboxOf(context.config);
    if (mailbox !== undefined) return mailbox;
    const me = await callOutlook(context, { path: '', query: { $select: 'mail,userPrincipalName' } });
    return textOf(me.mail) || textOf(me.userPrincipalName);
  },
  proposedName: (config) => mailboxOf(config) ?? 'Outlook',
});
