/** Functions on the files that are kept at OpenAI. */
import { z } from 'zod';
import { input, pageSize, short } from '../fields.js';
import { defineFunction, type FunctionDefinition, fileReference } from '../framework.js';
import { type JsonObject, numberOf, objectsIn, textOf } from '../json.js';
import { formBody } from '../multipart.js';
import { callOpenAi, isoTime } from './api.js';
import { id, READ, SPEND } from './fields.js';

/** `FilePurpose` and what the API itself makes (openai 6.49, resources/files). */
const PURPOSES = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const;

const page = input(
  z.strictObject({
    purpose: z.exactOptional(z.enum([...PURPOSES, 'assistants_output', 'batch_output', 'fine-tune-results'])),
    max_results: pageSize(1_000),
    page_token: z.exactOptional(id).describe('next_page_token of the page before.'),
  }),
);
const oneFile = input(z.strictObject({ file_id: id }));
const upload = input(
  z.strictObject({
    file: fileReference.describe('An uploaded file.'),
    purpose: z.enum(PURPOSES).default('user_data'),
    expires_after_days: z
      .exactOptional(z.int().min(1).max(30))
      .describe('OpenAI deletes it after so many days. Default: it stays.'),
  }),
);

function fileResult(file: JsonObject): JsonObject {
  return {
    id: textOf(file.id),
    filename: textOf(file.filename),
    purpose: textOf(file.purpose),
    size: numberOf(file.bytes),
    created_at: isoTime(file.created_at),
    expires_at: isoTime(file.expires_at),
  };
}

const FILE = '{id, filename, purpose, size, created_at, expires_at}';

export const fileFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_files',
    title: 'List files',
    description: 'Lists the files that are kept at OpenAI, newest first.',
    input: page.schema,
    output: `{files: [${FILE}], next_page_token}`,
    async run(context, args) {
      const { purpose, max_results: most, page_token: after } = page.read(args);
      const query = { purpose, limit: String(most), after, order: 'desc' };
      const answer = await callOpenAi(context, { method: 'GET', path: ['files'], query });
      const files = objectsIn(answer.data).map(fileResult);
      const last = textOf(files.at(-1)?.id);
      return { files, next_page_token: answer.has_more === true && last !== '' ? last : null };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_file',
    title: 'Show a file',
    description: 'Tells what a file at OpenAI is called, how large it is and what it is for.',
    input: oneFile.schema,
    output: FILE,
    async run(context, args) {
      const path = ['files', oneFile.read(args).file_id];
      return fileResult(await callOpenAi(context, { method: 'GET', path }));
    },
  }),
  defineFunction({
    ...SPEND,
    name: 'upload_file',
    title: 'Upload a file',
    description: 'Gives a file to OpenAI, which keeps it for later use.',
    approval: 'ask',
    input: upload.schema,
    output: FILE,
    files: (args) => [upload.read(args).file],
    card(args) {
      const { file, purpose, expires_after_days: days } = upload.read(args);
      return [
        ...short('File', file),
        ...short('Purpose', purpose),
        ...short('Kept', days === undefined ? 'Until it is deleted' : `${days} days`),
      ];
    },
    async run(context, args) {
      const { file, purpose, expires_after_days: days } = upload.read(args);
      const form = await formBody([
        ['file', await context.files.read(file)],
        ['purpose', purpose],
        ['expires_after[anchor]', days === undefined ? undefined : 'created_at'],
        ['expires_after[seconds]', days === undefined ? undefined : days * 86_400],
      ]);
      return fileResult(await callOpenAi(context, { method: 'POST', path: ['files'], ...form }));
    },
  }),
  defineFunction({
    name: 'delete_file',
    title: 'Delete a file',
    description: 'Deletes a file at OpenAI, for good, and takes it out of every vector store.',
    risk: 'destructive',
    approval: 'ask',
    askEveryTime: true,
    scopes: [],
    idempotency: 'natural',
    input: oneFile.schema,
    output: '{deleted}: the id',
    card: (args) => short('File', oneFile.read(args).file_id),
    observe: {
      condition: null,
      async read(context, args) {
        const path = ['files', oneFile.read(args).file_id];
        const file = fileResult(await callOpenAi(context, { method: 'GET', path }));
        return {
          fields: [
            ...short('Name', file.filename),
            ...short('Size', `${file.size} bytes`),
            ...short('Purpose', file.purpose),
            ...short('Uploaded', file.created_at),
          ],
          version: '',
        };
      },
    },
    async run(context, args) {
      const { file_id: fileId } = oneFile.read(args);
      await callOpenAi(context, { method: 'DELETE', path: ['files', fileId] });
      return { deleted: fileId };
    },
  }),
];
