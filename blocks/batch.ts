/** Many at once: every request in full, each with its own tick; nothing is decided that was not shown. Pure. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import type { ApprovalCard } from './approval-card.js';
import { excerpt, quote } from './inert.js';
import { argumentPages } from './parts/arguments.js';
import { attentionBlocks } from './parts/attention.js';
import { editedBlocks } from './parts/edited.js';
import { checkbox, modal } from './parts/inputs.js';
import { marksNoteBlocks } from './parts/marks.js';
import { decisionBlocks } from './parts/status.js';
import { detailTarget, targetFields } from './parts/target.js';
import { actions, button, context, divider, header, moment, person, said, section } from './parts/text.js';
import { MORE_WAIT, RISK_MARKS } from './parts/words.js';

/** Blocks of a page besides its items: what it is, its pager, what was left out, that there are more. */
const AROUND = 14;
const PAGE_BLOCKS = 100 - AROUND;
/** Some 180 kB of the 250 kB of a view, were every character four bytes. */
const PAGE_CHARACTERS = 40_000;
/** Names of requests that a view's metadata holds: 3,000 characters. */
const PAGE_REQUESTS = 80;
const SHOWN_REASONS = 3;
const NAMED_LEFT_OUT = 6;

export interface BatchRequest {
  readonly executionId: string;
  /** First 8 hex digits of the digest of what is shown. */
  readonly hash: string;
}

export interface BatchItem {
  /** Requests for the very same; one tick decides each of them. */
  readonly requests: readonly BatchRequest[];
  /** Of the first. */
  readonly card: ApprovalCard;
  /** What the caller said, each different reason once. */
  readonly reasons: readonly string[];
  /** Why it can be decided on its own card only; null when it can be decided here. */
  readonly alone: string | null;
}

function titleOf({ requests, card }: BatchItem): string {
  const count = requests.length > 1 ? `${requests.length} × ` : '';
  return `${count}*${said(card.functionTitle)}* on *${said(card.connectionName)}*`;
}

function aboutLine({ card, requests }: BatchItem): string {
  const behind = card.onBehalfOf ? `for ${person(card.onBehalfOf)}` : `owner ${person(card.requesterId)}`;
  const names = requests.length === 1 ? ` · ${card.executionId} · ${card.hash}` : '';
  return [
    RISK_MARKS[card.risk],
    `${said(card.callerName, 60)} (${card.callerKind}), ${behind}`,
    `acts as ${said(card.actingAs)}`,
    `expires ${moment(card.expiresAt)}${names}`,
  ].join(' · ');
}

/** Everything of one request; null when it takes more than one page of Details. */
function whole(item: BatchItem): readonly KnownBlock[] | null {
  const { card, reasons } = item;
  const pages = argumentPages([...card.fields, ...targetFields(card.target)]);
  const [shown, more] = pages;
  if (more !== undefined || shown === undefined || card.target?.blocked) return null;
  return [
    section(titleOf(item)),
    context(aboutLine(item)),
    ...attentionBlocks(card.attention),
    ...decisionBlocks(card.decisions),
    ...detailTarget(card.target),
    ...editedBlocks(card.edited, 'details'),
    ...(shown.length > 0 ? shown : [context('No arguments')]),
    ...marksNoteBlocks(card.marksNote),
    ...reasons
      .slice(0, SHOWN_REASONS)
      .flatMap((reason) => [
        context(`*Said by ${said(card.callerName)}*, not checked`),
        quote(excerpt(reason, 600).shown),
      ]),
    ...(reasons.length > SHOWN_REASONS
      ? [context(`and ${reasons.length - SHOWN_REASONS} other reasons, each on its own card`)]
      : []),
  ];
}

const charactersOf = (blocks: readonly KnownBlock[]): number => [...JSON.stringify(blocks)].length;

interface BatchPages {
  readonly pages: readonly (readonly BatchItem[])[];
  readonly leftOut: readonly BatchItem[];
}

/** What fits into a view together, in order; what does not fit by itself is left out, and named. */
function batchPages(items: readonly BatchItem[]): BatchPages {
  const pages: BatchItem[][] = [[]];
  const leftOut: BatchItem[] = [];
  let [blocks, characters, requests] = [0, 0, 0];
  for (const item of items) {
    const drawn = item.alone === null ? whole(item) : null;
    // Its tick and the line between come on top.
    const needs = (drawn?.length ?? 0) + 2;
    const size = drawn ? charactersOf(drawn) : 0;
    if (!drawn || needs > PAGE_BLOCKS || size > PAGE_CHARACTERS || item.requests.length > PAGE_REQUESTS) {
      leftOut.push(item);
      continue;
    }
    const full =
      blocks + needs > PAGE_BLOCKS ||
      characters + size > PAGE_CHARACTERS ||
      requests + item.requests.length > PAGE_REQUESTS;
    if (full) {
      pages.push([]);
      [blocks, characters, requests] = [0, 0, 0];
    }
    pages.at(-1)?.push(item);
    [blocks, characters, requests] = [blocks + needs, characters + size, requests + item.requests.length];
  }
  return { pages: pages.filter((page) => page.length > 0), leftOut };
}

