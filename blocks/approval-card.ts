/** The approval card, its Details and the forms around it. Pure: everything that is shown comes in as data. */
import type { ActionsBlock, KnownBlock, View } from '@slack/types';
import { escapeMrkdwn, excerpt, hostOf, plain, preformatted, quote, visible } from './inert.js';

export const APPROVAL_ACTIONS = {
  approve: 'approval.approve',
  deny: 'approval.deny',
  edit: 'approval.edit',
  details: 'approval.details',
} as const;

export interface ShownField {
  readonly label: string;
  /** The caller's value, as it is. */
  readonly value: string;
  readonly kind: 'short' | 'long' | 'link';
}

export interface ShownDecision {
  readonly userId: string;
  readonly decision: 'approved' | 'denied';
  readonly reason: string | null;
  readonly at: Date;
}

export interface ApprovalCard {
  readonly executionId: string;
  /** First 8 hex digits of the digest. */
  readonly hash: string;
  readonly functionTitle: string;
  readonly connectionName: string;
  readonly connectionKey: string;
  /** "bot@corp.example · shared". */
  readonly actingAs: string;
  readonly callerName: string;
  readonly callerKind: string;
  readonly callerStage: string;
  readonly requesterId: string;
  readonly onBehalfOf: string | null;
  readonly risk: 'read' | 'write' | 'destructive';
  readonly fields: readonly ShownField[];
  readonly reason: string | null;
  readonly deciders: { readonly users: readonly string[]; readonly groups: readonly string[] };
  readonly quorum: number;
  readonly decisions: readonly ShownDecision[];
  readonly status:
    | 'pending_approval'
    | 'queued'
    | 'executing'
    | 'succeeded'
    | 'failed'
    | 'outcome_unknown'
    | 'denied'
    | 'expired'
    | 'cancelled';
  readonly expiresAt: Date;
  /** Why it ended the way it did, where there is something to say. */
  readonly note: string | null;
}

/** More than that is for Details; the card then says so and leaves Approve to them. */
const CARD_FIELD_LIMIT = 900;
const CARD_FIELDS = 14;
const DETAILS_PAGE_CHARACTERS = 60_000;
const DETAILS_CHUNK = 2_800;

const RISK_WORDS = {
  read: 'Reads only',
  write: 'Writes: it changes something',
  destructive: 'Destructive: hard or impossible to undo',
} as const;

/** Time in the reader's own zone; the fallback is for clients that cannot. */
export function slackTime(at: Date): string {
  const fallback = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `<!date^${Math.floor(at.getTime() / 1_000)}^{date_short_pretty} {time}|${fallback}>`;
}

const value = (text: string): string => escapeMrkdwn(visible(text));
const mrkdwn = (text: string) => ({ type: 'mrkdwn' as const, text, verbatim: true });
const context = (...texts: string[]): KnownBlock => ({ type: 'context', elements: texts.map(mrkdwn) });

function people(ids: readonly string[]): string {
  return ids.map((id) => `<@${id}>`).join(', ');
}

function isWhole(card: ApprovalCard): boolean {
  if (card.fields.length > CARD_FIELDS) return false;
  return card.fields.every((field) => excerpt(field.value, CARD_FIELD_LIMIT).complete);
}

function facts(card: ApprovalCard): KnownBlock {
  const behind = card.onBehalfOf ? `for <@${card.onBehalfOf}>` : `owned by <@${card.requesterId}>`;
  return {
    type: 'section',
    fields: [
      mrkdwn(`*Who asks*\n${value(card.callerName)} (${card.callerKind}, ${card.callerStage}), ${behind}`),
      mrkdwn(`*On*\n${value(card.connectionName)}`),
      mrkdwn(`*Acting as*\n${value(card.actingAs)}`),
      mrkdwn(`*Risk*\n${RISK_WORDS[card.risk]}`),
    ],
  };
}

