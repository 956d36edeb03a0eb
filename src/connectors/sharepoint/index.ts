/** SharePoint: sites, their document libraries and lists, by Microsoft Graph. */
import { z } from 'zod';
import { defineConnector } from '../framework.js';
import { textOf } from '../json.js';
import { microsoftAuth } from '../microsoft/auth.js';
import { GRAPH, graphRoot } from '../microsoft/graph.js';
import { callSharePoint } from './api.js';
import { contentFunctions } from './content.js';
import { fileFunctions } from './files.js';
import { listFunctions } from './lists.js';
import { readingFunctions } from './reading.js';
import { sharingFunctions } from './sharing.js';

export const sharepointConnector = defineConnector({
  id: 'sharepoint',
  title: 'SharePoint',
  description: 'Find, read, sort and share files of SharePoint sites, and work with their lists.',
  identities: ['shared', 'private'],
  auth: microsoftAuth({
    why: 'it reaches the sites that an admin grants it, whoever leaves the company',
    hint: 'Sites.Selected limits the app to the sites that an admin names; the other application permissions reach every site.',
  }),
  fields: [
    {
      name: 'region',
      label: 'Region of the tenant (app credentials only)',
      kind: 'text',
      optional: true,
      hint: 'Microsoft asks for it when an app searches everywhere, and refuses it when a person does.',
      placeholder: 'NAM',
    },
    {
      name: 'allow_anonymous_links',
      label: 'Links that work for anyone',
      kind: 'select',
      optional: true,
      initial: 'no',
      options: [
        { value: 'no', label: 'Not allowed' },
        { value: 'yes', label: 'Allowed, each after approval' },
      ],
    },
  ],
  baseUrl: GRAPH,
  config: z.strictObject({
    region: z.exactOptional(z.string().regex(/^[A-Z]{3}$/, 'is not a region such as NAM or EUR')),
    allow_anonymous_links: z.exactOptional(z.enum(['no', 'yes'])),
  }),
  egress(_config, baseUrl) {
    const { origin, pathname } = new URL(graphRoot(baseUrl));
    return ['sites', 'drives', 'search/query', 'me'].map((path) => ({
      origin,
      pathPrefix: `${pathname}/${path}`,
    }));
  },
  functions: ({ allow_anonymous_links: anonymous }) => [
    ...readingFunctions,
    ...contentFunctions,
    ...fileFunctions,
    ...listFunctions,
    ...sharingFunctions(anonymous === 'yes'),
  ],
  async account(context) {
    const query = { $select: 'mail,userPrincipalName' };
    const me = await callSharePoint(context, { path: '/me', query });
    return textOf(me.mail) || textOf(me.userPrincipalName);
  },
  proposedName: () => 'SharePoint',
});
