/** Tool executions: the list, and the detail that an auditor reads. Pure. */
import type { KnownBlock, View } from '@slack/types';
import { type ShownDecision, slackTime } from './approval-card.js';
import { escapeMrkdwn, excerpt, plain, preformatted, quote, visible } from './inert.js';

export interface ExecutionRow {
  readonly id: string;
  readonly functionTitle: string;
  readonly connectionName: string;
  readonly callerName: string;
  readonly status: string;
  readonly risk: string;
  readonly requirement: string;
  readonly approvalStatus: string;
  readonly createdAt: Date;
}

export interface ExecutionDetail extends ExecutionRow {
  readonly connectionKey: string;
  readonly functionName: string;
  readonly actingAs: string;
  readonly requesterId: string;
  readonly onBehalfOf: string | null;
  readonly reason: string | null;
  readonly decisions: readonly ShownDecision[];
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly hash: string | null;
  /** Null: this viewer sees metadata only. Texts are JSON. */
  readonly payloads: { readonly arguments: string; readonly result: string | null } | null;
}

const MARKS: Readonly<Record<string, string>> = {
  succeeded: ':white_check_mark:',
  failed: ':warning:',
  outcome_unknown: ':grey_question:',
  denied: ':no_entry:',
  expired: ':alarm_clock:',
  cancelled: ':heavy_minus_sign:',
  executing: ':gear:',
  queued: ':gear:',
  pending_approval: ':hourglass_flowing_sand:',
  pending_authorization: ':key:',
};

const value = (text: string): string => escapeMrkdwn(visible(text));
const mrkdwn = (text: string) => ({ type: 'mrkdwn' as const, text, verbatim: true });
const section = (text: string): KnownBlock => ({ type: 'section', text: mrkdwn(text) });
const context = (text: string): KnownBlock => ({ type: 'context', elements: [mrkdwn(text)] });
export const statusWords = (status: string): string =>
  `${MARKS[status] ?? ''} ${status.replaceAll('_', ' ')}`.trim();

export const EXECUTIONS_PER_PAGE = 15;

export function executionRow(row: ExecutionRow): KnownBlock {
  return {
    type: 'section',
    block_id: `execution:${row.id}`,
    text: mrkdwn(
      `${statusWords(row.status)} · *${value(row.functionTitle)}* on ${value(row.connectionName)}\n${value(row.callerName)} · ${slackTime(row.createdAt)} · approval: ${row.approvalStatus.replaceAll('_', ' ')} · \`${row.id}\``,
    ),
    accessory: {
      type: 'button',
      action_id: 'execution.open',
      text: plain('Open', 75),
      value: row.id,
    },
  };
}

/** The answer to `/executions`: newest first, fifteen a page. */
export function executionList(
  rows: readonly ExecutionRow[],
  next: string | null,
): { text: string; blocks: KnownBlock[] } {
  if (rows.length === 0) {
    const text =
      'No executions yet. They appear here as soon as a caller uses a connection (`/connections` lists those).';
    return { text, blocks: [section(text)] };
  }
  const blocks: KnownBlock[] = [section('*Tool executions*, newest first'), ...rows.map(executionRow)];
  if (next) {
    blocks.push({
      type: 'actions',
      block_id: 'executions.more',
      elements: [{ type: 'button', action_id: 'execution.more', text: plain('Older', 75), value: next }],
    });
  }
  return { text: `${rows.length} tool executions`, blocks };
}

const JSON_LIMIT = 8_000;

function payload(label: string, json: string): KnownBlock[] {
  const { shown, complete } = excerpt(json, JSON_LIMIT);
  const note = complete ? '' : '  ·  shortened here; `npm run admin -- execution:show` has the whole';
  return [context(`*${label}*${note}`), preformatted(shown)];
}

export function executionDetail(execution: ExecutionDetail): View {
  const times = [
    `asked ${slackTime(execution.createdAt)}`,
    execution.startedAt ? `started ${slackTime(execution.startedAt)}` : '',
    execution.finishedAt ? `ended ${slackTime(execution.finishedAt)}` : '',
  ].filter((part) => part !== '');
  const behind = execution.onBehalfOf
    ? `for <@${execution.onBehalfOf}>`
    : `owner <@${execution.requesterId}>`;
  const blocks: KnownBlock[] = [
    { type: 'header', text: plain(visible(execution.functionTitle), 150, 'ellipsis') },
    {
      type: 'section',
      fields: [
        mrkdwn(`*Status*\n${statusWords(execution.status)}`),
        mrkdwn(`*Risk*\n${execution.risk}`),
        mrkdwn(`*Approval requirement*\n${execution.requirement}`),
        mrkdwn(`*Approval status*\n${execution.approvalStatus.replaceAll('_', ' ')}`),
        mrkdwn(`*Caller*\n${value(execution.callerName)}, ${behind}`),
        mrkdwn(`*Connection*\n${value(execution.connectionName)} (\`${execution.connectionKey}\`)`),
        mrkdwn(`*Acting as*\n${value(execution.actingAs)}`),
        mrkdwn(`*Function*\n\`${execution.functionName}\``),
      ],
    },
    context(times.join(' · ')),
    ...execution.decisions.flatMap((each) => [
      context(
        `*${each.decision === 'approved' ? 'Approved' : 'Denied'}* by <@${each.userId}> · ${slackTime(each.at)}`,
      ),
      ...(each.reason ? [quote(excerpt(each.reason, 1_000).shown)] : []),
    ]),
  ];
  if (execution.error)
    blocks.push(section(`*${execution.error.code}*: ${value(execution.error.message).slice(0, 2_500)}`));
  if (execution.reason)
    blocks.push(
      context('*The caller’s reason* (its own words)'),
      quote(excerpt(execution.reason, 1_000).shown),
    );
  blocks.push({ type: 'divider' });
  if (execution.payloads) {
    blocks.push(...payload('Arguments', execution.payloads.arguments));
    if (execution.payloads.result !== null) blocks.push(...payload('Result', execution.payloads.result));
  } else {
    blocks.push(
      context(
        'Arguments and result are for auditors, the requester, the member concerned and those who were asked to decide. Ask an admin for the auditor role if you need more.',
      ),
    );
  }
  blocks.push(context(`\`${execution.id}\`${execution.hash ? ` · \`${execution.hash}\`` : ''}`));
  return {
    type: 'modal',
    callback_id: 'execution.detail',
    private_metadata: execution.id,
    title: plain('Tool execution', 24),
    close: plain('Close', 24),
    blocks,
  };
}
