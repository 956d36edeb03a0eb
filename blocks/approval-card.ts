/** The approval card, its Details and the form of a denial. Pure: everything that is shown comes in as data. */
import type { Button, KnownBlock, View } from '@slack/types';
import type { ExecutionStatus, Risk, SecondProof } from '../models/types.js';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import { excerpt, plain, quote, visible, whole } from './inert.js';
import { boxfuls, cardArguments, type ShownField } from './parts/arguments.js';
import { attentionBlocks, lookButton, type ShownAttention } from './parts/attention.js';
import { type Deciders, waitedFor } from './parts/deciders.js';
import { editedBlocks, type ShownEdit } from './parts/edited.js';
import { modal } from './parts/inputs.js';
import { marksNoteBlocks } from './parts/marks.js';
import { outcomeBlocks, outcomeButton, type ShownOutcome } from './parts/outcome.js';
import { detailPages, type ShownResult, withResult } from './parts/reading.js';
import { decided, decider, decisionBlocks, type ShownDecision, STATUS_MARKS } from './parts/status.js';
import { cardTarget, detailTarget, heldBlocks, type ShownTarget } from './parts/target.js';
import { actions, button, context, divider, header, moment, person, said, section } from './parts/text.js';

export type { ShownField } from './parts/arguments.js';
export type { ShownDecision } from './parts/status.js';

export interface Remembered {
  readonly by: string;
  readonly until: Date;
  /** It ends with a number of calls as well. */
  readonly counted: boolean;
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
  readonly risk: Risk;
  readonly fields: readonly ShownField[];
  readonly reason: string | null;
  readonly deciders: Deciders;
  /** One of these has to approve besides; null or absent where nobody has, or one of them did. */
  readonly further?: Deciders | null;
  readonly quorum: number;
  readonly decisions: readonly ShownDecision[];
  readonly status: Exclude<ExecutionStatus, 'pending_authorization'>;
  readonly expiresAt: Date;
  /** Why it ended the way it did, where there is something to say. */
  readonly note: string | null;
  /** The card offers "Don't ask again". */
  readonly rememberable?: boolean;
  /** A grant was made from this card, and still answers. */
  readonly remembered?: Remembered | null;
  /** Five approvals alike: the card says that a grant could answer. */
  readonly suggestsGrant?: boolean;
  /** An approver may change the arguments before she approves. */
  readonly editable?: boolean;
  /** Somebody did; null when nobody has. */
  readonly edited?: ShownEdit | null;
  /** What approving asks for on top of the click. */
  readonly stepUp?: SecondProof | null;
  /** About the marks of the fields as a whole, such as that they are missing. */
  readonly marksNote?: string | null;
  /** What the call changes; null or absent where nothing is known of it. */
  readonly target?: ShownTarget | null;
  /** Who looks at it, who stands in, who comes next; absent where nothing is known of it. */
  readonly attention?: ShownAttention | null;
  /** Of a call whose outcome is unknown. */
  readonly outcome?: ShownOutcome | null;
}

const RISK_WORDS: Readonly<Record<Risk, string>> = {
  read: 'Read',
  write: 'Write',
  destructive: ':warning: *Destructive*, hard to undo',
};

/** What a card has room for of what the caller says; Details hold all of it. */
const CARD_REASON = 600;

const isPending = (card: ApprovalCard): boolean => card.status === 'pending_approval';

function pendingLine(card: ApprovalCard): string {
  const until = card.attention?.paused ? 'its time stands still' : `expires ${moment(card.expiresAt)}`;
  const who = waitedFor(card);
  if (who === '')
    return `:warning: *Nobody is left who may decide.* Admins are asked to name somebody · ${until}`;
  const waiting = `${STATUS_MARKS.pending_approval} *Waiting for* ${who} · ${until}`;
  if (card.quorum < 2) return waiting;
  return `${waiting}\n${card.decisions.length} of ${card.quorum} approvals so far; one denial ends it.`;
}

const ENDS = {
  queued: 'about to run',
  executing: 'running',
  succeeded: '*done*',
  failed: '*failed*',
  outcome_unknown: '*outcome unknown*',
} as const;

