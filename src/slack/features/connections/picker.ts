/** The function picker: for a draft of the add form, and for a connection that is there. */
import type { View } from '@slack/types';
import {
  type FunctionChoice,
  functionGroups,
  functionPickerModal,
} from '../../../../blocks/connections/functions.js';
import type { ConnectionDocument } from '../../../../models/types.js';
import type { FunctionDefinition } from '../../../connectors/framework.js';
import type { ImportedOperation } from '../../../connectors/rest/index.js';
import type { ConnectionDraft } from '../../../services/connection-drafts.js';
import { definitionSource } from '../../../services/definition-review.js';
import { allFunctions, enabledFunctions } from '../../../services/functions.js';
import { riskOf } from '../../../services/policy.js';
import type { SlackEdge } from '../../edge.js';
import type { FormState } from '../../view-state.js';

export interface DraftFunction extends FunctionChoice {
  readonly approval: FunctionDefinition['approval'];
  readonly budgetPerHour?: number | undefined;
}

/** Every function that the connection would have: those of the document, and the connector's own. */
export async function draftFunctions(edge: SlackEdge, draft: ConnectionDraft): Promise<DraftFunction[]> {
  const { connector, config, auth } = draft.input;
  const own = (await edge.deps.connector(connector))
    .functions(config)
    .filter((fn) => fn.auth === undefined || fn.auth.includes(auth));
  const described = (draft.operations ?? []).map(
    ({ name, title, risk }): DraftFunction => ({
      name,
      title,
      risk,
      approval: risk === 'read' ? 'auto' : 'ask',
    }),
  );
  return [
    ...described,
    ...own.map(({ name, title, risk, approval, budgetPerHour }) => ({
      name,
      title,
      risk,
      approval,
      budgetPerHour,
    })),
  ];
}

export async function draftPicker(edge: SlackEdge, draft: ConnectionDraft): Promise<View> {
  return functionPickerModal({
    metadata: { draft: draft.id },
    name: draft.input.name,
    functions: await draftFunctions(edge, draft),
    picked: draft.picked,
    everyTime: null,
    notes: draft.notes,
    remarks: draft.remarks,
    mayReread: false,
    submit: 'Continue',
  });
}

export async function connectionPicker(edge: SlackEdge, connection: ConnectionDocument): Promise<View> {
  const connector = await edge.deps.connector(connection.connector);
  const functions = allFunctions(connector, connection);
  return functionPickerModal({
    metadata: { connection: connection._id },
    name: connection.name,
    functions: functions.map((fn) => choiceOf(connection, fn)),
    picked: connection.enabledFunctions,
    everyTime: {
      functions: functions.filter((fn) => !fn.askEveryTime).map((fn) => choiceOf(connection, fn)),
      picked: connection.askEveryTime ?? [],
    },
    notes: [],
    remarks: [],
    mayReread: definitionSource(connector) !== undefined,
    submit: 'Save',
  });
}

export function choiceOf(connection: ConnectionDocument, fn: FunctionDefinition): FunctionChoice {
  return { name: fn.name, title: fn.title, risk: riskOf(connection, fn) };
}

/** The functions that are on, as a menu groups them. */
export async function enabledGroups(edge: SlackEdge, connection: ConnectionDocument) {
  const connector = await edge.deps.connector(connection.connector);
  return functionGroups(enabledFunctions(connector, connection).map((fn) => choiceOf(connection, fn)));
}

/** The operations of a document that were picked, for the connection's config. */
export function pickedOperations(draft: ConnectionDraft, picked: readonly string[]): ImportedOperation[] {
  return (draft.operations ?? []).filter(({ name }) => picked.includes(name));
}

/** What a search in one of the menus above may find. @throws AppError for whom it is not */
export async function searchable(
  edge: SlackEdge,
  userId: string,
  form: Pick<FormState, 'metadata'>,
  on: 'all' | 'enabled',
) {
  const { connections, connectionDrafts } = edge.services;
  const { draft, connection: id } = form.metadata;
  if (draft !== undefined)
    return functionGroups(await draftFunctions(edge, await connectionDrafts.get(userId, draft)));
  const connection = await connections.managed(userId, id ?? '', true);
  if (on === 'enabled') return enabledGroups(edge, connection);
  const connector = await edge.deps.connector(connection.connector);
  return functionGroups(allFunctions(connector, connection).map((fn) => choiceOf(connection, fn)));
}
