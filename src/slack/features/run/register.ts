/** The global shortcut "Run a function": connection, function, form, and then a call like any caller's. */
import { schemaForm } from '../../../../blocks/parts/schema-fields.js';
import { EFFECT_WORDS, RISK_WORDS } from '../../../../blocks/parts/words.js';
import {
  CONNECTION,
  FUNCTION,
  runConnectionModal,
  runFormModal,
  runFunctionModal,
  runResult,
} from '../../../../blocks/run.js';
import type { ConnectionDocument, ExecutionDocument } from '../../../../models/types.js';
import { canonicalHash } from '../../../canonical.js';
import type { FunctionDefinition } from '../../../connectors/framework.js';
import { AppError } from '../../../errors.js';
import { enabledFunction, enabledFunctions } from '../../../services/functions.js';
import { evaluate } from '../../../services/policy.js';
import { type Register, type SlackEdge, sentenceModal } from '../../edge.js';
import { FormProblems, onSubmit, type Submission } from '../../handle.js';
import { SHORTCUTS, VIEWS } from '../../ids.js';
import { problemModal, showModal, updateView } from '../../modal.js';
import { fieldProblems, readSchemaForm } from '../../schema-form.js';
import { executionDetailOf } from '../executions/rows.js';
import { connectionChoices, functionChoices, registerRunSearch } from './search.js';

const TITLE = 'Run a function';
/** A call that takes longer is looked up later. */
const PATIENCE_MS = 20_000;

/** Hers to use by hand, now. @throws AppError `not_found`, whether there is none or it is not for her */
async function usable(edge: SlackEdge, userId: string, id: string): Promise<ConnectionDocument> {
  const { connections, people } = edge.services;
  const connection = await connections.visibleTo(userId, id);
  if (connection && (await people.of(userId, connection))) return connection;
  throw new AppError('not_found', 'You cannot use that connection by hand (any more).', { path: CONNECTION });
}

/** @throws AppError `not_found` when it was turned off meanwhile */
async function functionOf(
  edge: SlackEdge,
  connection: ConnectionDocument,
  name: string,
): Promise<FunctionDefinition> {
  const fn = enabledFunction(await edge.deps.connector(connection.connector), connection, name);
  if (fn) return fn;
  throw new AppError('not_found', 'That function is turned off.', { path: FUNCTION });
}

const formName = (connection: ConnectionDocument, fn: FunctionDefinition): string =>
  canonicalHash({ connection: connection._id, fn: fn.name }).slice(0, 8);

async function chooseFunction(edge: SlackEdge, { userId, form }: Submission) {
  const connection = await usable(edge, userId, form.choice(CONNECTION) ?? '');
  const fns = enabledFunctions(await edge.deps.connector(connection.connector), connection);
  if (fns.length === 0) {
    const message = 'No function of this connection is turned on.';
    throw new AppError('invalid_arguments', message, { path: CONNECTION });
  }
  const view = runFunctionModal(
    { id: connection._id, name: connection.name },
    functionChoices(connection, fns),
  );
  return { show: { response_action: 'update' as const, view } };
}

async function fillForm(edge: SlackEdge, { userId, form }: Submission) {
  const connection = await usable(edge, userId, form.metadata.connection ?? '');
  const fn = await functionOf(edge, connection, form.choice(FUNCTION) ?? '');
  const { risk, effect } = evaluate(connection, fn);
  const view = runFormModal({
    connection: { id: connection._id, name: connection.name },
    fn,
    policy: `${RISK_WORDS[risk]} · ${EFFECT_WORDS[effect]}`,
    form: schemaForm(fn.input.jsonSchema, {}, formName(connection, fn)),
  });
  return { show: { response_action: 'update' as const, view } };
}

async function run(edge: SlackEdge, { userId, form: state, view }: Submission) {
  const connection = await usable(edge, userId, state.metadata.connection ?? '');
  const fn = await functionOf(edge, connection, state.metadata.function ?? '');
  const form = schemaForm(fn.input.jsonSchema, {}, formName(connection, fn));
  const { args, problems } = readSchemaForm(form, {}, view);
  if (Object.keys(problems).length > 0) throw new FormProblems(problems);
  const parsed = fn.input.parse(args);
  if (!parsed.ok) {
    const errors = fieldProblems(form, parsed.issues);
    if (Object.keys(errors).length > 0) throw new FormProblems(errors);
  }
  const caller = await edge.services.people.of(userId, connection);
  if (!caller) throw new AppError('forbidden', 'You cannot use that connection by hand (any more).');
  const submitted = edge.services.submissions.submit(caller, {
    connection: connection._id,
    function: fn.name,
    arguments: args,
    onBehalfOf: connection.identity === 'private' ? userId : null,
    reason: null,
    // The same form sent twice is one call.
    idempotencyKey: `form:${view.id}`,
  });
  const done = await submitted.catch((error: unknown) => {
    // A problem is shown at an input, where there is one.
    if (form.fields.some(({ fixed }) => fixed === null)) throw error;
    return problemModal(edge, TITLE, error);
  });
  if (!('execution' in done)) return { show: { response_action: 'update' as const, view: done } };
  const { execution } = done;
  return {
    show: { response_action: 'update' as const, view: sentenceModal(TITLE, ':gear: It runs…') },
    after: async () => {
      const asked = execution.status === 'pending_approval' || execution.status === 'pending_authorization';
      const ended = asked ? execution : await edge.services.executions.wait(execution, PATIENCE_MS);
      await updateView(edge, view.id, await resultView(edge, userId, ended));
    },
  };
}

async function resultView(edge: SlackEdge, userId: string, execution: ExecutionDocument) {
  try {
    const { approvals, connections, eligibility } = edge.services;
    const [approval, connection] = await Promise.all([
      approvals.ofExecution(execution._id),
      connections.find(execution.connectionId),
    ]);
    const asks = execution.status === 'pending_approval' && approval && connection;
    return runResult({
      execution: await executionDetailOf(edge, userId, execution),
      expiresAt: asks ? approval.expiresAt : null,
      deciders: asks ? await eligibility.deciders(approval, connection) : [],
    });
  } catch (error) {
    return problemModal(edge, TITLE, error);
  }
}

export const registerRun: Register = (edge) => {
  edge.app.shortcut(SHORTCUTS.run, async ({ ack, shortcut }) => {
    await ack();
    await showModal(edge, shortcut, TITLE, async () =>
      runConnectionModal(connectionChoices(await edge.services.people.connectionsOf(shortcut.user.id))),
    );
  });
  onSubmit(edge, VIEWS.runConnection, CONNECTION, (submission) => chooseFunction(edge, submission));
  onSubmit(edge, VIEWS.runFunction, FUNCTION, (submission) => fillForm(edge, submission));
  onSubmit(edge, VIEWS.runForm, CONNECTION, (submission) => run(edge, submission));
  registerRunSearch(edge);
};
