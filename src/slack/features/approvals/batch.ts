/**
 * Many at once. Every ticked request is decided by itself, as a click on its own card would; the decisions are stored
 * before the form is answered (G7), and each says what became of it.
 */
import type { ViewSubmitAction } from '@slack/bolt';
import type { View } from '@slack/types';
import {
  type BatchItem,
  type BatchOutcome,
  batchDone,
  batchModal,
  tickBlock,
} from '../../../../blocks/batch.js';
import { escapeMrkdwn } from '../../../../blocks/inert.js';
import type { Arguments } from '../../../connectors/framework.js';
import { crashAt } from '../../../kill-points.js';
import { shortHash } from '../../../services/binding.js';
import type { DecisionOutcome } from '../../../services/decisions.js';
import { grouped, sameCardKey } from '../../../services/same-requests.js';
import { approvalCard } from '../../approval-view.js';
import { type SlackEdge, sentenceModal } from '../../edge.js';
import { onClick } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, updateView } from '../../modal.js';
import { noteReading } from '../../reading.js';
import { FormState } from '../../view-state.js';
import { decideInTime, follow, lateMessage, notOurs, parseTarget, type Target } from './handlers.js';

const TITLE = 'Decide several';
/** Each decision asks the database and Slack a handful of questions. */
const AT_ONCE = 8;
/** Requests that the list is made of. */
const MOST = 50;

type Edge = Pick<SlackEdge, 'services' | 'deps'>;

type Found = NonNullable<Awaited<ReturnType<typeof approvalCard>>> & { readonly args: Arguments | null };

interface Waiting {
  readonly items: readonly BatchItem[];
  /** Besides these, others wait as well. */
  readonly more: boolean;
}

/** What waits for her, with its arguments; that she reads them is on record. */
async function waiting(edge: Edge, userId: string): Promise<Waiting> {
  const { approvals, executions, payloads } = edge.services;
  const all = await approvals.waitingFor(userId, MOST + 1);
  const found = await eachOf(all.slice(0, MOST), async ({ executionId }) => {
    const card = await approvalCard(executionId, edge.services, edge.deps);
    if (!card || !(await executions.payloadsFor(userId, card.execution))) return null;
    const { execution, approval } = card;
    const digest = { _id: execution._id, bindingHash: approval.bindingHash };
    return { ...card, args: await payloads.arguments(digest).catch(() => null) };
  });
  return { items: itemsOf(found.filter((each) => each !== null)), more: all.length > MOST };
}

function itemsOf(found: readonly Found[]): BatchItem[] {
  const keyOf = ({ execution, approval, args }: Found): string => sameCardKey(execution, approval, args);
  return grouped(found, keyOf).map((group): BatchItem => {
    const [{ card, approval, args }] = group;
    const reasons = group.flatMap(({ execution: { reason } }) => (reason ? [reason] : []));
    return {
      requests: group.map((each) => ({
        executionId: each.execution._id,
        hash: shortHash(each.approval.bindingHash),
      })),
      card,
      reasons: [...new Set(reasons)],
      alone: approval.stepUp
        ? 'It asks for your second proof: approve it on its own card.'
        : card.target?.blocked
          ? 'What it would change has to be read first.'
          : args
            ? null
            : 'Its arguments are no longer kept.',
    };
  });
}

/** One page of the list; that she had before her what it shows in full is on record. */
export async function batchPage(edge: Edge, userId: string, at: number): Promise<View> {
  const { items, more } = await waiting(edge, userId);
  const view = batchModal(items, at, more);
  const shown = view.private_metadata ?? '';
  for (const { card, requests } of items) {
    for (const { executionId, hash } of requests) {
      if (shown.includes(`${executionId}:${hash}`))
        await noteReading(edge, { ...card, executionId, hash }, userId);
    }
  }
  return view;
}

