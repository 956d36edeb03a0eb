/** How connections to Azure Storage sign in: the account's key, a shared access signature, or an app of Microsoft Entra. */
import type { AuthMethod, MintedAuth, UpstreamRequest } from '../framework.js';
import { microsoftAuth } from '../microsoft/auth.js';
import { accountOf } from './account.js';
import { readConnectionString, signRequest, signText } from './shared-key.js';

/** Fields of an account or service SAS (`SASQueryParameters` of @azure/storage-blob 12.30). */
const SAS_FIELDS = new Set(
  'sv ss srt spr st se sip si ses skoid sktid skt ske sks skv sr sdd sp sig rscc rscd rsce rscl rsct saoid suoid scid sduoid'.split(
    ' ',
  ),
);
const STORAGE_SCOPE = 'https://storage.azure.com/.default';

/** A sign `+` that someone decoded too early is one all the same: no field of a signature holds a space for it. */
function sasFields(token: string): URLSearchParams {
  return new URLSearchParams(token.trim().replace(/^\?/, '').replaceAll('+', '%2B'));
}

function sasProblem(token: string): string | undefined {
  if (/:\/\//.test(token)) return 'Give only the signature: what follows the question mark of the address.';
  const fields = sasFields(token);
  const names = [...fields.keys()];
  if (names.some((name) => !SAS_FIELDS.has(name)) || new Set(names).size !== names.length)
    return 'That is not a shared access signature: it holds a field that none has.';
  if (!fields.get('sv') || !fields.get('sig'))
    return 'That is not a shared access signature: sv or sig is missing.';
  if (!fields.get('si') && !(fields.get('sp') && fields.get('se')))
    return 'The signature has neither an access policy (si) nor permissions and an end (sp, se).';
  if (fields.has('ss') && !fields.get('ss')?.includes('b'))
    return 'The signature is not for blobs (ss has no b).';
  return undefined;
}

function withSas(request: UpstreamRequest, token: string): UpstreamRequest {
  const fields = Object.fromEntries(sasFields(token));
  const source = request.headers?.['x-ms-copy-source'];
  return {
    ...request,
    query: { ...request.query, ...fields },
    // A source in the same account is read with the same signature; the account itself lends a SAS no rights.
    ...(source !== undefined && {
      headers: { ...request.headers, 'x-ms-copy-source': `${source}?${new URLSearchParams(fields)}` },
    }),
  };
}

/** As for Microsoft Graph, with a token of storage. */
function entraApp(): MintedAuth {
  const app = microsoftAuth({
    why: 'its role can be limited to one container, and its secret changed without touching the account',
    hint: 'Give the app a role such as Storage Blob Data Reader or Storage Blob Data Contributor.',
  }).find((method) => method.kind === 'minted');
  if (!app) throw new Error('Microsoft has no app credentials');
  return { ...app, mint: (...given) => ({ ...app.mint(...given), scopes: [STORAGE_SCOPE] }) };
}

export const azureStorageAuth: readonly AuthMethod[] = [
  entraApp(),
  {
    id: 'connection_string',
    kind: 'secret',
    title: 'Connection string',
    hint: 'It holds the key of the whole account: everything in it may be read and changed. Needed for links.',
    fields: [
      {
        name: 'connection_string',
        label: 'Connection string',
        kind: 'secret',
        hint: 'From the storage account, "Access keys".',
      },
    ],
    check({ connection_string: text = '' }, config) {
      const found = readConnectionString(text);
      if (!found) return 'That is not a connection string with an AccountName and an AccountKey.';
      if (found.account === accountOf(config)) return undefined;
      return `The connection string is of the account ${found.account}, the account URL of another.`;
    },
    apply(request, { connection_string: text = '' }, _config, now) {
      const found = readConnectionString(text);
      if (!found) throw new Error('the stored connection string cannot be read');
      return signRequest(request, found, now);
    },
    secretsIn: ({ connection_string: text = '' }) => {
      const found = readConnectionString(text);
      return found ? [found.key] : [];
    },
    sign(text, { connection_string: stored = '' }) {
      const found = readConnectionString(stored);
      if (!found) throw new Error('the stored connection string cannot be read');
      return signText(text, found.key);
    },
  },
  {
    id: 'sas',
    kind: 'secret',
    title: 'Shared access signature (SAS)',
    hint: 'Its permissions and its end are part of it; after its end the connection stops working.',
    fields: [
      {
        name: 'sas_token',
        label: 'Shared access signature',
        kind: 'secret',
        hint: 'What follows the question mark: sv=…&sig=…',
      },
    ],
    check: ({ sas_token: token = '' }) => sasProblem(token),
    secretsIn: ({ sas_token: token = '' }) => sasFields(token).getAll('sig'),
    apply: (request, { sas_token: token = '' }) => withSas(request, token),
  },
];