/** How it stands, in one line; the mark says how it ended, not only what was decided. */
function statusLine(card: ApprovalCard): string {
  const { status } = card;
  if (status === 'pending_approval') return pendingLine(card);
  const last = card.decisions.at(-1);
  const mark = STATUS_MARKS[status];
  switch (status) {
    case 'denied':
      return `${last ? decided(last) : `${mark} *Denied*`}${card.quorum > 1 ? ' · one denial is a veto' : ''}`;
    case 'expired':
    case 'cancelled':
      return `${mark} *${status === 'expired' ? 'Expired' : 'Cancelled'}*`;
    default:
      return `${mark} *Approved*${last ? ` ${decider(last)}` : ''}${card.quorum > 1 ? ` · ${card.decisions.length} of ${card.quorum} approvals` : ''} · ${ENDS[status]}`;
  }
}

/** What there is to say about the end: the decider's words as a quotation, the product's as a line. */
function aboutTheEnd(card: ApprovalCard): KnownBlock[] {
  const reason = card.decisions.at(-1)?.reason ?? null;
  // The status line names the last, where a decision was the end.
  const named = card.status === 'expired' || card.status === 'cancelled' ? 0 : 1;
  const others = card.decisions.slice(0, Math.max(0, card.decisions.length - named));
  return [
    ...(reason ? [quote(excerpt(reason, 500).shown)] : []),
    ...decisionBlocks(others),
    ...(card.note && card.note !== reason ? [plainSection(card.note)] : []),
  ];
}

/** An outside system may have a say in how an error reads. */
function plainSection(text: string): KnownBlock {
  return { type: 'section', text: plain(excerpt(text, 600).shown, 700) };
}

function behind(card: ApprovalCard): string {
  return card.onBehalfOf ? `for ${person(card.onBehalfOf)}` : `owner ${person(card.requesterId)}`;
}

const mrkdwn = (text: string) => ({ type: 'mrkdwn' as const, text, verbatim: true });

/** Who asks, where, as whom, how risky: what an approver checks before the arguments. */
function facts(card: ApprovalCard): KnownBlock {
  const caller = `*${said(card.callerName)}*`;
  return {
    type: 'section',
    fields: [
      mrkdwn(`*Asked by*\n${caller} (${card.callerKind}, ${card.callerStage})\n${behind(card)}`),
      mrkdwn(`*Connection*\n${said(card.connectionName)}`),
      mrkdwn(`*Acts as*\n${said(card.actingAs)}`),
      mrkdwn(`*Risk*\n${RISK_WORDS[card.risk]}`),
    ],
  };
}

/** The same after the end, when nobody has to weigh it any more. */
function factsLine(card: ApprovalCard): KnownBlock {
  return context(
    `*${said(card.callerName)}*, ${behind(card)} · ${said(card.connectionName)} · acts as ${said(card.actingAs)} · ${card.risk}`,
  );
}

function callersReason({ callerName, reason }: ApprovalCard, place: 'card' | 'details'): KnownBlock[] {
  if (!reason) return [];
  const shown = place === 'card' ? [excerpt(reason, CARD_REASON).shown] : boxfuls(whole(reason));
  return [context(`*Said by ${said(callerName)}*, not checked`), ...shown.map(quote)];
}

/** The id of the block with the card's own buttons; whatever else names the request has another. */
export const cardBlock = (executionId: string): string => `approval:${executionId}`;

const nameOf = (card: Pick<ApprovalCard, 'executionId' | 'hash'>): string =>
  `${card.executionId}:${card.hash}`;
const approve = (card: ApprovalCard): Button =>
  button('Approve', ACTIONS.approve, nameOf(card), { style: 'primary' });
const deny = (card: ApprovalCard): Button => button('Deny', ACTIONS.deny, nameOf(card), { style: 'danger' });
const edit = (card: ApprovalCard): readonly Button[] =>
  card.editable ? [button('Edit…', ACTIONS.edit, nameOf(card))] : [];
