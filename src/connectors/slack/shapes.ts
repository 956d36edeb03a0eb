/** Slack's objects as the stable, small JSON that callers get. Pure. */
import type { JsonValue } from '../framework.js';
import { type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull, textsIn } from '../json.js';

/** Slack itself keeps up to 40,000 characters. */
const LONGEST_TEXT = 8_000;

/** `{id, name, is_private, is_archived, is_member, topic, purpose, members, created}` */
export function channelOf(channel: JsonObject): JsonObject {
  return {
    id: textOf(channel.id),
    name: textOf(channel.name),
    is_private: channel.is_private === true,
    is_archived: channel.is_archived === true,
    is_member: channel.is_member === true,
    topic: textOf(objectOf(channel.topic).value),
    purpose: textOf(objectOf(channel.purpose).value),
    members: numberOf(channel.num_members),
    created: dateOf(channel.created),
  };
}

/** `{ts, thread_ts, user, text, truncated, edited, reply_count, reactions, files}` */
export function messageOf(message: JsonObject): JsonObject {
  const text = wordsOf(message);
  return {
    ts: textOf(message.ts),
    thread_ts: textOrNull(message.thread_ts),
    user: textOrNull(message.user) ?? textOrNull(message.bot_id),
    text: text.slice(0, LONGEST_TEXT),
    truncated: text.length > LONGEST_TEXT,
    edited: textOrNull(objectOf(message.edited).ts),
    reply_count: numberOf(message.reply_count) ?? 0,
    reactions: objectsIn(message.reactions).map(({ name, users }) => ({
      name: textOf(name),
      users: textsIn(users),
    })),
    files: objectsIn(message.files).map(({ id, name }) => ({ id: textOf(id), name: textOf(name) })),
  };
}

/** What a message says. Apps often say it in attachments or blocks alone; the preview of a link is not their word. */
export function wordsOf(message: JsonObject): string {
  const own = textOf(message.text) || wordsIn(message.blocks).join('\n');
  const attached = objectsIn(message.attachments)
    .filter(({ from_url: preview }) => own === '' || textOf(preview) === '')
    .map(attachedWords);
  return [own, ...attached].filter((words) => words !== '').join('\n');
}

function attachedWords({ pretext, title, text, fields, blocks, fallback }: JsonObject): string {
  const facts = objectsIn(fields).map((field) => `${textOf(field.title)}: ${textOf(field.value)}`);
  const words = [textOf(pretext), textOf(title), textOf(text), ...facts, ...wordsIn(blocks)];
  return words.filter((each) => each !== '').join('\n') || textOf(fallback);
}

/** Every text of Block Kit, however deep. */
function wordsIn(blocks: JsonValue | undefined): string[] {
  if (Array.isArray(blocks)) return blocks.flatMap(wordsIn);
  const block = objectOf(blocks);
  return typeof block.text === 'string' ? [block.text] : Object.values(block).flatMap(wordsIn);
}

/** `{id, name, real_name, display_name, title, email, time_zone, is_bot, deleted}` */
export function userOf(user: JsonObject): JsonObject {
  const profile = objectOf(user.profile);
  return {
    id: textOf(user.id),
    name: textOf(user.name),
    real_name: textOf(profile.real_name) || textOf(user.real_name),
    display_name: textOf(profile.display_name),
    title: textOf(profile.title),
    email: textOrNull(profile.email),
    time_zone: textOrNull(user.tz),
    is_bot: user.is_bot === true,
    deleted: user.deleted === true,
  };
}

/** `{id, name, title, type, size, user, created, channels, permalink}` */
export function fileOf(file: JsonObject): JsonObject {
  return {
    id: textOf(file.id),
    name: textOf(file.name),
    title: textOf(file.title),
    type: textOf(file.mimetype),
    size: numberOf(file.size),
    user: textOrNull(file.user),
    created: dateOf(file.created),
    channels: [...textsIn(file.channels), ...textsIn(file.groups), ...textsIn(file.ims)],
    permalink: textOrNull(file.permalink),
  };
}

/** Slack counts seconds since 1970. */
export function dateOf(seconds: JsonObject[string] | undefined): string | null {
  const date = new Date(Number(seconds ?? Number.NaN) * 1_000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
