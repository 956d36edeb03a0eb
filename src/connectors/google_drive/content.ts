/** Google Drive functions that read what is in a file. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  type UpstreamResponse,
} from '../framework.js';
import { type JsonObject, textOf } from '../json.js';
import { Access } from './access.js';
import { ALL_DRIVES, download, SCOPES } from './api.js';
import { FOLDER, isWorkspaceDocument, itemId, SHORTCUT, sizeOf } from './item.js';

/** shared/CONNECTORS.md, 4.3. */
const MOST_READ = 10_000_000;
const LONGEST_TEXT = 100_000;

/** Drive guide, "Export MIME types for Google Workspace documents". */
const EXPORTS = {
  'text/plain': 'txt',
  'text/markdown': 'md',
  'text/html': 'html',
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
  'application/pdf': 'pdf',
  'application/rtf': 'rtf',
  'application/zip': 'zip',
  'application/epub+zip': 'epub',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'application/vnd.oasis.opendocument.text': 'odt',
  'application/vnd.oasis.opendocument.spreadsheet': 'ods',
  'application/vnd.oasis.opendocument.presentation': 'odp',
  'application/vnd.google-apps.script+json': 'json',
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/svg+xml': 'svg',
} as const;
type ExportType = keyof typeof EXPORTS;

const read = input(
  z.strictObject({
    id: itemId,
    max_bytes: z
      .int()
      .min(1)
      .max(MOST_READ)
      .default(MOST_READ)
      .describe('A larger file is refused, not cut. At most 10 MB.'),
  }),
);
const exported = input(
  z.strictObject({
    id: itemId,
    mime_type: z
      .enum(Object.keys(EXPORTS) as [ExportType, ...ExportType[]])
      .default('text/plain')
      .describe(
        'Docs: text/markdown or application/pdf; Sheets: text/csv (the first sheet); Slides: text/plain.',
      ),
  }),
);

const OUTPUT =
  'Text: {id, name, mime_type, text, truncated}, text of at most 100,000 characters; a longer one is also a file. Anything else: {id, name, mime_type, file, type, size, sha256}, where file is a reference for GET /v1/files';

const refuse = (message: string): UpstreamError =>
  new UpstreamError('upstream_rejected', message, { definite: true });

/** Text goes into the result; anything else, and a text that is cut there, becomes a file of ours. */
async function contentOf(
  context: CallContext,
  file: JsonObject,
  type: string,
  name: string,
  { body }: UpstreamResponse,
): Promise<JsonObject> {
  const about = { id: textOf(file.id), name: textOf(file.name), mime_type: textOf(file.mimeType) };
  const text = isText(type) ? decoded(body) : null;
  const isWhole = text !== null && text.length <= LONGEST_TEXT;
  const kept = isWhole ? {} : await context.files.save({ name, type, bytes: body });
  if (text === null) return { ...about, ...kept, ...about };
  return { ...about, ...kept, ...about, text: text.slice(0, LONGEST_TEXT), truncated: !isWhole };
}

function isText(type: string): boolean {
  return /^text\/|^application\/(json|xml|yaml|x-yaml|javascript|x-ndjson|sql|x-sh)$|\+(json|xml)$/.test(
    type,
  );
}

/** Null for bytes that are not UTF-8, whatever their type claims. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const READ = {
  risk: 'read',
  approval: 'auto',
  scopes: [SCOPES.read],
  idempotency: 'natural',
  output: OUTPUT,
  card: () => [],
} as const satisfies Partial<FunctionDefinition>;

export const contentFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'read_content',
    title: 'Read a file',
    description: 'Reads the content of a file. Google Docs, Sheets and Slides are read with export_file.',
    input: read.schema,
    async run(context, args) {
      const { id, max_bytes: most } = read.read(args);
      const file = await new Access(context).item(id, ['id', 'name', 'mimeType', 'size']);
      const type = textOf(file.mimeType);
      if (isWorkspaceDocument(type)) throw refuse('This is a Google document; read it with export_file.');
      if (type === FOLDER || type === SHORTCUT) throw refuse('A folder or a shortcut has no content.');
      if ((sizeOf(file) ?? 0) > most) throw refuse(`The file is larger than ${most} bytes.`);
      const response = await download(context, ['files', id], { ...ALL_DRIVES, alt: 'media' }, most);
      return contentOf(context, file, mediaTypeOf(type), fileName(file, ''), response);
    },
  }),
  defineFunction({
    ...READ,
    name: 'export_file',
    title: 'Export a Google document',
    description: 'Reads a Google Doc, Sheet, Slides or Drawing in another format. At most 10 MB.',
    input: exported.schema,
    async run(context, args) {
      const { id, mime_type: type } = exported.read(args);
      const file = await new Access(context).item(id, ['id', 'name', 'mimeType']);
      const response = await download(context, ['files', id, 'export'], { mimeType: type }, MOST_READ);
      return contentOf(context, file, type, fileName(file, `.${EXPORTS[type]}`), response);
    },
  }),
];

/** Without parameters; whatever Drive calls it, a header can carry it. */
function mediaTypeOf(type: string): string {
  return /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type) ? type : 'application/octet-stream';
}

/** A name without a path or control characters (`FileContent`). */
function fileName(file: JsonObject, ending: string): string {
  const plain = textOf(file.name)
    .replace(/[\p{Cc}/\\]+/gu, '_')
    .slice(0, 200);
  const name = plain === '' ? 'file' : plain;
  return name.toLowerCase().endsWith(ending) ? name : `${name}${ending}`;
}
