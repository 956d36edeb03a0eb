/** Jira functions that move files. */
import { z } from 'zod';
import { input, short } from '../fields.js';
import { defineFunction, type FunctionDefinition, fileReference } from '../framework.js';
import { numberOf, objectsIn, textOf } from '../json.js';
import { formBody } from '../multipart.js';
import { askJira, callJira, sendJira } from './api.js';
import { issueKey, numericId, observeIssue, READ, WRITE } from './fields.js';
import { attachmentOf } from './issue.js';

/** What a call may hand back (shared/RELIABILITY.md, G15). */
const LARGEST_FILE = 25 * 1_024 * 1_024;
const LONGEST_TEXT = 100_000;

const download = input(
  z.strictObject({ id: numericId.describe('As get_issue names it in fields.attachment.') }),
);
const upload = input(
  z.strictObject({ key: issueKey, file: fileReference.describe('A file from POST /v1/files.') }),
);

function plainName(name: string): string {
  return name.replace(/[\\/\p{Cc}]/gu, '_').slice(0, 255) || 'attachment';
}

function plainType(type: string): string {
  const [media = ''] = type.split(';');
  return /^[\w.+-]+\/[\w.+-]+$/.test(media.trim()) ? media.trim().toLowerCase() : 'application/octet-stream';
}

/** Short texts are given as they are; null for everything else. */
function shortText(type: string, bytes: Uint8Array): string | null {
  if (!/^text\/|^application\/(json|xml)$/.test(type) || bytes.byteLength > 4 * LONGEST_TEXT) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.length > LONGEST_TEXT ? null : text;
  } catch {
    return null;
  }
}

export const attachmentFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'get_attachment',
    title: 'Get an attachment',
    description: 'Gets a file that is attached to an issue: a short text as text, anything else as a file.',
    input: download.schema,
    output: '{id, name, type, size, text} or {id, name, type, size, file, sha256}',
    async run(context, args) {
      const { id } = download.read(args);
      const about = await callJira(context, 'GET', ['attachment', id]);
      // Without `redirect=false` Jira sends the caller on to a media host with a signed address.
      const response = await sendJira(context, 'GET', ['attachment', 'content', id], {
        query: { redirect: 'false' },
        maxBytes: LARGEST_FILE,
      });
      const name = plainName(textOf(about.filename));
      const type = plainType(textOf(about.mimeType));
      const text = shortText(type, response.body);
      if (text !== null)
        return { id, name, type, size: numberOf(about.size) ?? response.body.byteLength, text };
      return { id, ...(await context.files.save({ name, type, bytes: response.body })) };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'add_attachment',
    title: 'Attach a file',
    description: 'Attaches an uploaded file to an issue. Everybody who sees the issue can open it.',
    idempotency: 'none',
    input: upload.schema,
    output: '{id, name, type, size, created}',
    card: (args) => {
      const { key, file } = upload.read(args);
      return [...short('Issue', key), ...short('File', file)];
    },
    files: (args) => [upload.read(args).file],
    observe: {
      async read(context, args) {
        const { key, file } = upload.read(args);
        const { name, type, bytes } = await context.files.read(file);
        return observeIssue(context, key, [
          ...short('File', name),
          ...short('Type', type),
          ...short('Size', `${bytes.byteLength} bytes`),
        ]);
      },
      condition: null,
    },
    async run(context, args) {
      const { key, file } = upload.read(args);
      const { body, headers } = await formBody([['file', await context.files.read(file)]]);
      const answer = await askJira(context, 'POST', ['issue', key, 'attachments'], {
        body,
        // Jira refuses a form without it: its guard against cross-site posts.
        headers: { ...headers, 'X-Atlassian-Token': 'no-check' },
      });
      return attachmentOf(objectsIn(answer)[0] ?? {});
    },
  }),
];
