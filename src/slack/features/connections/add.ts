/** `/connections add`, first step: the form, and the reading of an OpenAPI document. */
import type { View } from '@slack/types';
import { connectionAddModal } from '../../../../blocks/connections/add.js';
import type { ConnectionDocument } from '../../../../models/types.js';
import { catalogue, loadConnector } from '../../../connectors/catalogue.js';
import type { ConnectorDefinition } from '../../../connectors/framework.js';
import { AppError } from '../../../errors.js';
import type { RestImport } from '../../../services/rest-import.js';
import { explain, type Register, type SlackEdge, sentenceModal } from '../../edge.js';
import { type Answer, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, type Trigger, updateView } from '../../modal.js';
import { FormState } from '../../view-state.js';
import {
  checkTyped,
  connectorChoices,
  DOCUMENT_FIELD,
  formAgain,
  nameWarning,
  proposedName,
  type TypedForm,
  typedSoFar,
} from './add-form.js';
import { afterForm } from './functions.js';

export const READING = 'Reading the document…';
export const ASKING = 'Asking the server how people sign in there…';

/** The settings, with what was read besides: a document, or what a server says. */
type Read = Pick<RestImport, 'config'> & Partial<RestImport>;

export async function openAdd(edge: SlackEdge, trigger: Trigger, userId: string): Promise<void> {
  await showModal(edge, trigger, 'Add a connection', async () => {
    await edge.services.roles.require(userId, 'admin');
    return connectionAddModal({
      connectors: connectorChoices(catalogue),
      chosen: null,
      ownerId: userId,
      businessOwnerId: null,
      problem: null,
      duplicates: [],
    });
  });
}

function drawAgain(
  connector: ConnectorDefinition,
  typed: TypedForm,
  problem: string | null,
  duplicates: readonly ConnectionDocument[] = [],
): View {
  const known = duplicates.map(({ key, name, ownerId }) => ({ key, name, ownerId }));
  return connectionAddModal(formAgain(catalogue, connector, typed, { problem, duplicates: known }));
}

/** Without an owner chosen, it is whoever fills the form in. */
function typedBy(userId: string, form: FormState, connector: ConnectorDefinition): TypedForm {
  const typed = typedSoFar(form, connector);
  return typed.input.ownerId === '' ? { ...typed, input: { ...typed.input, ownerId: userId } } : typed;
}

async function connectorOf(form: FormState): Promise<ConnectorDefinition> {
  const chosen = form.choice('connector');
  if (catalogue.some(({ id }) => id === chosen)) return loadConnector(chosen ?? '');
  throw new AppError('invalid_arguments', 'Choose a connector.', { path: '/connector' });
}

async function submitForm(edge: SlackEdge, { userId, form, view }: Submission): Promise<Answer> {
  await edge.services.roles.require(userId, 'admin');
  const connector = await connectorOf(form);
  const typed = typedBy(userId, form, connector);
  const update = (next: View): Answer => ({ show: { response_action: 'update', view: next } });
  // Sent before the connector's own inputs had arrived.
  if (!form.has('purpose')) return update(drawAgain(connector, typed, null));
  await checkTyped(edge, connector, typed);
  const { restImport, serverSignIn } = edge.services;
  const { auth, config } = typed.input;
  const document = typed.fields[DOCUMENT_FIELD];
  const later = (words: string, read: () => Promise<Read>): Answer => ({
    ...update(sentenceModal('Add a connection', words)),
    after: async () => {
      await updateView(edge, view.id, await readAnd(edge, userId, connector, typed, read));
    },
  });
  if (document !== undefined)
    return later(`${READING} A large one takes some seconds.`, () => restImport.read(document, auth, config));
  if (serverSignIn.isAsked(connector, auth))
    return later(ASKING, async () => ({ config: await serverSignIn.find(connector, auth, config) }));
  return update(await proceed(edge, userId, connector, typed, { config }));
}

/** What cannot be used leads back to the form, with everything that was typed. */
async function readAnd(
  edge: SlackEdge,
  userId: string,
  connector: ConnectorDefinition,
  typed: TypedForm,
  read: () => Promise<Read>,
): Promise<View> {
  try {
    return await proceed(edge, userId, connector, typed, await read());
  } catch (error) {
    return drawAgain(connector, typed, explain(error, edge.log));
  }
}

/** Shows likely duplicates once; then what was entered is kept, and the functions are picked. */
async function proceed(
  edge: SlackEdge,
  userId: string,
  connector: ConnectorDefinition,
  typed: TypedForm,
  read: Read,
): Promise<View> {
  const { config } = read;
  const { purpose } = typed.input;
  const system = read.title ?? connector.proposedName(config);
  const name = typed.input.name === '' ? proposedName(system, purpose) : typed.input.name;
  const baseUrl = typeof config.base_url === 'string' ? config.base_url : null;
  const { connections, connectionDrafts } = edge.services;
  const duplicates = await connections.likelyDuplicates(connector.id, name, baseUrl);
  if (duplicates.length > 0 && !typed.anyway) return drawAgain(connector, typed, null, duplicates);
  const draft = await connectionDrafts.save(userId, {
    connectionId: null,
    rev: null,
    input: { ...typed.input, name, config },
    operations: read.operations ?? null,
    notes: read.notes ?? [],
    remarks: read.remarks ?? [],
    picked: [],
    warning: nameWarning(name, purpose),
  });
  return afterForm(edge, userId, draft);
}

export const registerAdd: Register = (edge) => {
  onClick(edge, ACTIONS.connectionAdd, (click) => openAdd(edge, click, click.userId));
  onClick(edge, ACTIONS.connectionChoose, async ({ body, userId }) => {
    if (!body.view) return;
    const form = new FormState(body.view);
    const connector = await connectorOf(form);
    await updateView(edge, body.view.id, drawAgain(connector, typedBy(userId, form, connector), null));
  });
  onSubmit(edge, VIEWS.connectionAdd, 'connector', (submission) => submitForm(edge, submission));
};
