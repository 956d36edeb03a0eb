/** Files of the workspace: announced, sent, and shared in a conversation (files.getUploadURLExternal and its second half). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, readBytes } from './http-body.js';
import { type Fields, fieldsOf, SlackError, stringOf } from './protocol.js';
import type { Workspace } from './workspace.js';

/** More than any picture of this app. */
const LARGEST_BYTES = 5_000_000;

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  /** As it was announced. */
  readonly length: number;
  title: string;
  bytes: Uint8Array | null;
}

export const fileMethods = {
  getUploadUrl(workspace: Workspace, args: Fields): Fields {
    const length = Number(args.length);
    if (!Number.isInteger(length) || length <= 0) throw new SlackError('missing_argument');
    if (length > LARGEST_BYTES) throw new SlackError('file_upload_size_restricted');
    const id = workspace.id('F');
    const name = stringOf(args.filename);
    workspace.files.set(id, { id, name, length, title: name, bytes: null });
    return { upload_url: `${workspace.origin()}/upload/${id}`, file_id: id };
  },

  /** Shares what was sent: one message with all of it. Without a conversation it stays the app's own. */
  complete(workspace: Workspace, args: Fields): Fields {
    const given: unknown = typeof args.files === 'string' ? JSON.parse(args.files) : args.files;
    if (!Array.isArray(given) || given.length === 0) throw new SlackError('invalid_arguments');
    const files = given.map((one) => {
      const { id, title } = fieldsOf(one);
      const file = workspace.files.get(stringOf(id));
      if (!file?.bytes) throw new SlackError('file_not_found');
      file.title = stringOf(title) || file.name;
      return { id: file.id, name: file.name, title: file.title };
    });
    const to = stringOf(args.channel_id);
    if (to) {
      // A person's id is no conversation here, other than for messages (slackapi/bolt-js#2115).
      if (!/^[CGD]/.test(to)) throw new SlackError('invalid_arguments');
      const channel = workspace.channel(to);
      if (!channel.members.includes(workspace.app.bot_user)) throw new SlackError('not_in_channel');
      const text = stringOf(args.initial_comment);
      workspace.addMessage({ channel: to, user: workspace.app.bot_user, text, files });
    }
    return { files };
  },
};

/** POST: the bytes, raw or as a form. GET: the same again, for the page. */
export async function answerFile(
  workspace: Workspace,
  id: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const file = workspace.files.get(id);
  if (!file) return answerJson(res, 404, { ok: false, error: 'file_not_found' });
  if (req.method === 'GET') {
    if (!file.bytes) return answerJson(res, 404, { ok: false, error: 'file_not_found' });
    res.writeHead(200, { 'content-type': 'image/png', 'x-content-type-options': 'nosniff' }).end(file.bytes);
    return;
  }
  const bytes = await contentOf(req);
  if (bytes.length !== file.length) return answerJson(res, 400, { ok: false, error: 'length_mismatch' });
  file.bytes = bytes;
  res.writeHead(200, { 'content-type': 'text/plain' }).end(`OK - ${bytes.length}`);
}

async function contentOf(req: IncomingMessage): Promise<Uint8Array> {
  const body = await readBytes(req, LARGEST_BYTES);
  const type = req.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return body;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const [part] = [...form.values()].filter((value) => typeof value !== 'string');
  return part ? new Uint8Array(await (part as File).arrayBuffer()) : body;
}
