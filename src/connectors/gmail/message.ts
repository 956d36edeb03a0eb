/** A Gmail message resource as the stable, small JSON that callers get. Pure. */
import { type JsonObject, objectOf, objectsIn, textOf } from '../json.js';
import { addressesIn, decodeWords } from '../mime.js';

/** Headers and parts of one message that are looked at. */
const MOST_PARTS = 200;
const LONGEST_HTML = 500_000;

/** Of a received mail; decoded, one line, never trusted. */
export function headerOf(message: JsonObject, name: string): string {
  return oneLine(decodeWords(rawHeader(message, name)));
}

/** The bare addresses in headers of a mail. What stands in code (RFC 2047) is part of a name, whatever it decodes to. */
export function addressesOf(message: JsonObject, ...names: readonly string[]): string[] {
  return names.flatMap((name) => addressesIn(oneLine(rawHeader(message, name))));
}

function rawHeader(message: JsonObject, name: string): string {
  const headers = objectsIn(objectOf(message.payload).headers);
  return textOf(headers.find((header) => textOf(header.name).toLowerCase() === name.toLowerCase())?.value);
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
}

/** `{id, thread_id, label_ids, from, to, cc, subject, date, snippet}` */
export function summaryOf(message: JsonObject): JsonObject {
  return {
    id: textOf(message.id),
    thread_id: textOf(message.threadId),
    label_ids: Array.isArray(message.labelIds) ? message.labelIds : [],
    from: headerOf(message, 'From'),
    to: headerOf(message, 'To'),
    cc: headerOf(message, 'Cc'),
    subject: headerOf(message, 'Subject'),
    date: dateOf(message),
    snippet: textOf(message.snippet),
  };
}

/** The summary, and `{bcc, reply_to, message_id, body_text, truncated, attachments}`. */
export function messageOf(message: JsonObject, bodyMaxChars: number): JsonObject {
  const parts = partsOf(objectOf(message.payload));
  const text = bodyText(parts);
  return {
    ...summaryOf(message),
    bcc: headerOf(message, 'Bcc'),
    reply_to: headerOf(message, 'Reply-To'),
    message_id: headerOf(message, 'Message-ID'),
    body_text: text.slice(0, bodyMaxChars),
    truncated: text.length > bodyMaxChars,
    attachments: parts.filter(isAttachment).map((part) => ({
      filename: decodeWords(textOf(part.filename)),
      mime_type: textOf(part.mimeType),
      size: Number(objectOf(part.body).size ?? 0),
      attachment_id: textOf(objectOf(part.body).attachmentId),
    })),
  };
}

function dateOf(message: JsonObject): string {
  const time = Number(message.internalDate ?? Number.NaN);
  return Number.isFinite(time) ? new Date(time).toISOString() : headerOf(message, 'Date');
}

function partsOf(root: JsonObject): JsonObject[] {
  const parts: JsonObject[] = [];
  const pending = [root];
  for (let part = pending.shift(); part !== undefined && parts.length < MOST_PARTS; part = pending.shift()) {
    parts.push(part);
    pending.unshift(...objectsIn(part.parts));
  }
  return parts;
}

function isAttachment(part: JsonObject): boolean {
  return textOf(part.filename) !== '' || textOf(objectOf(part.body).attachmentId) !== '';
}

/** The HTML of a mail as it stands, which its readers see instead of the text; empty where it has none. */
export function htmlOf(message: JsonObject): string {
  return bodies(partsOf(objectOf(message.payload)), 'text/html')
    .join('\n')
    .trim();
}

function bodies(parts: readonly JsonObject[], type: string): string[] {
  return parts
    .filter((part) => textOf(part.mimeType).toLowerCase() === type && !isAttachment(part))
    .map((part) => Buffer.from(textOf(objectOf(part.body).data), 'base64url').toString('utf8'));
}

function bodyText(parts: readonly JsonObject[]): string {
  const plain = bodies(parts, 'text/plain').join('\n').trim();
  return plain === '' ? bodies(parts, 'text/html').map(htmlToText).join('\n').trim() : plain;
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };
const LINE_ENDING = new Set(['br', '/p', '/div', '/tr', '/li', '/h1', '/h2', '/h3', '/h4', '/h5', '/h6']);
const UNSEEN = new Set(['script', 'style', 'head', 'title']);

/**
 * What a reader sees of an HTML mail, roughly; text for an agent, never markup again. One pass over the text: a
 * regular expression that looks for the end of a tag takes minutes on a mail made of "<".
 */
export function htmlToText(html: string): string {
  const [before = '', ...tags] = html.slice(0, LONGEST_HTML).split('<');
  let text = before;
  let unseen: string | undefined;
  for (const piece of tags) {
    const end = piece.indexOf('>');
    const tag = /^\/?[a-z][a-z0-9]{0,20}/i.exec(piece)?.[0].toLowerCase() ?? '';
    if (unseen !== undefined) {
      if (tag !== `/${unseen}`) continue;
      unseen = undefined;
    } else if (UNSEEN.has(tag)) {
      unseen = tag;
      continue;
    } else if (LINE_ENDING.has(tag)) text += '\n';
    text += end === -1 ? (tag === '' ? `<${piece}` : '') : piece.slice(end + 1);
  }
  return text
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (entity, decimal, hex, name) => {
      if (name !== undefined) return ENTITIES[String(name).toLowerCase()] ?? entity;
      const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      return point <= 0x10ffff ? String.fromCodePoint(point) : entity;
    })
    .replace(/[ \t\u00a0]+/g, ' ')
    .replace(/ ?\r?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