/** Every request of every ticked item, in the order of the page. */
function ticked(form: FormState): Target[] {
  return (form.metadata.requests ?? '').split(';').flatMap((names) => {
    const targets = names.split(',').flatMap((name) => parseTarget(name) ?? []);
    return form.choices(tickBlock(targets)).includes('approve') ? targets : [];
  });
}

/** Ticks, whatever they belong to. */
function hasTicks(values: ViewSubmitAction['view']['state']['values']): boolean {
  const entries = Object.values(values).flatMap((block) => Object.values(block));
  return entries.some(({ selected_options }) => (selected_options ?? []).length > 0);
}

function outcomeOf(outcome: DecisionOutcome | 'not_recorded'): Pick<BatchOutcome, 'done' | 'text'> {
  if (outcome === 'not_recorded') return { done: false, text: 'not recorded in time; look at its card' };
  if (outcome.kind === 'refused') return { done: false, text: escapeMrkdwn(outcome.reason) };
  if (outcome.kind === 'too_late') return { done: false, text: lateMessage(outcome.approval) };
  const { status, quorum, decisions } = outcome.approval;
  const left = quorum - decisions.length;
  return { done: true, text: status === 'approved' ? 'approved' : `recorded, ${left} more needed` };
}

export function registerBatch(edge: SlackEdge): void {
  onClick(edge, ACTIONS.batchOpen, (click) =>
    showModal(edge, click, TITLE, () => batchPage(edge, click.userId, 0)),
  );
  for (const action of [ACTIONS.batchMore, ACTIONS.batchBack]) {
    onClick(edge, action, async ({ userId, value, view }) => {
      if (view) await updateView(edge, view.id, await batchPage(edge, userId, Number(value) || 0));
    });
  }

  edge.app.view<ViewSubmitAction>(VIEWS.approvalBatch, async ({ ack, body, view }) => {
    const form = new FormState(view);
    const targets = ticked(form);
    if (targets.length === 0) {
      const text = hasTicks(view.state.values)
        ? (await notOurs('form')).reason
        : 'Nothing is ticked, so nothing was decided.';
      await ack({ response_action: 'push', view: sentenceModal(TITLE, text) });
      return;
    }
    const userId = body.user.id;
    const { models, workspaceId } = edge.deps;
    const titles = models.executions
      .find(
        { workspaceId, _id: { $in: targets.map(({ executionId }) => executionId) } },
        { functionTitle: 1 },
      )
      .lean()
      .catch(() => []);
    const decided = await decideAll(edge, targets, userId);
    crashAt('before_slack_ack');
    const byId = new Map((await titles).map(({ _id, functionTitle }) => [_id, functionTitle]));
    const outcomes = decided.map(({ executionId, outcome }) => ({
      executionId,
      functionTitle: byId.get(executionId) ?? 'Request',
      ...outcomeOf(outcome),
    }));
    await ack({ response_action: 'update', view: batchDone(outcomes) });
    for (const { outcome } of decided) {
      if (outcome === 'not_recorded' || outcome.kind === 'refused') continue;
      await follow(edge, outcome).catch((error: unknown) => {
        edge.log.warn({ err: error }, 'decision not followed yet; the sweeper does it');
      });
    }
  });
}

/** Each by itself; one that is refused or late leaves the others alone. */
async function decideAll(edge: SlackEdge, targets: readonly Target[], userId: string) {
  const until = performance.now() + 1_800;
  return eachOf(targets, async (target) => {
    // What has not begun in time is not begun: a late success would contradict the answer.
    if (performance.now() > until) return { ...target, outcome: 'not_recorded' as const };
    const click = { ...target, userId, decision: 'approved' as const, reason: null };
    return { ...target, outcome: await decideInTime(edge, click, until - performance.now()) };
  });
}

async function eachOf<T, R>(list: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < list.length; at += AT_ONCE) {
    results.push(...(await Promise.all(list.slice(at, at + AT_ONCE).map(work))));
  }
  return results;
}
