/** Draws the trees of `mrkdwn.js` and `markdown.js`, and Block Kit text objects. */
import { formatDate } from './dates.js';
import { el } from './dom.js';
import { parseMarkdown } from './markdown.js';
import { parseMrkdwn, parsePlain, safeUrl } from './mrkdwn.js';

const TAGS = { bold: 'strong', italic: 'em', strike: 's', quote: 'blockquote', paragraph: 'p' };

/**
 * @param {object[]} nodes
 * @param {{directory: Directory, tz: string, now: number}} reader whose names and times to use
 * @returns {(Node | string)[]}
 */
export function drawNodes(nodes, reader) {
  return nodes.map((node) => drawNode(node, reader));
}

function drawNode(node, reader) {
  if (node.type in TAGS) return el(TAGS[node.type], {}, drawNodes(node.children, reader));
  switch (node.type) {
    case 'break':
      return el('br');
    case 'code':
      return el('code', {}, node.text);
    case 'preformatted':
      return el('pre', {}, node.text);
    case 'link':
      return link(node.url, node.text);
    case 'user':
      return mention(`@${reader.directory.userName(node.id, node.text)}`, node.id === reader.me);
    case 'channel':
      return mention(`#${reader.directory.channelName(node.id, node.text)}`);
    case 'usergroup':
      return mention(`@${reader.directory.groupName(node.id, node.text)}`);
    case 'broadcast':
      return mention(node.text, true);
    case 'date':
      return date(node, reader);
    case 'emoji':
      return el('span', { class: 'emoji', title: `:${node.name}:` }, node.text);
    case 'heading':
      return el(`h${Math.min(node.level + 2, 6)}`, { class: 'md-heading' }, drawNodes(node.children, reader));
    case 'list':
      return el(
        node.ordered ? 'ol' : 'ul',
        {},
        node.items.map((item) => el('li', {}, drawNodes(item, reader))),
      );
    default:
      return node.text ?? '';
  }
}

/** A link that opens beside the playground and tells the other side nothing about it. */
export function link(url, label) {
  const href = safeUrl(url);
  if (href === null) return el('span', {}, label);
  return el('a', { href, target: '_blank', rel: 'noopener noreferrer' }, label);
}

/** A name set off as a mention; `loud` when it calls the reader. */
export function mention(label, loud = false) {
  return el('span', { class: loud ? 'mention mention-me' : 'mention' }, label);
}

/** A moment in the reader's zone; its fallback is the tooltip, as Slack shows it. */
export function date({ timestamp, format, url, fallback }, reader) {
  const words = formatDate(timestamp, format, reader.tz, reader.now());
  const when = new Date(timestamp * 1000).toISOString();
  const time = el('time', { datetime: when, title: fallback || when }, words);
  return url ? el('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, time) : time;
}

/** Children for a Block Kit text object of either kind. */
export function drawText(text, reader) {
  if (text.type === 'mrkdwn')
    return drawNodes(parseMrkdwn(text.text, { verbatim: text.verbatim === true }), reader);
  return drawNodes(parsePlain(text.text, { emoji: text.emoji !== false }), reader);
}

/** Children for a string of mrkdwn, such as a message's text. */
export function drawMrkdwn(text, reader) {
  return drawNodes(parseMrkdwn(text), reader);
}

/** Children for the text of a `markdown` block. */
export function drawMarkdown(text, reader) {
  return drawNodes(parseMarkdown(text), reader);
}

/** Names of the people, groups and channels that the person looking can see. */
export class Directory {
  /** @param {{users: object[], channels: object[], groups: object[]}} snapshot */
  constructor({ users, channels, groups }) {
    this.users = users;
    this.channels = channels;
    this.groups = groups;
  }

  user(id) {
    return this.users.find((user) => user.id === id);
  }

  userName(id, otherwise = '') {
    const user = this.user(id);
    return user?.real_name ?? user?.name ?? (otherwise.replace(/^@/, '') || id);
  }

  groupName(id, otherwise = '') {
    return this.groups.find((group) => group.id === id)?.handle ?? (otherwise.replace(/^@/, '') || id);
  }

  channelName(id, otherwise = '') {
    return this.channels.find((channel) => channel.id === id)?.name ?? (otherwise.replace(/^#/, '') || id);
  }
}