const readAgain = (card: ApprovalCard): readonly Button[] =>
  card.target?.blocked ? [button('Read again', ACTIONS.targetReadAgain, nameOf(card))] : [];
/** Not while or after it was refused, there is nothing to remember then; and once is enough. */
const remember = (card: ApprovalCard): readonly Button[] =>
  card.rememberable && !card.remembered && !['denied', 'expired', 'cancelled'].includes(card.status)
    ? [button('Don’t ask again…', ACTIONS.grantOffer, nameOf(card))]
    : [];
const suggestion = (card: ApprovalCard): readonly KnownBlock[] =>
  card.suggestsGrant && isPending(card)
    ? [
        context(
          ':bulb: The last five like this were approved. *Don’t ask again…* can answer the next ones, within limits that you choose.',
        ),
      ]
    : [];
const remembered = ({ remembered: grant }: ApprovalCard): readonly KnownBlock[] =>
  grant
    ? [
        context(
          `:bulb: ${person(grant.by)} made a grant from this: calls within its limits are not asked again until ${moment(grant.until)}${grant.counted ? ', or until it is used up' : ''}.`,
        ),
      ]
    : [];
const marksNote = (card: ApprovalCard): readonly KnownBlock[] =>
  isPending(card) ? marksNoteBlocks(card.marksNote) : [];
const STEP_UP: Readonly<Record<SecondProof, string>> = {
  totp: ':lock: Approving asks for a second proof: six digits of your authenticator app. Denying does not.',
  oidc: ':lock: Approving asks for a second proof: a fresh sign-in with your company account. Denying does not.',
};
const stepUp = (card: ApprovalCard): readonly KnownBlock[] =>
  card.stepUp && isPending(card) ? [context(STEP_UP[card.stepUp])] : [];
const details = (card: ApprovalCard): Button => button('Details', ACTIONS.details, nameOf(card));
const footer = (card: ApprovalCard): KnownBlock => context(`${card.executionId} · ${card.hash}`);

/** The message: in DMs and in the channel alike. `text` is what notifications and screen readers get. */
export function approvalMessage(card: ApprovalCard): { text: string; blocks: KnownBlock[] } {
  const pending = isPending(card);
  const { blocks: shown, left, whole: allArguments } = cardArguments(card.fields);
  const target = cardTarget(card.target);
  const blocked = card.target?.blocked === true;
  const whole = allArguments && target.whole && !blocked;
  const incomplete = [
    ...(left > 0 ? [`${left} more arguments`] : []),
    ...(pending && !whole && !blocked ? ['Read everything in *Details*; Approve is there'] : []),
  ];
  return {
    text: notification(card),
    blocks: [
      header(visible(card.functionTitle)),
      section(statusLine(card)),
      ...(pending ? attentionBlocks(card.attention) : []),
      ...(pending ? [facts(card), divider] : [...aboutTheEnd(card), factsLine(card)]),
      ...(card.outcome ? outcomeBlocks(card.outcome) : []),
      ...editedBlocks(card.edited, 'card'),
      ...(shown.length > 0 ? shown : [context('No arguments')]),
      ...marksNote(card),
      ...(pending ? target.blocks : heldBlocks(card.target)),
      ...(incomplete.length > 0 ? [context(`:mag: ${incomplete.join('. ')}`)] : []),
      ...(pending ? [...callersReason(card, 'card'), ...decisionBlocks(card.decisions), divider] : []),
      ...stepUp(card),
      ...suggestion(card),
      ...remembered(card),
      actions(
        pending
          ? [
              ...(whole ? [approve(card)] : []),
              deny(card),
              ...(whole ? [...edit(card), ...remember(card)] : []),
              ...readAgain(card),
              details(card),
              ...lookButton(card.attention, nameOf(card)),
            ]
          : [...(card.outcome ? outcomeButton(card.outcome) : []), ...remember(card), details(card)],
        cardBlock(card.executionId),
      ),
      footer(card),
    ],
  };
}

const NOTIFIED: Readonly<Record<ApprovalCard['status'], string>> = {
  pending_approval: 'Approval needed',
  queued: 'Approved',
  executing: 'Approved',
  succeeded: 'Done',
  failed: 'Failed',
  outcome_unknown: 'Outcome unknown',
  denied: 'Denied',
  expired: 'Expired',
  cancelled: 'Cancelled',
};

