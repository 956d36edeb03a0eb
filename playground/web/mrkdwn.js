/**
 * Slack's mrkdwn as a tree, without a DOM: `text.js` draws it, tests read it.
 * Grammar: docs.slack.dev/messaging/formatting-message-text.
 *
 * @typedef {{type: 'text', text: string}
 *   | {type: 'bold' | 'italic' | 'strike' | 'quote', children: Node[]}
 *   | {type: 'code' | 'preformatted', text: string}
 *   | {type: 'link', url: string, text: string}
 *   | {type: 'user' | 'channel' | 'usergroup', id: string, text: string}
 *   | {type: 'broadcast', text: string}
 *   | {type: 'date', timestamp: number, format: string, url: string | null, fallback: string}
 *   | {type: 'emoji', name: string, text: string}
 *   | {type: 'break'}} Node
 */
import { emoji } from './emoji.js';

const STYLES = { '*': 'bold', _: 'italic', '~': 'strike' };
const WORD = /[\p{L}\p{N}]/u;
const FENCE = /```\n?([\s\S]+?)\n?```/g;
const QUOTE = /^(?:>|&gt;)(?!>>|&gt;&gt;) ?/;
const QUOTE_REST = /^(?:>>>|&gt;&gt;&gt;) ?/;
const SHORTCODE = /^:([a-z0-9_+'-]+):(?::skin-tone-[2-6]:)?/;
const BARE_URL = /^https?:\/\/[^\s<>|`]+/;

/** The address when a browser may follow it, otherwise null: nothing an agent writes becomes `javascript:`. */
export function safeUrl(url) {
  return typeof url === 'string' && /^(?:https?:\/\/|mailto:|tel:)/i.test(url) ? url : null;
}

/** Slack escapes exactly three characters; everything else stays as it was written. */
export function decodeEntities(text) {
  return text.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: '&', lt: '<', gt: '>' })[name]);
}

/**
 * @param {string} text mrkdwn as Slack stores it (`&`, `<`, `>` escaped)
 * @param {{verbatim?: boolean}} [options] verbatim: bare addresses stay text, as in a text object
 * @returns {Node[]}
 */
export function parseMrkdwn(text, { verbatim = false } = {}) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(FENCE)) {
    nodes.push(...lines(text.slice(at, match.index).replace(/\n$/, ''), verbatim));
    nodes.push({ type: 'preformatted', text: unmarked(match[1]) });
    at = match.index + match[0].length;
    if (text[at] === '\n') at += 1;
  }
  nodes.push(...lines(text.slice(at), verbatim));
  return nodes;
}

/**
 * plain_text: no markup, only `:emoji:` where the text object allows it.
 * @returns {Node[]}
 */
export function parsePlain(text, { emoji: allowed = true } = {}) {
  const nodes = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (index > 0) nodes.push({ type: 'break' });
    nodes.push(...(allowed ? shortcodes(line) : asText(line)));
  }
  return nodes;
}

/** One line for a notification or a screen reader: what a person would read aloud. */
export function plainOf(nodes) {
  return nodes
    .map((node) => {
      if (node.type === 'break') return ' ';
      if (node.type === 'date') return node.fallback;
      return 'children' in node ? plainOf(node.children) : (node.text ?? '');
    })
    .join('');
}

function asText(text) {
  return text === '' ? [] : [{ type: 'text', text }];
}

function lines(text, verbatim) {
  if (text === '') return [];
  const nodes = [];
  const rows = text.split('\n');
  let open = false;
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index];
    if (QUOTE_REST.test(row)) {
      const rest = [row.replace(QUOTE_REST, ''), ...rows.slice(index + 1)];
      nodes.push({ type: 'quote', children: joined(rest, verbatim) });
      return nodes;
    }
    if (QUOTE.test(row)) {
      let end = index;
      while (end + 1 < rows.length && QUOTE.test(rows[end + 1])) end += 1;
      const quoted = rows.slice(index, end + 1).map((line) => line.replace(QUOTE, ''));
      nodes.push({ type: 'quote', children: joined(quoted, verbatim) });
      index = end;
      open = false;
      continue;
    }
    if (open) nodes.push({ type: 'break' });
    nodes.push(...inline(row, verbatim));
    open = true;
  }
  return nodes;
}

function joined(rows, verbatim) {
  return rows.flatMap((row, index) => [...(index > 0 ? [{ type: 'break' }] : []), ...inline(row, verbatim)]);
}

function inline(text, verbatim) {
  const nodes = [];
  let plain = '';
  const flush = () => {
    if (plain !== '') nodes.push({ type: 'text', text: decodeEntities(plain) });
    plain = '';
  };
  let at = 0;
  while (at < text.length) {
    const found = tokenAt(text, at, verbatim);
    if (found === null) {
      plain += text[at];
      at += 1;
      continue;
    }
    flush();
    nodes.push(found.node);
    at = found.end;
  }
  flush();
  return nodes;
}

/** The token that starts exactly here, or null when the character is only a character. */
function tokenAt(text, at, verbatim) {
  const char = text[at];
  if (char === '<') return angleAt(text, at);
  if (char === '`') return codeAt(text, at);
  if (char in STYLES) return styleAt(text, at, verbatim);
  if (char === ':') return emojiAt(text, at);
  if (char === 'h' && !verbatim && !WORD.test(text[at - 1] ?? '')) return bareUrlAt(text, at);
  return null;
}

function angleAt(text, at) {
  const close = text.indexOf('>', at);
  if (close === -1) return null;
  const node = angle(text.slice(at + 1, close));
  return node === null ? null : { node, end: close + 1 };
}

function angle(content) {
  const bar = content.indexOf('|');
  const target = bar === -1 ? content : content.slice(0, bar);
  const label = bar === -1 ? '' : decodeEntities(content.slice(bar + 1));
  if (/^@[UWB][A-Z0-9]*$/.test(target)) return { type: 'user', id: target.slice(1), text: label };
  if (/^#[CGD][A-Z0-9]*$/.test(target)) return { type: 'channel', id: target.slice(1), text: label };
  if (/^!(here|channel|everyone)$/.test(target)) return { type: 'broadcast', text: `@${target.slice(1)}` };
  if (target.startsWith('!subteam^')) return { type: 'usergroup', id: target.slice(9), text: label };
  if (target.startsWith('!date^')) return date(target, label);
  const url = safeUrl(decodeEntities(target));
  return url === null ? null : { type: 'link', url, text: label || url.replace(/^mailto:/i, '') };
}

function date(target, fallback) {
  const [, seconds = '', format = '', link] = target.split('^');
  const timestamp = Number(seconds);
  if (!/^\d{1,12}$/.test(seconds)) return { type: 'text', text: fallback };
  const url = link === undefined ? null : safeUrl(decodeEntities(link));
  return { type: 'date', timestamp, format: decodeEntities(format), url, fallback };
}

function codeAt(text, at) {
  const close = text.indexOf('`', at + 1);
  if (close <= at + 1) return null;
  return { node: { type: 'code', text: unmarked(text.slice(at + 1, close)) }, end: close + 1 };
}

/** Inside code Slack shows the words of a link or mention, not its markup. */
function unmarked(text) {
  return decodeEntities(
    text.replace(/<([^<>\s|]+)(?:\|([^<>]*))?>/g, (whole, target, label) =>
      angle(target) === null ? whole : (label ?? target),
    ),
  );
}

function styleAt(text, at, verbatim) {
  const marker = text[at];
  const before = text[at - 1] ?? '';
  const after = text[at + 1] ?? ' ';
  if (WORD.test(before) || before === marker || after === marker || /\s/.test(after)) return null;
  const close = closing(text, at + 1, marker);
  if (close === -1) return null;
  const children = inline(text.slice(at + 1, close), verbatim);
  return { node: { type: STYLES[marker], children }, end: close + 1 };
}

/** A style ends at a marker that hugs a word and is not inside a link or code. */
function closing(text, from, marker) {
  for (let at = from; at < text.length; at += 1) {
    const skipped = text[at] === '<' ? angleAt(text, at) : text[at] === '`' ? codeAt(text, at) : null;
    if (skipped !== null) {
      at = skipped.end - 1;
      continue;
    }
    const hugs = !/\s/.test(text[at - 1]) && !WORD.test(text[at + 1] ?? '');
    if (text[at] === marker && hugs && text[at + 1] !== marker && at > from) return at;
  }
  return -1;
}

function emojiAt(text, at) {
  const match = SHORTCODE.exec(text.slice(at));
  const symbol = match && emoji(match[1]);
  return symbol ? { node: { type: 'emoji', name: match[1], text: symbol }, end: at + match[0].length } : null;
}

function shortcodes(line) {
  const nodes = [];
  let plain = '';
  for (let at = 0; at < line.length; ) {
    const found = line[at] === ':' ? emojiAt(line, at) : null;
    if (found === null) {
      plain += line[at];
      at += 1;
    } else {
      nodes.push(...asText(plain), found.node);
      plain = '';
      at = found.end;
    }
  }
  return [...nodes, ...asText(plain)];
}

function bareUrlAt(text, at) {
  const match = BARE_URL.exec(text.slice(at));
  if (match === null) return null;
  // The full stop after an address belongs to the sentence; so do the markers of a surrounding style.
  const raw = match[0].replace(/(?:[.,;:!?)*_~'"]|&gt;)+$/, '');
  const url = decodeEntities(raw);
  return { node: { type: 'link', url, text: url }, end: at + raw.length };
}
