import { STATE_FIELDS } from './elements.js';
import {
  type Fields,
  fieldsOf,
  isFields,
  isView,
  listOf,
  type Message,
  stringOf,
  type View,
} from './protocol.js';

/** Names for ids inside mentions; both give null for what they do not know. */
export interface Names {
  user(id: string): string | null;
  channel(id: string): string | null;
}

const NO_NAMES: Names = { user: () => null, channel: () => null };

/**
 * A message or view as plain lines, the way a person reads it: mentions by name, `[Approve]` for a button,
 * `Label: value` for an input. Pure; used by the demo and by assertions.
 */
export function renderText(shown: Message | View | null, names: Names = NO_NAMES): string {
  if (!shown) return '';
  if (!isView(shown)) {
    const lines = (shown.blocks ?? []).flatMap((block) => blockLines(block, {}, names));
    return lines.length > 0 ? lines.join('\n') : mrkdwn(shown.text, names);
  }
  const title = shown.type === 'modal' ? [`= ${textOf(shown.title, names)} =`] : [];
  const buttons = [shown.submit, shown.close].map((button) => textOf(button, names)).filter(Boolean);
  const blocks = shown.blocks.flatMap((block) => blockLines(block, shown.state.values, names));
  return [...title, ...blocks, ...buttons.map((label) => `[${label}]`)].join('\n');
}

function blockLines(block: Fields, values: Fields, names: Names): string[] {
  const text = textOf(block.text, names);
  const entries = fieldsOf(values[stringOf(block.block_id)]);
  const element = (one: Fields): string =>
    elementText(one, fieldsOf(entries[stringOf(one.action_id)]), names);
  switch (block.type) {
    case 'header':
      return [`# ${text}`];
    case 'divider':
      return ['---'];
    case 'section': {
      const fields = listOf(block.fields).map((field) => textOf(field, names));
      const accessory = isFields(block.accessory) ? [element(block.accessory)] : [];
      return [...text.split('\n'), ...fields, ...accessory].filter(Boolean);
    }
    case 'context':
      return [
        listOf(block.elements)
          .map((one) => (one.type === 'image' ? `(${stringOf(one.alt_text)})` : textOf(one, names)))
          .join(' · '),
      ];
    case 'actions':
    case 'context_actions':
      return [listOf(block.elements).map(element).filter(Boolean).join(' ')];
    case 'input': {
      const hint = textOf(block.hint, names);
      const optional = block.optional === true ? ' (optional)' : '';
      const line = `${textOf(block.label, names)}${optional}: ${element(fieldsOf(block.element))}`;
      return hint ? [line, `  ${hint}`] : [line];
    }
    case 'rich_text':
      return richText(block, names).split('\n');
    case 'image':
      return [`(${stringOf(block.alt_text)})`];
    case 'table':
    case 'data_table':
      return (Array.isArray(block.rows) ? block.rows : []).map((row: unknown) =>
        listOf(row)
          .map((cell) => textOf(cell, names) || richText(cell, names))
          .join(' | '),
      );
    default: {
      const words = [block.title, block.subtitle, block.body, block.subtext].map((one) => textOf(one, names));
      const nested = [...listOf(block.child_blocks), ...listOf(block.elements)];
      const buttons = listOf(block.actions).map(element).join(' ');
      return [text, ...words, ...nested.flatMap((one) => blockLines(one, values, names)), buttons].filter(
        Boolean,
      );
    }
  }
}

function elementText(element: Fields, entry: Fields, names: Names): string {
  const type = stringOf(element.type);
  const label = textOf(element.text, names);
  if (type === 'overflow') return `[… ${listOf(element.options).map(optionText).join(' / ')}]`;
  if (type === 'image') return `(${stringOf(element.alt_text)})`;
  const keeps = STATE_FIELDS[type];
  if (!keeps) return label ? `[${label}]` : '';
  const value = entry[keeps.field] ?? element[keeps.initial];
  const shown = (Array.isArray(value) ? value : [value])
    .filter((one) => one !== null && one !== undefined && one !== '')
    .map((one) => valueText(one, names));
  return shown.length > 0 ? shown.join(', ') : `<${textOf(element.placeholder, names)}>`;
}

function valueText(value: unknown, names: Names): string {
  if (!isFields(value)) return names.user(String(value)) ?? names.channel(String(value)) ?? String(value);
  return value.type === 'rich_text' ? richText(value, names) : optionText(value);
}

const optionText = (option: Fields): string => stringOf(fieldsOf(option.text).text);

/** The words of a text object (or of a bare string, as in markdown blocks). */
function textOf(given: unknown, names: Names): string {
  if (typeof given === 'string') return given;
  const { type, text } = fieldsOf(given);
  return type === 'mrkdwn' ? mrkdwn(stringOf(text), names) : stringOf(text);
}

/** Mentions and links by their words, entities back to characters; emphasis marks stay as they are. */
function mrkdwn(text: string, names: Names): string {
  return text
    .replace(/<@([A-Z0-9]+)(?:\|[^>]*)?>/g, (_, id: string) => `@${names.user(id) ?? id}`)
    .replace(/<#([A-Z0-9]+)(?:\|[^>]*)?>/g, (_, id: string) => `#${names.channel(id) ?? id}`)
    .replace(/<!subteam\^([A-Z0-9]+)(?:\|([^>]*))?>/g, (_, id: string, label?: string) => label ?? `@${id}`)
    .replace(/<!date\^[^|>]*\|([^>]*)>/g, '$1')
    .replace(/<!(\w+)>/g, '@$1')
    .replace(/<([^|<>]+)\|([^<>]+)>/g, '$2 ($1)')
    .replace(/<((?:https?|mailto):[^<>]+)>/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function richText(node: Fields, names: Names): string {
  const children = listOf(node.elements);
  const inner = (separator: string): string =>
    children.map((child) => richText(child, names)).join(separator);
  switch (node.type) {
    case 'rich_text':
      return inner('\n');
    case 'rich_text_list':
      return children.map((child) => `• ${richText(child, names)}`).join('\n');
    case 'rich_text_quote':
      return `> ${inner('')}`;
    case 'user':
      return `@${names.user(stringOf(node.user_id)) ?? stringOf(node.user_id)}`;
    case 'channel':
      return `#${names.channel(stringOf(node.channel_id)) ?? stringOf(node.channel_id)}`;
    case 'usergroup':
      return `@${stringOf(node.usergroup_id)}`;
    case 'broadcast':
      return `@${stringOf(node.range)}`;
    case 'emoji':
      return `:${stringOf(node.name)}:`;
    case 'link':
      return node.text ? `${stringOf(node.text)} (${stringOf(node.url)})` : stringOf(node.url);
    case 'date':
      return stringOf(node.fallback) || new Date(Number(node.timestamp) * 1000).toISOString();
    default:
      return children.length > 0 ? inner('') : stringOf(node.text);
  }
}
