/** Picking functions: the second step of the add form, and later changes. The third step asks who approves. */
import type { View } from '@slack/types';
import { connectionApproversModal } from '../../../../blocks/connections/approvers.js';
import { said } from '../../../../blocks/parts/text.js';
import type { ConnectionDocument, PolicyRule } from '../../../../models/types.js';
import { AppError } from '../../../errors.js';
import { newId } from '../../../ids.js';
import type { ConnectionDraft } from '../../../services/connection-drafts.js';
import { DEFAULT_EXPIRY_MINUTES } from '../../../services/policy.js';
import { MOST_OPERATIONS } from '../../../services/rest-import.js';
import type { Register, SlackEdge } from '../../edge.js';
import { type Answer, backTo, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal } from '../../modal.js';
import { postTestLine } from '../../route-test.js';
import { credentialView } from './credential.js';
import { detailView } from './detail.js';
import {
  connectionPicker,
  type DraftFunction,
  draftFunctions,
  draftPicker,
  pickedOperations,
} from './picker.js';
import { type AskedQuestion, NO_APPROVERS, questionOf } from './question-form.js';

const actor = (userId: string) => ({ kind: 'user', id: userId }) as const;

async function picked(edge: SlackEdge, draft: ConnectionDraft): Promise<DraftFunction[]> {
  return (await draftFunctions(edge, draft)).filter(({ name }) => draft.picked.includes(name));
}

/** What the catalogue lets run directly so many times an hour: a rule of its own says so, and who is asked beyond. */
function limitedRules(functions: readonly DraftFunction[], question: AskedQuestion): PolicyRule[] {
  const direct = functions.filter(isLimited);
  const limits = [...new Set(direct.map(({ budgetPerHour }) => budgetPerHour))];
  return limits.map((limit) => ({
    id: newId('rule'),
    functions: direct.filter(({ budgetPerHour }) => budgetPerHour === limit).map(({ name }) => name),
    risks: null,
    effect: 'allow',
    ...question,
    limitPerHour: limit ?? null,
  }));
}

const isLimited = ({ approval, budgetPerHour }: DraftFunction): boolean =>
  approval === 'auto' && budgetPerHour !== undefined;

/** Those of the picked functions that somebody is asked about, at once or beyond a limit. */
async function asked(edge: SlackEdge, draft: ConnectionDraft): Promise<DraftFunction[]> {
  return (await picked(edge, draft)).filter((fn) => fn.approval !== 'auto' || isLimited(fn));
}

/** @throws AppError `invalid_arguments` for more than a connection keeps */
export function picksOf({ form }: Pick<Submission, 'form'>): string[] {
  const picked = form.choices('functions');
  if (picked.length > MOST_OPERATIONS) {
    const message = `A connection has at most ${MOST_OPERATIONS} functions. Make two, each for one purpose.`;
    throw new AppError('invalid_arguments', message, { path: '/functions' });
  }
  return picked;
}

async function submitPicks(edge: SlackEdge, submission: Submission): Promise<Answer> {
  const { userId, form } = submission;
  const { draft: draftId, connection: connectionId } = form.metadata;
  if (draftId === undefined) return changeFunctions(edge, submission, connectionId ?? '');
  await edge.services.roles.require(userId, 'admin');
  const picked = picksOf(submission);
  const before = await edge.services.connectionDrafts.get(userId, draftId);
  if (picked.length === 0) {
    throw new AppError('invalid_arguments', 'Pick at least one. You can change this any time.', {
      path: '/functions',
    });
  }
  const draft = await edge.services.connectionDrafts.save(userId, { ...before, picked }, draftId);
  const questions = await asked(edge, draft);
  const next =
    questions.length > 0
      ? await approversView(edge, draft, questions)
      : await create(edge, userId, draft, []);
  return { show: { response_action: 'update', view: next } };
}

