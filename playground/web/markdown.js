/**
 * The `markdown` block's everyday part of standard Markdown, as the same tree that `mrkdwn.js` makes,
 * with `heading` and `list` added. No DOM.
 */
import { safeUrl } from './mrkdwn.js';

const INLINE =
  /`([^`]+)`|\[([^\]]+)\]\(([^()\s]+)\)|\*\*([^*]+)\*\*|__([^_]+)__|~~([^~]+)~~|\*([^*\s][^*]*)\*|(?<![\p{L}\p{N}])_([^_\s][^_]*)_(?![\p{L}\p{N}])/gu;

/**
 * @param {string} text
 * @returns {object[]} nodes of `mrkdwn.js`, plus `{type:'heading', level, children}` and
 *   `{type:'list', ordered, items: Node[][]}`
 */
export function parseMarkdown(text) {
  const nodes = [];
  const rows = text.split('\n');
  let index = 0;
  while (index < rows.length) {
    const [node, next] = blockAt(rows, index);
    if (node !== null) nodes.push(node);
    index = next;
  }
  return nodes;
}

function blockAt(rows, index) {
  const row = rows[index];
  if (row.trim() === '') return [null, index + 1];
  if (/^```/.test(row)) return fence(rows, index);
  const heading = /^(#{1,6})\s+(.*)$/.exec(row);
  if (heading)
    return [{ type: 'heading', level: heading[1].length, children: inline(heading[2]) }, index + 1];
  if (/^\s*(?:[-*+]|\d+[.)])\s+/.test(row)) return list(rows, index);
  if (/^>/.test(row)) return run(rows, index, /^>/, (kept) => quote(kept));
  return run(rows, index, /^(?!\s*$|```|#{1,6}\s|>|\s*(?:[-*+]|\d+[.)])\s)/, (kept) => paragraph(kept));
}

function run(rows, index, belongs, make) {
  let end = index + 1;
  while (end < rows.length && belongs.test(rows[end])) end += 1;
  return [make(rows.slice(index, end)), end];
}

function paragraph(rows) {
  return { type: 'paragraph', children: broken(rows) };
}

function quote(rows) {
  return { type: 'quote', children: broken(rows.map((row) => row.replace(/^>\s?/, ''))) };
}

function broken(rows) {
  return rows.flatMap((row, index) => (index === 0 ? inline(row) : [{ type: 'break' }, ...inline(row)]));
}

function fence(rows, index) {
  let end = index + 1;
  while (end < rows.length && !/^```\s*$/.test(rows[end])) end += 1;
  return [{ type: 'preformatted', text: rows.slice(index + 1, end).join('\n') }, end + 1];
}

function list(rows, index) {
  const ordered = /^\s*\d/.test(rows[index]);
  const item = ordered ? /^\s*\d+[.)]\s+/ : /^\s*[-*+]\s+/;
  return run(rows, index, item, (kept) => ({
    type: 'list',
    ordered,
    items: kept.map((row) => inline(row.replace(item, ''))),
  }));
}

function inline(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) nodes.push({ type: 'text', text: text.slice(at, match.index) });
    nodes.push(styled(match));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push({ type: 'text', text: text.slice(at) });
  return nodes;
}

function styled([whole, code, label, url, bold, strong, strike, italic, emphasis]) {
  if (code !== undefined) return { type: 'code', text: code };
  if (label !== undefined) {
    return safeUrl(url) === null ? { type: 'text', text: whole } : { type: 'link', url, text: label };
  }
  if (strike !== undefined) return { type: 'strike', children: inline(strike) };
  const heavy = bold ?? strong;
  if (heavy !== undefined) return { type: 'bold', children: inline(heavy) };
  return { type: 'italic', children: inline(italic ?? emphasis) };
}
