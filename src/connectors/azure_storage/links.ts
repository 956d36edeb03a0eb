/** A link with which anybody can read one blob for a while (a service SAS). */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { beforeWriting } from '../upstream.js';
import { accountOf } from './account.js';
import { API_VERSION, urlOf } from './api.js';
import { headOf, observeBlob } from './blobs.js';
import { blobCard, blobName, container } from './fields.js';

const link = input(
  z.strictObject({
    container,
    name: blobName,
    minutes: z.int().min(1).max(60).default(15).describe('The link works for so long, an hour at most.'),
  }),
);

/**
 * Its fields and what is signed, line by line: `generateBlobSASQueryParameters20201206` of @azure/storage-blob 12.30.
 * @param expiry to the second: `2026-05-04T10:00:00Z`
 */
function signedUrl(
  context: CallContext,
  address: { container: string; name: string },
  expiry: string,
): string {
  if (!context.sign) {
    throw new UpstreamError('forbidden_upstream', 'A link can be made only with a connection string.', {
      definite: true,
    });
  }
  const protocol = context.baseUrl.startsWith('https:') ? 'https' : 'https,http';
  const resource = `/blob/${accountOf(context.config)}/${address.container}/${address.name}`;
  const [permissions, kind] = ['r', 'b'];
  const lines = [
    permissions,
    '',
    expiry,
    resource,
    '',
    '',
    protocol,
    API_VERSION,
    kind,
    '',
    '',
    '',
    '',
    '',
    '',
    '',
  ];
  const query = new URLSearchParams({
    sv: API_VERSION,
    spr: protocol,
    se: expiry,
    sr: kind,
    sp: permissions,
    sig: context.sign(lines.join('\n')),
  });
  return `${urlOf(context, address.container, address.name)}?${query}`;
}

export const linkFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    name: 'create_sas_url',
    title: 'Make a link to a blob',
    description:
      'Makes a link with which anybody can read one blob, without signing in, for an hour at most.',
    reachesUnnamed: true,
    risk: 'destructive',
    approval: 'ask',
    askEveryTime: true,
    scopes: [],
    auth: ['connection_string'],
    idempotency: 'natural',
    input: link.schema,
    output: '{url, expires_at}',
    card(args) {
      const given = link.read(args);
      return [
        ...blobCard(given),
        ...short('Anybody with the link may', 'Read it'),
        ...short('For', `${given.minutes} minutes`),
      ];
    },
    observe: { condition: null, read: (context, args) => observeBlob(context, link.read(args)) },
    async run(context, args) {
      const { minutes, ...address } = link.read(args);
      // The blob must be there; and the service's own clock is the one that ends the link.
      const { date } = await beforeWriting(() => headOf(context, address));
      const now = Date.parse(date ?? '');
      if (Number.isNaN(now)) {
        throw new UpstreamError('upstream_rejected', 'Azure Storage did not say what time it is.', {
          definite: true,
        });
      }
      const expiry = new Date(now + minutes * 60_000).toISOString().replace(/\.\d+Z$/, 'Z');
      return { url: signedUrl(context, address, expiry), expires_at: expiry };
    },
  }),
];