/** Labels are ours; values stand in plain text or a preformatted box, where Slack parses nothing. */
function fieldBlocks(fields: readonly ShownField[], limit: number): KnownBlock[] {
  const blocks: KnownBlock[] = [];
  let row: ShownField[] = [];
  const flush = () => {
    if (row.length === 0) return;
    blocks.push({
      type: 'section',
      fields: row.map((field) =>
        plain(`${visible(field.label)}\n${excerpt(field.value, limit).shown}`, 2_000),
      ),
    });
    row = [];
  };
  for (const field of fields) {
    if (field.kind === 'short' && [...field.value].length <= 200) {
      row.push(field);
      if (row.length === 2) flush();
      continue;
    }
    flush();
    const host = field.kind === 'link' ? hostOf(field.value) : null;
    blocks.push(context(`*${value(field.label)}*${host === null ? '' : `  ·  leads to \`${value(host)}\``}`));
    blocks.push(preformatted(excerpt(field.value, limit).shown));
  }
  flush();
  return blocks;
}

function deciders(card: ApprovalCard): string {
  const { users, groups } = card.deciders;
  const named = users.length > 0 ? people(users.slice(0, 12)) : '';
  const more = users.length > 12 ? ` and ${users.length - 12} more` : '';
  const grouped =
    groups.length > 0 ? `members of ${groups.map((group) => `group \`${value(group)}\``).join(', ')}` : '';
  const who =
    [named + more, grouped].filter((part) => part !== '').join(', ') ||
    'nobody at the moment; admins were asked to name somebody';
  return card.quorum > 1 ? `${who} (${card.quorum} approvals needed, one denial ends it)` : who;
}

function statusLine(card: ApprovalCard): string {
  const last = card.decisions.at(-1);
  const by = last ? `<@${last.userId}> · ${slackTime(last.at)}` : '';
  const note = card.note ? `\n${value(card.note)}` : '';
  switch (card.status) {
    case 'pending_approval':
      return `:hourglass_flowing_sand: *Waiting for a decision* · expires ${slackTime(card.expiresAt)}`;
    case 'queued':
      return `:white_check_mark: *Approved* by ${by} · about to run${note}`;
    case 'executing':
      return `:white_check_mark: *Approved* by ${by} · running${note}`;
    case 'succeeded':
      return `:white_check_mark: *Approved* by ${by} · *done*${note}`;
    case 'failed':
      return `:warning: *Approved* by ${by} · *failed*${note}`;
    case 'outcome_unknown':
      return `:grey_question: *Approved* by ${by} · *outcome unknown*${note}`;
    case 'denied':
      return `:no_entry: *Denied* by ${by}${note}`;
    case 'expired':
      return `:alarm_clock: *Expired*${note}`;
    case 'cancelled':
      return `:heavy_minus_sign: *Cancelled*${note}`;
  }
}

function buttons(card: ApprovalCard, withApprove: boolean, withDetails: boolean): ActionsBlock {
  const payload = `${card.executionId}:${card.hash}`;
  const button = (action: keyof typeof APPROVAL_ACTIONS, text: string, style?: 'primary' | 'danger') => ({
    type: 'button' as const,
    action_id: APPROVAL_ACTIONS[action],
    text: { type: 'plain_text' as const, text, emoji: false },
    value: payload,
    ...(style ? { style } : {}),
  });
  return {
    type: 'actions',
    block_id: `approval:${card.executionId}`,
    elements: [
      ...(withApprove ? [button('approve', 'Approve', 'primary')] : []),
      button('deny', 'Deny', 'danger'),
      ...(withDetails ? [button('details', 'Details')] : []),
    ],
  };
}

/** The message: in DMs and in the channel alike. `text` is what notifications and screen readers get. */
export function approvalMessage(card: ApprovalCard): { text: string; blocks: KnownBlock[] } {
  const pending = card.status === 'pending_approval';
  const whole = isWhole(card);
  const shown = card.fields.slice(0, CARD_FIELDS);
  const left = card.fields.length - shown.length;
  const blocks: KnownBlock[] = [
    { type: 'header', text: plain(visible(card.functionTitle), 150, 'ellipsis') },
    { type: 'section', text: mrkdwn(statusLine(card)) },
    facts(card),
    { type: 'divider' },
    ...(shown.length > 0 ? fieldBlocks(shown, CARD_FIELD_LIMIT) : [context('_No arguments._')]),
  ];
  if (left > 0) blocks.push(context(`*${left} more arguments* are in Details.`));
  if (card.reason)
    blocks.push(
      context(`*${value(card.callerName)} says* (the agent’s words, not checked)`),
      quote(excerpt(card.reason, 600).shown),
    );
  if (pending) {
    blocks.push({ type: 'divider' }, context(`*May decide:* ${deciders(card)}`));
    if (!whole)
      blocks.push(
        context(':mag: Not everything fits here. Open *Details* to read all of it; Approve is there.'),
      );
    blocks.push(buttons(card, whole, true));
  } else {
    blocks.push({ type: 'actions', block_id: `approval:${card.executionId}`, elements: detailsOnly(card) });
  }
  blocks.push(context(`\`${card.executionId}\` · \`${card.hash}\``));
  return { text: fallback(card), blocks };
}

function detailsOnly(card: ApprovalCard): ActionsBlock['elements'] {
  return buttons(card, false, true).elements.slice(1);
}

function fallback(card: ApprovalCard): string {
  const what = `${value(card.callerName)}: ${value(card.functionTitle)} on ${value(card.connectionName)}`;
  if (card.status === 'pending_approval') return `Approval needed: ${what} (${card.executionId})`;
  return `${card.status.replace('_', ' ')}: ${what} (${card.executionId})`;
}