/** Slack remembers ticks by block id: this one belongs to these requests, as they are shown. */
export function tickBlock(requests: readonly BatchRequest[]): string {
  const [first] = requests;
  return `tick:${first?.executionId}:${first?.hash}:${requests.length}`;
}

/** Requests of each item as a view's metadata holds them; names, never authority. */
function batchNames(items: readonly BatchItem[]): string {
  return items
    .map(({ requests }) => requests.map(({ executionId, hash }) => `${executionId}:${hash}`).join(','))
    .join(';');
}

function tick({ requests, card }: BatchItem): KnownBlock {
  const many = requests.length > 1;
  return checkbox({
    block: tickBlock(requests),
    label: `Decide: ${card.functionTitle}`,
    choice: {
      value: 'approve',
      label: many ? `Approve all ${requests.length} of these` : 'Approve this one',
      description: many ? 'Each is decided and runs on its own' : undefined,
    },
  });
}

function leftOutBlocks(leftOut: readonly BatchItem[]): KnownBlock[] {
  if (leftOut.length === 0) return [];
  const named = leftOut.slice(0, NAMED_LEFT_OUT);
  const more = leftOut.length - named.length;
  return [
    header('Not in this list'),
    ...named.map((item) =>
      section(
        `${titleOf(item)}\n${said(item.alone ?? 'Too long to be shown in full here.', 200)}`,
        button('Details', ACTIONS.details, `${item.card.executionId}:${item.card.hash}`),
      ),
    ),
    ...(more > 0 ? [context(`and ${more} more; each has its own card`)] : []),
  ];
}

function pager(at: number, count: number): KnownBlock[] {
  if (count < 2) return [];
  return [
    actions(
      [
        ...(at > 0 ? [button(`Back to page ${at}`, ACTIONS.batchBack, String(at - 1))] : []),
        ...(at < count - 1 ? [button(`Page ${at + 2} of ${count}`, ACTIONS.batchMore, String(at + 1))] : []),
      ],
      'batch.pages',
    ),
    context('Ticks count for the page that they are on: approve before you turn it.'),
  ];
}

/** @param page 0-based @param more others wait besides these */
export function batchModal(items: readonly BatchItem[], page: number, more = false): View {
  const { pages, leftOut } = batchPages(items);
  const rest = [...leftOutBlocks(leftOut), ...(more ? [context(MORE_WAIT)] : [])];
  const at = Math.min(Math.max(0, page), Math.max(0, pages.length - 1));
  const shown = pages[at] ?? [];
  if (shown.length === 0) {
    const none = items.length === 0 && !more;
    const text = none ? '*Nothing waits for you.*' : '*Nothing that can be decided in a list.*';
    return modal({ title: 'Decide several', blocks: [section(text), ...rest] });
  }
  return modal({
    title: 'Decide several',
    callback: VIEWS.approvalBatch,
    submit: 'Approve ticked',
    close: 'Close',
    metadata: { requests: batchNames(shown), page: String(at) },
    blocks: [
      context('Every request in full. What you do not tick keeps waiting; to deny one, use its own card.'),
      ...shown.flatMap((item) => [...(whole(item) ?? []), tick(item), divider]),
      ...pager(at, pages.length),
      ...(at === pages.length - 1 ? rest : []),
    ],
  });
}

export interface BatchOutcome {
  readonly functionTitle: string;
  readonly executionId: string;
  readonly done: boolean;
  /** mrkdwn of ours. */
  readonly text: string;
}

/** What became of each: one line for every decision. */
export function batchDone(outcomes: readonly BatchOutcome[]): View {
  const done = outcomes.filter((each) => each.done).length;
  return modal({
    title: 'Decided',
    callback: VIEWS.approvalBatchDone,
    blocks: [
      section(`*${done} of ${outcomes.length} recorded*`),
      ...outcomes.map(({ functionTitle, executionId, done: recorded, text }) =>
        context(
          `${recorded ? ':white_check_mark:' : ':warning:'} *${said(functionTitle, 80)}* · ${text} · ${executionId}`,
        ),
      ),
      actions([button('What still waits', ACTIONS.batchMore, '0')], 'batch.more'),
    ],
  });
}
