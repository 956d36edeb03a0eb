/** The files in mails. */
import { z } from 'zod';
import { input, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { type JsonObject, objectsIn, textOf } from '../json.js';
import { callGmail, SCOPES } from './api.js';
import { id } from './fields.js';
import { messageOf } from './message.js';

const attachment = input(
  z.strictObject({
    message_id: id.describe('id of the mail that has it.'),
    attachment_id: z
      .string()
      .regex(/^[\w-]{1,2048}$/, 'is not an attachment id')
      .describe('attachment_id that get_message showed.'),
  }),
);

/** 25 MiB as base64 inside JSON, with room for the rest of the answer. */
const LARGEST_ANSWER = 36_700_160;

export const attachmentFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    name: 'get_attachment',
    title: 'Fetch an attachment',
    description: 'Fetches a file that came with a mail, at most 25 MiB. The result is a reference to it.',
    risk: 'read',
    approval: 'auto',
    scopes: [SCOPES.readonly],
    idempotency: 'natural',
    input: attachment.schema,
    output: '{file, name, type, size, sha256}; the bytes: GET /v1/files/{file}',
    card: (args) => {
      const { message_id: messageId, attachment_id: attachmentId } = attachment.read(args);
      return [...short('Mail', messageId), ...short('Attachment', attachmentId)];
    },
    async run(context, args) {
      const { message_id: messageId, attachment_id: attachmentId } = attachment.read(args);
      const { data } = await callGmail(context, 'GET', ['messages', messageId, 'attachments', attachmentId], {
        maxBytes: LARGEST_ANSWER,
      });
      const bytes = Buffer.from(textOf(data), 'base64url');
      return context.files.save({ ...(await describe(context, messageId, attachmentId, bytes)), bytes });
    },
  }),
];

/**
 * The name and type of an attachment stand in its mail only. Gmail hands out a new attachment id with every read of
 * the mail, so the size decides where the id is none of the mail's any more.
 */
async function describe(
  context: CallContext,
  messageId: string,
  attachmentId: string,
  bytes: Buffer,
): Promise<{ name: string; type: string }> {
  const message = await callGmail(context, 'GET', ['messages', messageId], { query: { format: 'full' } });
  const parts = objectsIn(messageOf(message, 1).attachments);
  const alike = parts.filter((part) => part.size === bytes.byteLength);
  const only = alike.length === 1 ? alike[0] : undefined;
  const part: JsonObject = parts.find((one) => one.attachment_id === attachmentId) ?? only ?? {};
  return {
    name: fileName(textOf(part.filename)),
    type: /^[\w.+-]+\/[\w.+-]+(?=\s*(;|$))/.exec(textOf(part.mime_type))?.[0] ?? 'application/octet-stream',
  };
}

/** The last part of what the sender called it, without control characters. */
function fileName(name: string): string {
  const plain = name
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .split(/[/\\]/)
    .at(-1)
    ?.trim();
  return plain === undefined || /^\.*$/.test(plain) ? 'attachment' : plain.slice(0, 255);
}