function notification(card: ApprovalCard): string {
  const { status, functionTitle, connectionName, callerName } = card;
  return `${NOTIFIED[status]}: ${said(functionTitle)} on ${said(connectionName)}, asked by ${said(callerName)}`;
}

export interface DetailsOptions {
  /** 0-based. Approve stands on the last page only, so that nobody approves what was not opened. */
  readonly page: number;
  readonly mayDecide: boolean;
  /** mrkdwn of ours: what the person was just told, such as a refusal, or who was faster. */
  readonly notice: string | null;
  /** Of a call that succeeded. */
  readonly result?: ShownResult | null;
}

export function approvalDetails(card: ApprovalCard, options: DetailsOptions): View {
  const pages = withResult(detailPages(card), options.result);
  const blocked = card.target?.blocked === true;
  const at = Math.min(Math.max(0, options.page), pages.length - 1);
  const last = at === pages.length - 1;
  const pending = isPending(card);
  const shown = pages[at] ?? [];
  return modal({
    title: 'Details',
    callback: VIEWS.approvalDetails,
    metadata: { execution: card.executionId, page: String(at) },
    blocks: [
      ...(options.notice ? [section(`:information_source: ${options.notice}`), divider] : []),
      header(visible(card.functionTitle)),
      section(statusLine(card)),
      ...(pending
        ? [...attentionBlocks(card.attention), ...decisionBlocks(card.decisions)]
        : aboutTheEnd(card)),
      facts(card),
      divider,
      ...(card.outcome ? outcomeBlocks(card.outcome) : []),
      ...detailTarget(card.target),
      ...editedBlocks(card.edited, 'details'),
      ...(shown.length > 0 ? shown : [context('No arguments')]),
      ...(last ? callersReason(card, 'details') : []),
      ...marksNote(card),
      divider,
      ...stepUp(card),
      ...remembered(card),
      ...(pages.length > 1 ? [pager(card, at, pages.length)] : []),
      ...(pending && options.mayDecide
        ? [
            actions(
              [
                ...(last && !blocked ? [approve(card)] : []),
                deny(card),
                ...(last && !blocked ? [...edit(card), ...remember(card)] : []),
                ...readAgain(card),
              ],
              cardBlock(card.executionId),
            ),
          ]
        : []),
      ...(pending && options.mayDecide && !last ? [context('Read on: Approve is on the last page.')] : []),
      footer(card),
    ],
  });
}

function pager(card: ApprovalCard, at: number, count: number): KnownBlock {
  const to = (page: number): string => `${nameOf(card)}:${page}`;
  return actions(
    [
      ...(at > 0 ? [button(`Back to page ${at}`, ACTIONS.pageBack, to(at - 1))] : []),
      ...(at < count - 1
        ? [button(`Next: page ${at + 2} of ${count}`, ACTIONS.pageOn, to(at + 1), { style: 'primary' })]
        : []),
    ],
    'approval.pages',
  );
}

/** Asks for the reason of a denial; it is what the caller is told. */
export function denyForm(
  card: Pick<ApprovalCard, 'executionId' | 'hash' | 'functionTitle' | 'callerName'>,
): View {
  return {
    type: 'modal',
    callback_id: VIEWS.approvalDeny,
    private_metadata: nameOf(card),
    title: plain('Deny this call', 24),
    submit: plain('Deny', 24),
    close: plain('Back', 24),
    blocks: [
      section(`*${said(card.functionTitle)}*, asked by *${said(card.callerName)}*`),
      {
        type: 'input',
        block_id: 'reason',
        optional: true,
        label: plain('Why?', 100),
        hint: plain(`${card.callerName} is told.`, 150, 'ellipsis'),
        element: {
          type: 'plain_text_input',
          action_id: 'reason',
          multiline: true,
          max_length: 500,
          placeholder: plain('Wrong customer; ask me again tomorrow', 150),
        },
      },
    ],
  };
}
