/**
 * Markdown as Atlassian documents (ADF), which v3 wants for every text of several lines.
 *
 * `marklassian` 1.2.1 does the conversion and is not trusted with a caller's text: it drops HTML silently, takes
 * `<adf>` JSON over verbatim (mentions, macros), fetches pictures from anywhere, links to `javascript:`, nests what
 * Jira refuses, gives random ids, and some texts of a few KiB keep it busy for minutes. So HTML, pictures and odd
 * links are defused before, the conversion is cut off after a while, and only known nodes are built anew after it.
 */
import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { markdownToAdf } from 'marklassian';
import type { JsonValue } from '../framework.js';
import { type JsonObject, numberOf, objectOf, objectsIn, textOf } from '../json.js';

/** Unicode noncharacters: never part of a text that is meant to be read. */
const LESS_THAN = '\uFDD0';
const JOINER = '\uFDD1';

/**
 * Nothing else runs meanwhile, so this is what one hostile text costs everybody. Ordinary markdown of 32 KiB takes 10
 * to 20 ms.
 */
const LONGEST_CHECK_MS = 150;
/** On a machine with too much to do, and for texts that passed the check before. */
const LONGEST_CONVERSION_MS = 600;

/** Hashes of the texts that passed `isConvertible`: the card and the call ask again. */
const passed = new Set<string>();
const MOST_PASSED = 1_000;

/** Whether texts can be converted soon enough, all of them together. Remembers a yes. */
export function isConvertible(texts: readonly string[]): boolean {
  const hash = createHash('sha256').update(JSON.stringify(texts)).digest('base64');
  if (passed.has(hash)) return true;
  const safe = texts.map(defuse);
  const before = process.cpuUsage();
  if (!converted(safe, LONGEST_CHECK_MS)) {
    const { user, system } = process.cpuUsage(before);
    const hadItsTime = (user + system) / 1_000 > LONGEST_CHECK_MS / 2;
    if (hadItsTime || !converted(safe, LONGEST_CONVERSION_MS)) return false;
  }
  if (passed.size >= MOST_PASSED) passed.clear();
  passed.add(hash);
  return true;
}

/** @returns an ADF document, or null for a text whose conversion takes too long or nests too deep */
export function markdownToDocument(markdown: string): JsonObject | null {
  const [content] = converted([defuse(markdown)], LONGEST_CONVERSION_MS) ?? [];
  if (!content) return null;
  const built = blocks(content, 'document');
  return { type: 'doc', version: 1, content: built.length > 0 ? built : [paragraph([])] };
}

/** `vm` is here for its watchdog alone: it also stops a regular expression that does not come back. */
function converted(texts: readonly string[], timeout: number): JsonObject[][] | null {
  const convert = (): string => JSON.stringify(texts.map((text) => markdownToAdf(text)));
  try {
    const documents = JSON.parse(String(runInNewContext('convert()', { convert }, { timeout }))) as JsonValue;
    return objectsIn(documents).map(({ content }) => objectsIn(content));
  } catch {
    return null;
  }
}

/**
 * Takes the meaning from HTML, from pictures (they stay as links: Jira would show one from any host) and from links
 * that lead neither to the web nor to a mailbox (they stay as typed).
 */