/** The decisions so far, with their reasons quoted. */
function decisionBlocks(card: ApprovalCard): KnownBlock[] {
  return card.decisions.flatMap((each) => [
    context(
      `*${each.decision === 'approved' ? 'Approved' : 'Denied'}* by <@${each.userId}> · ${slackTime(each.at)}`,
    ),
    ...(each.reason ? [quote(excerpt(each.reason, 1_000).shown)] : []),
  ]);
}

interface Page {
  readonly fields: { label: string; text: string }[];
}

/** Every character of every argument, in pages small enough for a view (250 kB). */
function pages(fields: readonly ShownField[]): Page[] {
  const result: Page[] = [{ fields: [] }];
  let size = 0;
  for (const field of fields) {
    const characters = [...visible(field.value)];
    for (let at = 0; at === 0 || at < characters.length; at += DETAILS_CHUNK) {
      const text = characters.slice(at, at + DETAILS_CHUNK).join('');
      const page = result.at(-1);
      if (size + text.length > DETAILS_PAGE_CHARACTERS || (page && page.fields.length >= 40)) {
        result.push({ fields: [] });
        size = 0;
      }
      size += text.length;
      result.at(-1)?.fields.push({ label: at === 0 ? field.label : `${field.label} (continued)`, text });
    }
  }
  return result;
}

export interface DetailsOptions {
  /** 0-based. Approve stands on the last page only, so that nobody approves what was not opened. */
  readonly page: number;
  readonly mayDecide: boolean;
  /** What the person was just told: a refusal, or who was faster. */
  readonly notice: string | null;
}

export function approvalDetails(card: ApprovalCard, options: DetailsOptions): View {
  const all = pages(card.fields);
  const page = Math.min(Math.max(0, options.page), all.length - 1);
  const last = page === all.length - 1;
  const pending = card.status === 'pending_approval';
  const blocks: KnownBlock[] = [
    ...(options.notice
      ? [{ type: 'section' as const, text: mrkdwn(`:information_source: ${options.notice}`) }]
      : []),
    { type: 'header', text: plain(visible(card.functionTitle), 150, 'ellipsis') },
    { type: 'section', text: mrkdwn(statusLine(card)) },
    facts(card),
    context(`*May decide:* ${deciders(card)}`),
    ...decisionBlocks(card),
    { type: 'divider' },
    ...(all[page]?.fields ?? []).flatMap(({ label, text }): KnownBlock[] => [
      context(`*${value(label)}*`),
      text === '' ? context('_empty_') : preformatted(text),
    ]),
  ];
  if (card.reason && last)
    blocks.push(
      context(`*${value(card.callerName)} says* (the agent’s words, not checked)`),
      quote(excerpt(card.reason, 2_000).shown),
    );
  if (all.length > 1) blocks.push(pager(card, page, all.length));
  if (pending && options.mayDecide) {
    if (last) blocks.push(buttons(card, true, false));
    else blocks.push(context('Read on: Approve and Deny are on the last page.'));
  }
  blocks.push(context(`\`${card.executionId}\` · \`${card.hash}\``));
  return {
    type: 'modal',
    callback_id: 'approval.details',
    private_metadata: JSON.stringify({ execution: card.executionId, page }),
    title: plain('Details', 24),
    close: plain('Close', 24),
    blocks,
  };
}

function pager(card: ApprovalCard, page: number, count: number): KnownBlock {
  const to = (target: number, text: string, action: string) => ({
    type: 'button' as const,
    action_id: action,
    text: { type: 'plain_text' as const, text, emoji: false },
    value: `${card.executionId}:${card.hash}:${target}`,
  });
  return {
    type: 'actions',
    block_id: 'approval.pages',
    elements: [
      ...(page > 0 ? [to(page - 1, 'Page back', 'approval.page_back')] : []),
      ...(page < count - 1 ? [to(page + 1, `Page ${page + 2} of ${count}`, 'approval.page_on')] : []),
    ],
  };
}

/** Asks for the reason of a denial; it is what the caller is told. */
export function denyForm(
  card: Pick<ApprovalCard, 'executionId' | 'hash' | 'functionTitle' | 'callerName'>,
): View {
  return {
    type: 'modal',
    callback_id: 'approval.deny',
    private_metadata: `${card.executionId}:${card.hash}`,
    title: plain('Deny this call', 24),
    submit: plain('Deny', 24),
    close: plain('Back', 24),
    blocks: [
      {
        type: 'section',
        text: plain(`${visible(card.functionTitle)}, asked by ${visible(card.callerName)}`, 300, 'ellipsis'),
      },
      {
        type: 'input',
        block_id: 'reason',
        optional: true,
        label: plain('Why? The caller is told.', 100),
        element: {
          type: 'plain_text_input',
          action_id: 'reason',
          multiline: true,
          max_length: 500,
          placeholder: plain('e.g. wrong customer, ask me tomorrow', 150),
        },
      },
    ],
  };
}
