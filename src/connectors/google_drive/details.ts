/** Google Drive functions around a file: who may see it, its versions, its comments. */
import { z } from 'zod';
import { input, long, pageSize, pageToken, short } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { Access } from './access.js';
import { ALL_DRIVES, callDrive, SCOPES } from './api.js';
import { itemId, pageEnd, sizeOf, TARGET_FIELDS, targetFields } from './item.js';
import { PERMISSION_FIELDS, permissionOf } from './permission.js';

const page = input(
  z.strictObject({
    id: itemId,
    page_size: pageSize(100),
    page_token: z.exactOptional(pageToken).describe('next_page_token of the page before.'),
  }),
);
const comment = input(
  z.strictObject({
    id: itemId,
    content: z.string().min(1).max(4_096).describe('Plain text, at most 4,096 characters.'),
  }),
);

const COMMENT_FIELDS =
  'id,content,author(displayName),createdTime,modifiedTime,resolved,quotedFileContent(value),replies(id,content,author(displayName),createdTime)';
const REVISION_FIELDS =
  'id,modifiedTime,lastModifyingUser(displayName,emailAddress),mimeType,size,keepForever';

function commentOf(found: JsonObject): JsonObject {
  return {
    id: textOf(found.id),
    author: textOf(objectOf(found.author).displayName),
    content: textOf(found.content),
    quoted: textOrNull(objectOf(found.quotedFileContent).value),
    resolved: found.resolved === true,
    created_at: textOrNull(found.createdTime),
    modified_at: textOrNull(found.modifiedTime),
    replies: objectsIn(found.replies).map((reply) => ({
      id: textOf(reply.id),
      author: textOf(objectOf(reply.author).displayName),
      content: textOf(reply.content),
      created_at: textOrNull(reply.createdTime),
    })),
  };
}

function revisionOf(revision: JsonObject): JsonObject {
  const editor = objectOf(revision.lastModifyingUser);
  return {
    id: textOf(revision.id),
    modified_at: textOrNull(revision.modifiedTime),
    modified_by: textOrNull(editor.emailAddress) ?? textOrNull(editor.displayName),
    mime_type: textOf(revision.mimeType),
    size: sizeOf(revision),
    kept_forever: revision.keepForever === true,
  };
}

const COMMENT_OUTPUT =
  '{id, author, content, quoted, resolved, created_at, modified_at, replies: [{id, author, content, created_at}]}';

const READ = {
  risk: 'read',
  approval: 'auto',
  scopes: [SCOPES.metadata],
  idempotency: 'natural',
  input: page.schema,
  card: () => [],
} as const satisfies Partial<FunctionDefinition>;

export const detailFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_permissions',
    title: 'List who may see a file',
    description: 'Lists with whom a file, a folder or a shared drive is shared, and how.',
    output: '{permissions: [{id, type, role, email, domain, name}], next_page_token}',
    async run(context, args) {
      const { id, page_size: size, page_token: token } = page.read(args);
      await new Access(context).require(id);
      const answer = await callDrive(context, 'GET', ['files', id, 'permissions'], {
        query: {
          ...ALL_DRIVES,
          fields: `nextPageToken,permissions(${PERMISSION_FIELDS})`,
          pageSize: String(size),
          pageToken: token,
        },
      });
      return { permissions: objectsIn(answer.permissions).map(permissionOf), ...pageEnd(answer) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_revisions',
    title: 'List the versions of a file',
    description: 'Lists the versions that Drive keeps of a file, and who wrote them.',
    output: '{revisions: [{id, modified_at, modified_by, mime_type, size, kept_forever}], next_page_token}',
    async run(context, args) {
      const { id, page_size: size, page_token: token } = page.read(args);
      await new Access(context).require(id);
      const fields = `nextPageToken,revisions(${REVISION_FIELDS})`;
      const query = { fields, pageSize: String(size), pageToken: token };
      const answer = await callDrive(context, 'GET', ['files', id, 'revisions'], { query });
      return { revisions: objectsIn(answer.revisions).map(revisionOf), ...pageEnd(answer) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_comments',
    title: 'List comments',
    description: 'Lists the comments on a file with their replies.',
    scopes: [SCOPES.read],
    output: `{comments: [${COMMENT_OUTPUT}], next_page_token}`,
    async run(context, args) {
      const { id, page_size: size, page_token: token } = page.read(args);
      await new Access(context).require(id);
      const fields = `nextPageToken,comments(${COMMENT_FIELDS})`;
      const query = { fields, pageSize: String(size), pageToken: token };
      const answer = await callDrive(context, 'GET', ['files', id, 'comments'], { query });
      return { comments: objectsIn(answer.comments).map(commentOf), ...pageEnd(answer) };
    },
  }),
  defineFunction({
    name: 'add_comment',
    title: 'Comment on a file',
    description: 'Writes a comment on a file; whoever follows the file may get a mail about it.',
    reachesUnnamed: true,
    risk: 'write',
    approval: 'ask',
    scopes: [SCOPES.own],
    // Comments carry no marker of ours, and Drive drops no repeats.
    idempotency: 'none',
    input: comment.schema,
    output: COMMENT_OUTPUT,
    card: (args) => {
      const { id, content } = comment.read(args);
      return [...short('File', id), ...long('Comment', content)];
    },
    observe: {
      condition: null,
      async read(context, args) {
        const file = await new Access(context).item(comment.read(args).id, TARGET_FIELDS);
        return { fields: targetFields(file), version: '' };
      },
    },
    async run(context, args) {
      const { id, content } = comment.read(args);
      await new Access(context).require(id);
      const more = { query: { fields: COMMENT_FIELDS }, json: { content } };
      return commentOf(await callDrive(context, 'POST', ['files', id, 'comments'], more));
    },
  }),
];
