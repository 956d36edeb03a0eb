/** “Read functions again”: what a document or a server offers now, looked at before it counts. */
import type { View } from '@slack/types';
import { functionReviewModal, rereadModal } from '../../../../blocks/connections/review.js';
import { AppError } from '../../../errors.js';
import { looksLikeSecret } from '../../../redact.js';
import { type DefinitionReview, definitionSource } from '../../../services/definition-review.js';
import { documentUrl } from '../../../services/rest-import.js';
import { type Register, type SlackEdge, sentenceModal } from '../../edge.js';
import { type Answer, backTo, type Click, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, updateView } from '../../modal.js';
import { READING } from './add.js';
import { detailView } from './detail.js';
import { picksOf } from './functions.js';

const TITLE = 'Read functions again';

/** A document is asked for first; a system that knows its own functions is asked at once. */
async function openReread(edge: SlackEdge, click: Click): Promise<void> {
  await showModal(edge, click, TITLE, async () => {
    const connection = await edge.services.connections.managed(click.userId, click.value, true);
    const connector = await edge.deps.connector(connection.connector);
    if (definitionSource(connector) === 'system') return reviewed(edge, click.userId, connection._id);
    const { _id: id, name, config } = connection;
    const { document_url: url } = config;
    return rereadModal({ connection: { id, name }, documentUrl: typeof url === 'string' ? url : null });
  });
}

async function submitDocument(edge: SlackEdge, { userId, form, view }: Submission): Promise<Answer> {
  const id = form.metadata.connection ?? '';
  const document = form.text('openapi');
  if (documentUrl(document) !== null && looksLikeSecret(document)) {
    const message = 'This address has a secret in it. Paste the document instead; rotate the secret.';
    throw new AppError('invalid_arguments', message, { path: '/openapi' });
  }
  await edge.services.connections.managed(userId, id, true);
  const reading = sentenceModal(TITLE, `${READING} A large one takes some seconds.`);
  return {
    show: { response_action: 'update', view: reading },
    after: async () => {
      await updateView(edge, view.id, await reviewed(edge, userId, id, document));
    },
  };
}

async function reviewed(edge: SlackEdge, userId: string, id: string, document?: string): Promise<View> {
  const review = await edge.services.definitionReview.read(userId, id, document);
  return reviewView(review, (await edge.services.roles.of(userId)).admin);
}

function reviewView({ draft, connection, changes, functions }: DefinitionReview, mayApply: boolean): View {
  return functionReviewModal({
    draftId: draft.id,
    name: connection.name,
    changed: changes.changed,
    removed: changes.removed,
    unchanged: changes.unchanged.length,
    added: changes.added.length,
    functions,
    picked: draft.picked,
    notes: draft.notes,
    mayApply,
  });
}

async function submitReview(edge: SlackEdge, submission: Submission): Promise<Answer> {
  const { userId, form, view } = submission;
  const { definitionReview } = edge.services;
  const { connection, turnedOff } = await definitionReview.apply(
    userId,
    form.metadata.draft ?? '',
    picksOf(submission),
  );
  const off = turnedOff.length === 0 ? '' : ` Off now: ${named(turnedOff)}.`;
  const notice = `:white_check_mark: The functions are saved.${off}`;
  return backTo(edge, view, () => detailView(edge, userId, connection._id, { notice }));
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => `\`${name}\``);
  return shown.join(', ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
}

export const registerReview: Register = (edge) => {
  onClick(edge, ACTIONS.connectionReread, (click) => openReread(edge, click));
  onSubmit(edge, VIEWS.connectionReread, 'openapi', (submission) => submitDocument(edge, submission));
  onSubmit(edge, VIEWS.connectionReview, 'functions', (submission) => submitReview(edge, submission));
};
