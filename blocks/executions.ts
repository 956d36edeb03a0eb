/** Tool executions: the list, and the detail that an auditor reads. Pure. */
import type { KnownBlock, View } from '@slack/types';
import type { ApprovalStatus, ExecutionStatus, Requirement, Risk } from '../models/types.js';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import { excerpt, plain, quote, visible } from './inert.js';
import { payloadBlocks } from './parts/arguments.js';
import { modal } from './parts/inputs.js';
import { outcomeBlocks, outcomeButton, type ShownOutcome } from './parts/outcome.js';
import { resultBlocks, type ShownResult } from './parts/reading.js';
import { ROOM } from './parts/room.js';
import { decisionBlocks, readable, type ShownDecision, STATUS_MARKS } from './parts/status.js';
import { actions, button, context, divider, header, moment, person, said, section } from './parts/text.js';

export interface ExecutionRow {
  readonly id: string;
  readonly functionTitle: string;
  readonly connectionName: string;
  readonly callerName: string;
  readonly status: ExecutionStatus;
  readonly risk: Risk;
  readonly requirement: Requirement;
  readonly approvalStatus: ApprovalStatus;
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
  /** Null: this viewer sees metadata only. Texts are JSON, or say why there is none. */
  readonly payloads: {
    readonly arguments: string;
    /** As they were asked for, where an approver changed them. */
    readonly original?: string | null;
    readonly result: ShownResult | null;
  } | null;
  /** Of a call whose outcome is unknown. */
  readonly outcome?: ShownOutcome | null;
  /** The execution that asks again. */
  readonly replacedBy?: string | null;
}

export const EXECUTIONS_PER_PAGE = 15;

/** What became of the question, where the status does not say it already. */
function approvalWords({ requirement, approvalStatus, status }: ExecutionRow): string[] {
  if (requirement === 'none') return ['no approval needed'];
  if (requirement === 'granted') return ['covered by a grant'];
  if (requirement === 'blocked') return ['blocked by policy'];
  const said = status === approvalStatus || status.startsWith('pending');
  return said ? [] : [readable(approvalStatus)];
}

export function executionRow(row: ExecutionRow): KnownBlock {
  const title = `${STATUS_MARKS[row.status]} *${said(row.functionTitle)}* on ${said(row.connectionName)}`;
  const about = [
    readable(row.status),
    ...approvalWords(row),
    row.risk,
    said(row.callerName, 60),
    moment(row.createdAt),
  ];
  return {
    ...section(`${title}\n${about.join(' · ')}`, button('Open', ACTIONS.executionOpen, row.id)),
    block_id: `execution:${row.id}`,
  };
}

/** The answer to `/executions`: newest first, fifteen a page. */
export function executionList(
  rows: readonly ExecutionRow[],
  next: string | null,
): { text: string; blocks: KnownBlock[] } {
  if (rows.length === 0) {
    const text = 'No tool executions yet.';
    const how = 'They appear here as soon as a caller uses a connection. `/connections` lists those.';
    return { text, blocks: [section(`*${text}*\n${how}`)] };
  }
  return {
    text: `${rows.length} tool executions, newest first`,
    blocks: [
      header('Tool executions'),
      ...rows.map(executionRow),
      ...(next ? [actions([button('Older', ACTIONS.executionMore, next)], 'executions.more')] : []),
    ],
  };
}

const METADATA_ONLY =
  ':lock: Arguments and result are for auditors, the requester, the member concerned and those who were asked to decide. Ask an admin for the auditor role if you need more.';

function facts(execution: ExecutionDetail): KnownBlock {
  const { requesterId, onBehalfOf } = execution;
  const behind = onBehalfOf ? `for ${person(onBehalfOf)}` : `owner ${person(requesterId)}`;
  const field = (label: string, text: string) => ({
    type: 'mrkdwn' as const,
    text: `*${label}*\n${text}`,
    verbatim: true,
  });
  return {
    type: 'section',
    fields: [
      field('Status', `${STATUS_MARKS[execution.status]} ${readable(execution.status)}`),
      field('Risk', execution.risk),
      field('Approval requirement', execution.requirement),
      field('Approval status', readable(execution.approvalStatus)),
      field('Caller', `${said(execution.callerName)}, ${behind}`),
      field('Connection', `${said(execution.connectionName)} \`${execution.connectionKey}\``),
      field('Acts as', said(execution.actingAs)),
      field('Function', `\`${execution.functionName}\``),
    ],
  };
}

function times({ createdAt, startedAt, finishedAt }: ExecutionDetail): KnownBlock {
  return context(
    [
      `Asked ${moment(createdAt)}`,
      ...(startedAt ? [`sent ${moment(startedAt)}`] : []),
      ...(finishedAt ? [`ended ${moment(finishedAt)}`] : []),
    ].join(' · '),
  );
}

/** The code is the contract's; the message may hold what an outside system said. */
function errorBlocks({ error }: ExecutionDetail): KnownBlock[] {
  if (!error) return [];
  return [
    context(`:warning: \`${error.code}\``),
    { type: 'section', text: plain(excerpt(error.message, 2_000).shown, 2_500) },
  ];
}

/** Whoever sees no payloads is not offered to look for them either. */
function outcome({ outcome: shown, replacedBy, payloads: readableOnes }: ExecutionDetail): KnownBlock[] {
  if (!shown) return replacedBy ? [context(`:repeat: Asked again as ${replacedBy}`)] : [];
  const buttons = readableOnes ? outcomeButton(shown) : [];
  return [...outcomeBlocks(shown), ...(buttons.length > 0 ? [actions(buttons, 'execution.outcome')] : [])];
}

function payloads({ payloads: readableOnes }: ExecutionDetail): KnownBlock[] {
  if (!readableOnes) return [context(METADATA_ONLY)];
  const { arguments: args, original, result } = readableOnes;
  const room = original ? ROOM.third : undefined;
  const changed = original ? payloadBlocks('Arguments as they were asked for', original, room) : [];
  const label = original ? 'Arguments, edited by an approver' : 'Arguments';
  return [
    ...payloadBlocks(label, args, room),
    ...changed,
    ...(result === null ? [] : resultBlocks(result, room)),
  ];
}

export function executionDetail(execution: ExecutionDetail): View {
  return {
    ...modal({
      title: 'Tool execution',
      callback: VIEWS.executionDetail,
      blocks: [
        header(visible(execution.functionTitle)),
        facts(execution),
        times(execution),
        ...decisionBlocks(execution.decisions),
        ...errorBlocks(execution),
        ...outcome(execution),
        ...(execution.reason
          ? [
              context(`*Said by ${said(execution.callerName)}*, not checked`),
              quote(excerpt(execution.reason, 1_000).shown),
            ]
          : []),
        divider,
        ...payloads(execution),
        context(`${execution.id}${execution.hash ? ` · ${execution.hash}` : ''}`),
      ],
    }),
    private_metadata: execution.id,
  };
}