function defuse(markdown: string): string {
  return markdown
    .replace(/[\uFDD0\uFDD1]/g, '')
    .replace(/\r\n?/g, '\n')
    .replace(/<(?!https?:\/\/|mailto:)/gi, LESS_THAN)
    .replace(/!\[/g, `!${JOINER}[`)
    .replace(/\]\((?!https?:\/\/|mailto:)/gi, `]${JOINER}(`);
}

function restored(text: string): string {
  return text.replaceAll(LESS_THAN, '<').replaceAll(JOINER, '');
}

type Place = 'document' | 'quote' | 'item' | 'cell';

/** Children of one node: what is inline becomes paragraphs, blocks stay where the ADF schema allows them. */
function blocks(nodes: readonly JsonObject[], place: Place): JsonObject[] {
  const built: JsonObject[] = [];
  let run: JsonObject[] = [];
  const endRun = () => {
    if (run.length > 0) built.push(paragraph(run));
    run = [];
  };
  for (const node of nodes) {
    if (node.type === 'text' || node.type === 'hardBreak') run.push(node);
    else {
      endRun();
      built.push(...block(node, place));
    }
  }
  endRun();
  return built;
}

/** One node built anew from what is known about it; flattened where `place` cannot hold it. */
function block(node: JsonObject, place: Place): JsonObject[] {
  const children = objectsIn(node.content);
  switch (node.type) {
    case 'paragraph':
      return [paragraph(children)];
    case 'heading': {
      if (place !== 'document') return [paragraph(children)];
      const level = Math.min(Math.max(numberOf(objectOf(node.attrs).level) ?? 1, 1), 6);
      return [{ type: 'heading', attrs: { level }, content: inline(children) }];
    }
    case 'codeBlock':
      return [codeBlock(node)];
    case 'blockquote':
      return place === 'document'
        ? [filled('blockquote', blocks(children, 'quote'))]
        : blocks(children, place);
    case 'rule':
      return place === 'document' ? [{ type: 'rule' }] : [];
    case 'bulletList':
      return [{ type: 'bulletList', content: children.map((item) => listItem(item)) }];
    case 'orderedList': {
      const order = Math.max(numberOf(objectOf(node.attrs).order) ?? 1, 0);
      return [{ type: 'orderedList', attrs: { order }, content: children.map((item) => listItem(item)) }];
    }
    // Jira's own tasks carry an id each, which would differ between what was approved and what is sent.
    case 'taskList':
      return [{ type: 'bulletList', content: children.map((item) => listItem(item, checkbox(item))) }];
    case 'table':
      if (place === 'document') return [{ type: 'table', content: children.map(tableRow) }];
      return children.flatMap((row) =>
        objectsIn(row.content).flatMap((cell) => blocks(objectsIn(cell.content), place)),
      );
    default:
      return [];
  }
}

function paragraph(nodes: readonly JsonObject[]): JsonObject {
  return { type: 'paragraph', content: inline(nodes) };
}

/** A container that ADF does not allow to be empty. */
function filled(type: string, content: JsonObject[]): JsonObject {
  return { type, content: content.length > 0 ? content : [paragraph([])] };
}

function codeBlock(node: JsonObject): JsonObject {
  const text = restored(
    objectsIn(node.content)
      .map((child) => textOf(child.text))
      .join(''),
  );
  const language = textOf(objectOf(node.attrs).language);
  return {
    type: 'codeBlock',
    ...(language !== 'text' && /^[\w+#.-]{1,40}$/.test(language) && { attrs: { language } }),
    content: text === '' ? [] : [{ type: 'text', text }],
  };
}

function checkbox(item: JsonObject): JsonObject {
  return { type: 'text', text: objectOf(item.attrs).state === 'DONE' ? '☑ ' : '☐ ' };
}

/** An item begins with a paragraph or with code, never with a list. */
function listItem(node: JsonObject, first?: JsonObject): JsonObject {
  const children = objectsIn(node.content);
  const content = blocks(first ? [first, ...children] : children, 'item');
  const startsWithList = /List$/.test(textOf(content[0]?.type));
  return filled('listItem', startsWithList ? [paragraph([]), ...content] : content);
}

function tableRow(row: JsonObject): JsonObject {
  const cells = objectsIn(row.content).map((cell) => {
    const type = cell.type === 'tableHeader' ? 'tableHeader' : 'tableCell';
    return filled(type, blocks(objectsIn(cell.content), 'cell'));
  });
  return { type: 'tableRow', content: cells };
}

function inline(nodes: readonly JsonObject[]): JsonObject[] {
  return nodes.flatMap((node, index): JsonObject[] => {
    if (node.type === 'hardBreak') return [{ type: 'hardBreak' }];
    const marks = marksOf(node);
    const isPicture = textOf(node.text).endsWith(`!${JOINER}`) && marksOf(nodes[index + 1]).some(isLink);
    const text = restored(isPicture ? textOf(node.text).slice(0, -2) : textOf(node.text));
    if (node.type !== 'text' || text === '') return [];
    return [{ type: 'text', text, ...(marks.length > 0 && { marks }) }];
  });
}

function isLink(mark: JsonObject): boolean {
  return mark.type === 'link';
}

function marksOf(node: JsonObject | undefined): JsonObject[] {
  return objectsIn(node?.marks).flatMap((mark): JsonObject[] => {
    if (isLink(mark)) {
      const href = textOf(objectOf(mark.attrs).href).replaceAll(LESS_THAN, '%3C').replaceAll(JOINER, '');
      return isPlainLink(href) ? [{ type: 'link', attrs: { href } }] : [];
    }
    return ['strong', 'em', 'strike', 'code'].includes(textOf(mark.type))
      ? [{ type: textOf(mark.type) }]
      : [];
  });
}

function isPlainLink(href: string): boolean {
  return href.length <= 2_048 && URL.canParse(href) && /^(https?|mailto):$/.test(new URL(href).protocol);
}
