/** Functions that only read. Paths and limits: shared/CONNECTORS.md, 4.9, and @azure/storage-blob 12.30. */
import { z } from 'zod';
import { input, pageSize, pageToken, plainCard } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  type UpstreamResponse,
} from '../framework.js';
import { objectOf, objectsIn, textOrNull } from '../json.js';
import { callAzure, refusalOf } from './api.js';
import { headOf, isoDate, propertiesOf } from './blobs.js';
import { blobName, container, prefix } from './fields.js';
import { elementName, elementText, parseXml } from './xml.js';

const MOST_BYTES = 10 * 1024 * 1024;
/** Longer texts come as a file. */
const LONGEST_TEXT = 100_000;

const containers = input(
  z.strictObject({
    prefix: z.exactOptional(prefix).describe('Only names that begin so.'),
    max_results: pageSize(5_000),
    page_token: z.exactOptional(pageToken),
  }),
);
const blobs = input(
  z.strictObject({
    container,
    prefix: z.exactOptional(prefix).describe('Only names that begin so, for example reports/2026/'),
    delimiter: z
      .exactOptional(z.literal('/'))
      .describe('Folders below the prefix are listed by name instead of all that is in them.'),
    max_results: pageSize(500),
    page_token: z.exactOptional(pageToken),
  }),
);
const oneBlob = input(z.strictObject({ container, name: blobName }));
const content = input(
  z.strictObject({
    container,
    name: blobName,
    offset: z.int().min(0).default(0).describe('Reads from this byte on.'),
    max_bytes: z.int().min(1).max(MOST_BYTES).default(MOST_BYTES).describe('Reads at most so many bytes.'),
  }),
);

const READ = {
  risk: 'read',
  approval: 'auto',
  scopes: [],
  idempotency: 'natural',
  card: plainCard,
} as const satisfies Partial<FunctionDefinition>;

/** Null for bytes that are no text: not UTF-8, or with control characters. A character cut at the end is left out. */
function textIn(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return text.length > LONGEST_TEXT || /[^\P{Cc}\t\n\f\r]/u.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** A blob without content has no byte 0 to read: the service says 416 then, and the range is left away. */
async function readRange(
  context: CallContext,
  address: { container: string; name: string },
  offset: number,
  most: number,
): Promise<UpstreamResponse> {
  const range = `bytes=${offset}-${offset + most - 1}`;
  try {
    return await callAzure(context, {
      method: 'GET',
      ...address,
      headers: { 'x-ms-range': range },
      maxBytes: most,
    });
  } catch (error) {
    if (offset > 0 || refusalOf(error) !== 'InvalidRange') throw error;
    return callAzure(context, { method: 'GET', ...address, maxBytes: most });
  }
}

/** The size of the whole blob, from `bytes 0-99/1234`. */
function wholeSize(response: UpstreamResponse): number {
  const [, whole] = /\/(\d+)$/.exec(response.headers['content-range'] ?? '') ?? [];
  return whole === undefined ? response.body.byteLength : Number(whole);
}

export const readingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_containers',
    title: 'List containers',
    description: 'Lists the containers of the storage account by name.',
    input: containers.schema,
    output: '{containers: [{name, etag, last_modified, public_access}], next_page_token}',
    async run(context, args) {
      const page = containers.read(args);
      const response = await callAzure(context, {
        method: 'GET',
        query: {
          comp: 'list',
          prefix: page.prefix,
          maxresults: String(page.max_results),
          marker: page.page_token,
        },
      });
      const answer = parseXml(response.text());
      return {
        containers: objectsIn(objectOf(answer.Containers).Container).map(({ Name, Properties }) => {
          const properties = objectOf(Properties);
          return {
            name: elementText(Name),
            etag: elementText(properties.Etag),
            last_modified: isoDate(elementText(properties['Last-Modified'])),
            public_access: textOrNull(elementText(properties.PublicAccess)),
          };
        }),
        next_page_token: textOrNull(elementText(answer.NextMarker)),
      };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_blobs',
    title: 'List blobs',
    description: 'Lists the blobs of a container by name, all of them or one folder at a time.',
    input: blobs.schema,
    output:
      '{blobs: [{name, size, content_type, etag, last_modified, blob_type, access_tier}], folders: [name ending in /], next_page_token}',
    async run(context, args) {
      const page = blobs.read(args);
      const response = await callAzure(context, {
        method: 'GET',
        container: page.container,
        query: {
          restype: 'container',
          comp: 'list',
          prefix: page.prefix,
          delimiter: page.delimiter,
          maxresults: String(page.max_results),
          marker: page.page_token,
        },
      });
      const answer = parseXml(response.text());
      const found = objectOf(answer.Blobs);
      return {
        blobs: objectsIn(found.Blob).map(({ Name, Properties }) => {
          const properties = objectOf(Properties);
          return {
            name: elementName(Name),
            size: Number(elementText(properties['Content-Length'])),
            content_type: elementText(properties['Content-Type']),
            etag: elementText(properties.Etag),
            last_modified: isoDate(elementText(properties['Last-Modified'])),
            blob_type: elementText(properties.BlobType),
            access_tier: textOrNull(elementText(properties.AccessTier)),
          };
        }),
        folders: objectsIn(found.BlobPrefix).map(({ Name }) => elementName(Name)),
        next_page_token: textOrNull(elementText(answer.NextMarker)),
      };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_blob_properties',
    title: 'Show a blob',
    description: 'Tells how large a blob is, of which type, when it changed, and its metadata.',
    input: oneBlob.schema,
    output:
      '{container, name, size, content_type, etag, last_modified, created_at, blob_type, access_tier, lease_state, copy_status, tag_count, metadata}',
    async run(context, args) {
      const address = oneBlob.read(args);
      return propertiesOf(address, await headOf(context, address));
    },
  }),
  defineFunction({
    ...READ,
    name: 'read_blob',
    title: 'Read a blob',
    description:
      'Reads the content of a blob: a text of up to 100,000 characters as it is, anything else as a file.',
    input: content.schema,
    output:
      '{container, name, content_type, etag, last_modified, size, offset, bytes_read, truncated, text or file: {file, name, type, size, sha256}}; truncated says that the blob goes on',
    async run(context, args) {
      const { offset, max_bytes: most, ...address } = content.read(args);
      const response = await readRange(context, address, offset, most);
      const { headers, body } = response;
      const size = wholeSize(response);
      const type = headers['content-type']?.split(';')[0]?.trim() || 'application/octet-stream';
      const about = {
        ...address,
        content_type: headers['content-type'] ?? '',
        etag: headers.etag ?? '',
        last_modified: isoDate(headers['last-modified']),
        size,
        offset,
        bytes_read: body.byteLength,
        truncated: offset + body.byteLength < size,
      };
      const text = textIn(body);
      if (text !== null) return { ...about, text };
      const name = address.name.slice(address.name.lastIndexOf('/') + 1);
      return { ...about, file: await context.files.save({ name, type, bytes: body }) };
    },
  }),
];
