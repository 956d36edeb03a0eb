/**
 * What a write points at, as an approver reads it: the channel by its name, the message by its text. Each read needs a
 * scope of its own; where that was not granted, the id (or a link) stands in its place.
 */
import { UpstreamError } from '../../errors.js';
import { link, long, short } from '../fields.js';
import type { Arguments, CallContext, CardField, Observation, Observe } from '../framework.js';
import { type JsonObject, mapTen, objectOf, objectsIn, textOf } from '../json.js';
import { callSlack } from './api.js';
import { fileNames } from './fields.js';
import { fileOf, userOf, wordsOf } from './shapes.js';

/** The answer, or `{}` where the scope for it was not granted. */
async function ifGranted(act: () => Promise<JsonObject>): Promise<JsonObject> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof UpstreamError && error.code === 'needs_more_scopes') return {};
    throw error;
  }
}

export async function channelNow(context: CallContext, channel: string): Promise<JsonObject> {
  return objectOf((await ifGranted(() => callSlack(context, 'conversations.info', { channel }))).channel);
}

/** `#general (C024BE91L)`, `Direct message with U0ADA (D024BE91L)`. */
export function channelFields(channel: JsonObject, id: string): CardField[] {
  const name = nameOf(channel);
  return short('Channel', name === '' ? id : `${name} (${id})`);
}

function nameOf(channel: JsonObject): string {
  if (channel.is_im === true) return `Direct message with ${textOf(channel.user)}`;
  const name = textOf(channel.name);
  if (name === '' || channel.is_mpim === true) return name;
  const notes = [
    ...(channel.is_private === true ? ['private'] : []),
    ...(channel.is_archived === true ? ['archived'] : []),
    ...(channel.is_ext_shared === true ? ['shared with other companies'] : []),
  ];
  return notes.length === 0 ? `#${name}` : `#${name} [${notes.join(', ')}]`;
}

async function personText(context: CallContext, user: string): Promise<string> {
  const found = objectOf((await ifGranted(() => callSlack(context, 'users.info', { user }))).user);
  const { real_name: real, name } = userOf(found);
  const shown = textOf(real) || textOf(name);
  return shown === '' ? user : `${shown} (${user})`;
}

export async function personFields(
  context: CallContext,
  label: string,
  users: readonly string[],
): Promise<CardField[]> {
  return short(label, await mapTen(users, (user) => personText(context, user)));
}

/**
 * One message, also of a thread (conversations.replies takes the ts of either); null where history is not granted.
 * @throws UpstreamError `upstream_rejected` when it is not there
 */
async function messageNow(context: CallContext, channel: string, ts: string): Promise<JsonObject | null> {
  // The parent of a thread always comes first, whatever the bounds.
  const args = { channel, ts, oldest: ts, latest: ts, inclusive: true, limit: 2 };
  const answer = await ifGranted(() => callSlack(context, 'conversations.replies', args));
  if (answer.ok !== true) return null;
  const found = objectsIn(answer.messages).find((message) => message.ts === ts);
  if (found) return found;
  throw new UpstreamError('upstream_rejected', 'Slack refused the call: message_not_found.', {
    definite: true,
  });
}

/** The message with its author, and what it will say instead. */
export async function messageObservation(
  context: CallContext,
  channel: string,
  ts: string,
  more: { readonly label?: string; readonly after?: string } = {},
): Promise<Observation> {
  const [where, message] = await Promise.all([
    channelNow(context, channel),
    messageNow(context, channel, ts),
  ]);
  const { label = 'Message', after } = more;
  const fields = channelFields(where, channel);
  if (message === null) {
    const { permalink } = await callSlack(context, 'chat.getPermalink', { channel, message_ts: ts });
    return { fields: [...fields, ...link(label, textOf(permalink) || undefined)], version: '' };
  }
  const author = textOf(message.user) || textOf(message.bot_id);
  const text = { label, value: wordsOf(message), kind: 'long' } as const;
  return {
    fields: [
      ...fields,
      ...(author === '' ? [] : await authorFields(context, author)),
      after === undefined ? text : { ...text, after },
      ...short('Files', fileNames(message.files)),
    ],
    version: textOf(objectOf(message.edited).ts) || ts,
  };
}

async function authorFields(context: CallContext, author: string): Promise<CardField[]> {
  return author.startsWith('B') ? short('By', author) : personFields(context, 'By', [author]);
}

export async function fileFields(context: CallContext, file: string): Promise<CardField[]> {
  const answer = await ifGranted(() => callSlack(context, 'files.info', { file }));
  if (answer.ok !== true) return short('File', file);
  const { name, title, user } = fileOf(objectOf(answer.file));
  return [
    ...short('File', `${textOf(name)} (${file})`),
    ...(textOf(title) === '' || title === name ? [] : long('Title', textOf(title))),
    ...(textOf(user) === '' ? [] : await personFields(context, 'By', [textOf(user)])),
  ];
}

/** Slack has no conditional writes. */
export function observed(
  read: (context: CallContext, args: Arguments) => Promise<readonly CardField[] | Observation>,
): Observe {
  return {
    condition: null,
    async read(context, args) {
      const found = await read(context, args);
      return 'fields' in found ? found : { fields: found, version: '' };
    },
  };
}
