/** Pieces that every view is made of: sentences of ours, with other people's words in them made inert. */
import type { ActionsBlock, Button, ContextBlock, HeaderBlock, KnownBlock, SectionBlock } from '@slack/types';
import { escapeMrkdwn, plain } from '../inert.js';

/** Section text ends at 3,000 code points; a line that is longer than this is nobody's to read. */
const SECTION_ROOM = 2_800;

/** What mrkdwn would read as markup, and the character that looks like it and means nothing. */
const LOOK_ALIKES: readonly (readonly [RegExp, string])[] = [
  [/\*/g, '∗'],
  [/~/g, '∼'],
  [/`/g, 'ˋ'],
  // Between letters an underscore is no markup, and names of functions have them.
  [/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, 'ˍ'],
  [/:(?=[\p{L}\p{N}_+-]+:)/gu, '∶'],
  [/^>/, '›'],
];

/**
 * Somebody's words inside a sentence of ours: one line, at most `max` code points, in which nothing is parsed: no
 * mention, link, emoji or emphasis. Markup is shown by look-alikes, so this is for names and remarks, not for values
 * that somebody decides on.
 */
export function said(text: string, max = 120): string {
  const line = plain(text.replace(/\s+/g, ' ').trim(), max, 'ellipsis').text;
  return escapeMrkdwn(LOOK_ALIKES.reduce((shown, [markup, alike]) => shown.replace(markup, alike), line));
}

export function person(id: string): string {
  return `<@${id}>`;
}

export function channel(id: string): string {
  return `<#${id}>`;
}

export function group(id: string): string {
  return `<!subteam^${id}>`;
}

/** A moment in the reader's own time zone; in UTC for clients that cannot say it. */
export function moment(at: Date): string {
  const otherwise = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `<!date^${Math.floor(at.getTime() / 1000)}^{date_short_pretty} {time}|${otherwise}>`;
}

/** The day of a moment, where the reader is. */
export function day(at: Date): string {
  const otherwise = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `<!date^${Math.floor(at.getTime() / 1000)}^{date_short}|${otherwise}>`;
}

/** `text` is mrkdwn of ours; what others wrote in it went through `said`. Nothing else becomes a link. */
export function section(text: string, accessory?: Button): SectionBlock {
  const block: SectionBlock = { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
  return accessory ? { ...block, block_id: blockIdOf(accessory), accessory } : block;
}

export function header(text: string): HeaderBlock {
  return { type: 'header', text: plain(text, 150, 'ellipsis') };
}

export function context(text: string): ContextBlock {
  return { type: 'context', elements: [{ type: 'mrkdwn', text, verbatim: true }] };
}

export const divider: KnownBlock = { type: 'divider' };

/** As many sections as the lines need. */
export function lines(all: readonly string[]): SectionBlock[] {
  const texts: string[] = [];
  for (const line of all) {
    const last = texts.at(-1);
    const joined = last === undefined ? line : `${last}\n${line}`;
    if (last !== undefined && [...joined].length <= SECTION_ROOM) texts[texts.length - 1] = joined;
    else texts.push(line);
  }
  return texts.map((text) => section(text));
}

export interface ButtonOptions {
  readonly style?: 'primary' | 'danger';
  readonly url?: string;
  readonly confirm?: { readonly title: string; readonly text: string; readonly yes: string };
}

/** `value` is an id and nothing else. */
export function button(text: string, actionId: string, value: string, options: ButtonOptions = {}): Button {
  const { style, url, confirm } = options;
  return {
    type: 'button',
    text: plain(text, 75, 'ellipsis'),
    action_id: actionId,
    value,
    ...(style ? { style } : {}),
    ...(url ? { url } : {}),
    ...(confirm
      ? {
          confirm: {
            title: plain(confirm.title, 100, 'ellipsis'),
            text: plain(confirm.text, 300, 'ellipsis'),
            confirm: plain(confirm.yes, 30, 'ellipsis'),
            deny: plain('Cancel', 30),
          },
        }
      : {}),
  };
}

export function actions(elements: readonly Button[], blockId?: string): ActionsBlock {
  const [first] = elements;
  const block_id = blockId ?? (first ? blockIdOf(first) : undefined);
  return { type: 'actions', ...(block_id ? { block_id } : {}), elements: [...elements] };
}

/** Slack: at most 255 characters. */
const LONGEST_BLOCK_ID = 255;

/**
 * The same in each drawing of a view. Where a block has no id of its own Slack gives it another one each time, and a
 * click on what is drawn anew at that moment is about a button that is not there any more.
 */
function blockIdOf({ action_id, value }: Button): string {
  return `${action_id}:${value}`.slice(0, LONGEST_BLOCK_ID);
}

/** Escaping can make a text five times as long. */
const LONGEST_PROBLEM = 550;

/** An error's sentence as mrkdwn: what it quotes is inert, and the people it names are shown as people. */
export function inertSentence(text: string): string {
  const inert = escapeMrkdwn(plain(text, LONGEST_PROBLEM, 'ellipsis').text);
  return inert.replace(/&lt;(@[UW][A-Z0-9]{1,20})&gt;/g, '<$1>');
}

/** The same where it stands alone. */
export function explained(text: string): string {
  return `:warning: ${inertSentence(text)}`;
}
