/** The rich_text block: sections, lists, preformatted text and quotes with styled pieces. */
import { el } from './dom.js';
import { emoji } from './emoji.js';
import { date, link, mention } from './text.js';

const STYLES = [
  ['bold', 'strong'],
  ['italic', 'em'],
  ['strike', 's'],
  ['underline', 'u'],
  ['code', 'code'],
];

/** @returns {HTMLElement} */
export function drawRichText(block, reader) {
  return el(
    'div',
    { class: 'rich-text' },
    block.elements.map((element) => drawElement(element, reader)),
  );
}

function drawElement(element, reader) {
  switch (element.type) {
    case 'rich_text_list':
      return list(element, reader);
    case 'rich_text_preformatted':
      return el('pre', {}, pieces(element.elements, reader));
    case 'rich_text_quote':
      return el('blockquote', {}, pieces(element.elements, reader));
    default:
      return el('p', {}, pieces(element.elements ?? [], reader));
  }
}

function list(element, reader) {
  return el(
    element.style === 'ordered' ? 'ol' : 'ul',
    {
      class: `indent-${Math.min(element.indent ?? 0, 8)}`,
      start: element.offset ? element.offset + 1 : null,
    },
    element.elements.map((item) => el('li', {}, pieces(item.elements, reader))),
  );
}

function pieces(elements, reader) {
  return elements.map((piece) => styled(piece, drawPiece(piece, reader)));
}

function styled(piece, node) {
  return STYLES.reduce((inner, [name, tag]) => (piece.style?.[name] ? el(tag, {}, inner) : inner), node);
}

function drawPiece(piece, reader) {
  switch (piece.type) {
    case 'link':
      return link(piece.url, piece.text || piece.url);
    case 'user':
      return mention(`@${reader.directory.userName(piece.user_id)}`, piece.user_id === reader.me);
    case 'channel':
      return mention(`#${reader.directory.channelName(piece.channel_id)}`);
    case 'usergroup':
      return mention(`@${reader.directory.groupName(piece.usergroup_id)}`);
    case 'broadcast':
      return mention(`@${piece.range}`, true);
    case 'emoji':
      return emoji(piece.name) ?? `:${piece.name}:`;
    case 'date':
      return date({ ...piece, fallback: piece.fallback ?? '', url: piece.url ?? null }, reader);
    case 'color':
      return el('code', {}, piece.value);
    default:
      return lines(piece.text ?? '');
  }
}

/** Line breaks inside a text piece are shown by CSS (`white-space: pre-wrap`), the text stays one node. */
function lines(text) {
  return el('span', {}, text);
}
