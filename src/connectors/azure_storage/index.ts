/** Azure Blob Storage: one storage account. REST only, no SDK. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { type CallContext, defineConnector } from '../framework.js';
import { accountIn, accountOf, accountUrlOf } from './account.js';
import { callAzure } from './api.js';
import { attributeFunctions } from './attributes.js';
import { azureStorageAuth } from './auth.js';
import { containerFunctions } from './containers.js';
import { linkFunctions } from './links.js';
import { readingFunctions } from './reading.js';
import { writingFunctions } from './writing.js';

const functions = [
  ...readingFunctions,
  ...writingFunctions,
  ...attributeFunctions,
  ...containerFunctions,
  ...linkFunctions,
];

const accountUrl = z
  .string()
  .max(300)
  .refine(
    (text) => accountIn(text) !== null,
    'must look like https://ACCOUNT.blob.core.windows.net, with nothing after it',
  );

/** A credential may be good without the right to list all containers (a SAS of one container, a narrow role). */
async function nameAccount(context: CallContext): Promise<string> {
  try {
    await callAzure(context, { method: 'GET', query: { comp: 'list', maxresults: '1' } });
  } catch (error) {
    if (!(error instanceof UpstreamError && error.code === 'forbidden_upstream')) throw error;
  }
  return accountOf(context.config);
}

export const azureStorageConnector = defineConnector({
  id: 'azure_storage',
  title: 'Azure Storage',
  description: 'Read, write, copy and share blobs of an Azure storage account.',
  identities: ['shared'],
  auth: azureStorageAuth,
  fields: [
    {
      name: 'account_url',
      label: 'Account URL',
      kind: 'url',
      hint: 'The blob endpoint of the storage account.',
      placeholder: 'https://ACCOUNT.blob.core.windows.net',
    },
  ],
  baseUrl: accountUrlOf,
  config: z.strictObject({ account_url: accountUrl }),
  egress(_config, baseUrl) {
    const { origin, pathname } = new URL(baseUrl);
    return [{ origin, pathPrefix: `${pathname.replace(/\/+$/, '')}/` }];
  },
  functions: () => functions,
  account: nameAccount,
  proposedName: (config) => `Azure Storage ${accountOf(config)}`.trim(),
});
