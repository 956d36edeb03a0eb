/** Atlassian documents (ADF) as markdown, for reading. Nodes: the ADF schema at developer.atlassian.com. Pure. */
import type { JsonValue } from '../framework.js';
import { type JsonObject, numberOf, objectOf, objectsIn, textOf } from '../json.js';

/** Deeper nodes are left out; people nest lists four or five times. */
const DEEPEST = 40;

export function isDocument(value: JsonValue | undefined): boolean {
  const { type, version } = objectOf(value);
  return type === 'doc' && typeof version === 'number';
}

/** What a reader sees of a document; what has no text (pictures, macros) stands in square brackets. */
export function documentToMarkdown(document: JsonValue | undefined): string {
  return blocksIn(objectOf(document), 0).join('\n\n');
}

function blocksIn(node: JsonObject, depth: number): string[] {
  if (depth > DEEPEST) return [];
  const texts: string[] = [];
  let run: JsonObject[] = [];
  const endRun = () => {
    const text = inlineText(run, depth);
    if (text !== '') texts.push(text);
    run = [];
  };
  for (const child of objectsIn(node.content)) {
    const text = blockText(child, depth + 1);
    if (text === null) run.push(child);
    else {
      endRun();
      if (text !== '') texts.push(text);
    }
  }
  endRun();
  return texts;
}

/** Null for what is inline. */
function blockText(node: JsonObject, depth: number): string | null {
  const attrs = objectOf(node.attrs);
  const inside = () => blocksIn(node, depth).join('\n\n');
  switch (node.type) {
    case 'paragraph':
      return inside();
    case 'heading':
      return `${'#'.repeat(Math.min(Math.max(numberOf(attrs.level) ?? 1, 1), 6))} ${inside()}`;
    case 'bulletList':
    case 'decisionList':
      return listText(node, depth, () => '- ');
    case 'orderedList':
      return listText(node, depth, (index) => `${(numberOf(attrs.order) ?? 1) + index}. `);
    case 'taskList':
      return listText(node, depth, (_, item) =>
        objectOf(item.attrs).state === 'DONE' ? '- [x] ' : '- [ ] ',
      );
    case 'codeBlock':
      return `\`\`\`${textOf(attrs.language)}\n${rawText(node)}\n\`\`\``;
    case 'blockquote':
    case 'panel':
      return inside().replace(/^/gm, '> ');
    case 'expand':
    case 'nestedExpand':
      return [textOf(attrs.title), ...blocksIn(node, depth)].filter((text) => text !== '').join('\n\n');
    case 'rule':
      return '---';
    case 'table':
      return objectsIn(node.content)
        .map(
          (row) =>
            `| ${objectsIn(row.content)
              .map((cell) => cellText(cell, depth))
              .join(' | ')} |`,
        )
        .join('\n');
    case 'mediaSingle':
    case 'mediaGroup':
    case 'layoutSection':
    case 'layoutColumn':
    case 'bodiedExtension':
      return inside();
    case 'blockCard':
    case 'embedCard':
      return textOf(attrs.url);
    case 'extension':
      return `[${textOf(attrs.extensionKey) || 'macro'}]`;
    default:
      return null;
  }
}

function listText(
  node: JsonObject,
  depth: number,
  bullet: (index: number, item: JsonObject) => string,
): string {
  return objectsIn(node.content)
    .map((item, index) => {
      const mark = bullet(index, item);
      const text = blocksIn(item, depth + 1).join('\n');
      return `${mark}${text.replace(/\n/g, `\n${' '.repeat(mark.length)}`)}`;
    })
    .join('\n');
}

function cellText(cell: JsonObject, depth: number): string {
  return blocksIn(cell, depth + 2)
    .join(' ')
    .replace(/\n/g, ' ')
    .replace(/\|/g, '\\|');
}

function rawText(node: JsonObject): string {
  return objectsIn(node.content)
    .map((child) => textOf(child.text))
    .join('');
}

function inlineText(nodes: readonly JsonObject[], depth: number): string {
  return nodes.map((node) => oneInline(node, depth)).join('');
}

function oneInline(node: JsonObject, depth: number): string {
  const attrs = objectOf(node.attrs);
  switch (node.type) {
    case 'text':
      return objectsIn(node.marks).reduce(marked, textOf(node.text));
    case 'hardBreak':
      return '\n';
    case 'mention':
      return textOf(attrs.text) || `@${textOf(attrs.id)}`;
    case 'emoji':
      return textOf(attrs.text) || textOf(attrs.shortName);
    case 'date':
      return dateText(textOf(attrs.timestamp));
    case 'status':
      return `[${textOf(attrs.text)}]`;
    case 'inlineCard':
      return textOf(attrs.url);
    case 'media':
    case 'mediaInline':
      return `[${textOf(attrs.alt) || textOf(attrs.url) || 'attachment'}]`;
    case 'inlineExtension':
      return `[${textOf(attrs.extensionKey) || 'macro'}]`;
    default:
      return blocksIn(node, depth + 1).join('\n');
  }
}

function marked(text: string, mark: JsonObject): string {
  switch (mark.type) {
    case 'strong':
      return `**${text}**`;
    case 'em':
      return `*${text}*`;
    case 'strike':
      return `~~${text}~~`;
    case 'code':
      return `\`${text}\``;
    case 'link':
      return `[${text}](${textOf(objectOf(mark.attrs).href)})`;
    default:
      return text;
  }
}

/** Milliseconds since 1970 as a text. */
function dateText(timestamp: string): string {
  const date = new Date(Number(timestamp));
  return timestamp === '' || Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10);
}
