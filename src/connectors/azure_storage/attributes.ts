/** Functions that change what is said about a blob, not its content. */
import { z } from 'zod';
import { input } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { objectOf, objectsIn } from '../json.js';
import { callAzure } from './api.js';
import { headOf, metadataHeaders, metadataOf, written } from './blobs.js';
import { blobCard, blobName, container, metadata, pairLines, pairsCard, tags, WRITE } from './fields.js';
import { elementText, parseXml } from './xml.js';

const changedMetadata = input(z.strictObject({ container, name: blobName, metadata }));
const changedTags = input(z.strictObject({ container, name: blobName, tags }));

/** @throws UpstreamError */
async function tagsOf(context: CallContext, address: { container: string; name: string }) {
  const { container, name } = address;
  const response = await callAzure(context, { method: 'GET', container, name, query: { comp: 'tags' } });
  const found = objectsIn(objectOf(parseXml(response.text()).TagSet).Tag);
  return Object.fromEntries(found.map(({ Key, Value }) => [elementText(Key), elementText(Value)]));
}

export const attributeFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'set_metadata',
    title: 'Set metadata of a blob',
    description: 'Replaces all metadata of a blob. What is not named is gone.',
    input: changedMetadata.schema,
    output: '{container, name, etag, last_modified}',
    card(args) {
      const given = changedMetadata.read(args);
      return [...blobCard(given), ...pairsCard('Metadata', given.metadata)];
    },
    observe: {
      condition: 'If-Match',
      async read(context, args) {
        const given = changedMetadata.read(args);
        const headers = await headOf(context, given);
        const version = headers.etag ?? '';
        const before = pairLines(metadataOf(headers));
        return {
          fields: [{ label: 'Metadata', value: before, kind: 'long', after: pairLines(given.metadata) }],
          version,
          condition: version,
        };
      },
    },
    async run(context, args) {
      const given = changedMetadata.read(args);
      const { headers } = await callAzure(context, {
        method: 'PUT',
        container: given.container,
        name: given.name,
        query: { comp: 'metadata' },
        headers: {
          ...metadataHeaders(given.metadata),
          ...(context.condition !== undefined && { 'if-match': context.condition }),
        },
      });
      return written(given, headers);
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'set_tags',
    title: 'Set tags of a blob',
    description: 'Replaces all index tags of a blob, by which it can be found. What is not named is gone.',
    input: changedTags.schema,
    output: '{container, name, tags}',
    card(args) {
      const given = changedTags.read(args);
      return [...blobCard(given), ...pairsCard('Tags', given.tags)];
    },
    // Tags are no part of a blob's etag.
    observe: {
      condition: null,
      async read(context, args) {
        const given = changedTags.read(args);
        const before = pairLines(await tagsOf(context, given));
        return {
          fields: [{ label: 'Tags', value: before, kind: 'long', after: pairLines(given.tags) }],
          version: '',
        };
      },
    },
    async run(context, args) {
      const given = changedTags.read(args);
      const set = Object.entries(given.tags)
        .map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`)
        .join('');
      await callAzure(context, {
        method: 'PUT',
        container: given.container,
        name: given.name,
        query: { comp: 'tags' },
        headers: { 'content-type': 'application/xml' },
        body: `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Tags><TagSet>${set}</TagSet></Tags>`,
      });
      return given;
    },
  }),
];