async function approversView(
  edge: SlackEdge,
  draft: ConnectionDraft,
  questions: DraftFunction[],
): Promise<View> {
  const { approvalsChannel } = await edge.services.settings.get();
  return connectionApproversModal({
    draftId: draft.id,
    name: draft.input.name,
    asked: questions.map(({ title }) => title),
    warning: draft.warning,
    identity: draft.input.identity,
    approvers: NO_APPROVERS,
    groups: [],
    route: approvalsChannel,
    expiresInMinutes: DEFAULT_EXPIRY_MINUTES,
  });
}

async function submitApprovers(edge: SlackEdge, { userId, form }: Submission): Promise<Answer> {
  await edge.services.roles.require(userId, 'admin');
  const draft = await edge.services.connectionDrafts.get(userId, form.metadata.draft ?? '');
  const question = await questionOf(edge, form, true);
  if (question.route !== null) {
    const text = `Approval requests for *${said(draft.input.name, 80)}* will be posted here. Everybody in this channel sees their arguments.`;
    await postTestLine(edge, question.route, text, '/route');
  }
  const reads = (await asked(edge, draft)).filter((fn) => fn.risk === 'read' && !isLimited(fn));
  const ask = (functions: string[] | null, risks: PolicyRule['risks']): PolicyRule => ({
    id: newId('rule'),
    functions,
    risks,
    effect: 'ask',
    ...question,
  });
  const rules = [
    ...limitedRules(await picked(edge, draft), question),
    ask(null, ['write', 'destructive']),
    ...(reads.length > 0
      ? [
          ask(
            reads.map(({ name }) => name),
            null,
          ),
        ]
      : []),
  ];
  return { show: { response_action: 'update', view: await create(edge, userId, draft, rules) } };
}

/** What follows the add form: the picker, or the connection itself where only the outside system knows its functions. */
export async function afterForm(edge: SlackEdge, userId: string, draft: ConnectionDraft): Promise<View> {
  const functions = await draftFunctions(edge, draft);
  return functions.length > 0 ? draftPicker(edge, draft) : create(edge, userId, draft, []);
}

/** The draft becomes a connection, once; what cannot be created leaves the draft as it was. */
async function create(
  edge: SlackEdge,
  userId: string,
  draft: ConnectionDraft,
  rules: readonly PolicyRule[],
): Promise<View> {
  const { connectionDrafts, connections } = edge.services;
  if (!(await connectionDrafts.take(userId, draft.id))) {
    throw new AppError('not_found', 'This form was finished already. /connections lists what there is.');
  }
  try {
    const connection = await connections.create(actor(userId), {
      ...draft.input,
      config: draft.operations
        ? { ...draft.input.config, operations: pickedOperations(draft, draft.picked) }
        : draft.input.config,
      enabledFunctions: draft.picked,
      rules,
    });
    return await credentialView(edge, userId, connection, { created: true, warning: draft.warning });
  } catch (error) {
    const { id, ...content } = draft;
    await connectionDrafts.save(userId, content, id);
    throw error;
  }
}

async function changeFunctions(
  edge: SlackEdge,
  submission: Submission,
  connectionId: string,
): Promise<Answer> {
  const { userId } = submission;
  const { connections } = edge.services;
  const connection = await connections.managed(userId, connectionId, false);
  await connections.update(actor(userId), connection, {
    enabledFunctions: picksOf(submission),
    ...(submission.form.has('every_time') ? { askEveryTime: submission.form.choices('every_time') } : {}),
  });
  return backToDetail(edge, submission, connection);
}

function backToDetail(
  edge: SlackEdge,
  { userId, view }: Submission,
  connection: ConnectionDocument,
): Promise<Answer> {
  const notice = ':white_check_mark: The functions are saved.';
  return backTo(edge, view, () => detailView(edge, userId, connection._id, { notice }));
}

export const registerFunctions: Register = (edge) => {
  onSubmit(edge, VIEWS.connectionFunctions, 'functions', (submission) => submitPicks(edge, submission));
  onSubmit(edge, VIEWS.connectionApprovers, 'expiry', (submission) => submitApprovers(edge, submission));
  onClick(edge, ACTIONS.connectionFunctions, (click) =>
    showModal(edge, click, 'Functions', async () =>
      connectionPicker(edge, await edge.services.connections.managed(click.userId, click.value, false)),
    ),
  );
};
