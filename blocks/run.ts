/** Running a function by hand: which connection, which function, its form, and what came of it. Pure. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import { type ExecutionDetail, executionDetail } from './executions.js';
import { type Choice, MENU_LIMIT, modal, searchSelect, select } from './parts/inputs.js';
import type { SchemaForm } from './parts/schema-fields.js';
import { schemaFormBlocks } from './parts/schema-form.js';
import { context, divider, moment, person, said, section } from './parts/text.js';

const TITLE = 'Run a function';
export const CONNECTION = 'connection';
export const FUNCTION = 'function';

/** A menu, or a search where there is more than a menu holds. */
function menu(block: string, label: string, choices: readonly Choice[], search: string): KnownBlock {
  return choices.length > MENU_LIMIT
    ? searchSelect({ block, label, search })
    : select({ block, label, choices });
}

export function runConnectionModal(choices: readonly Choice[]): View {
  if (choices.length === 0) {
    return modal({
      title: TITLE,
      blocks: [
        section(
          'There is no connection that you can use by hand. On shared ones that is for admins and the connection’s owner; on private ones for whoever connected her own account: `/connections connect KEY`.',
        ),
      ],
    });
  }
  return modal({
    title: TITLE,
    callback: VIEWS.runConnection,
    submit: 'Next',
    metadata: {},
    blocks: [
      section('A call by hand goes the way of every call: the same policy, the same approvals, on record.'),
      menu(CONNECTION, 'Connection', choices, ACTIONS.runConnectionSearch),
    ],
  });
}

export interface RunConnection {
  readonly id: string;
  readonly name: string;
}

export function runFunctionModal(connection: RunConnection, choices: readonly Choice[]): View {
  return modal({
    title: TITLE,
    callback: VIEWS.runFunction,
    submit: 'Next',
    metadata: { connection: connection.id },
    blocks: [
      section(`On *${said(connection.name)}*`),
      menu(FUNCTION, 'Function', choices, ACTIONS.runFunctionSearch),
    ],
  });
}

export interface RunForm {
  readonly connection: RunConnection;
  readonly fn: { readonly name: string; readonly title: string; readonly description: string };
  /** "Needs approval"; how the policy stands before any arguments are known. */
  readonly policy: string;
  readonly form: SchemaForm;
}

export function runFormModal({ connection, fn, policy, form }: RunForm): View {
  return modal({
    title: TITLE,
    callback: VIEWS.runForm,
    submit: 'Run',
    metadata: { connection: connection.id, function: fn.name },
    blocks: [
      section(`*${said(fn.title)}* on *${said(connection.name)}*\n${said(fn.description, 300)}`),
      context(policy),
      divider,
      ...schemaFormBlocks(form),
    ],
  });
}

export interface RunResult {
  readonly execution: ExecutionDetail;
  readonly expiresAt: Date | null;
  /** Who may decide, where somebody has to. */
  readonly deciders: readonly string[];
}

const NAMED = 8;

function standing({ execution, expiresAt, deciders }: RunResult): string {
  const { status, id } = execution;
  const later = `\`/executions show ${id}\` shows how it goes on.`;
  if (status === 'pending_approval') {
    const who = deciders.slice(0, NAMED).map(person).join(', ') || 'somebody who may decide';
    const until = expiresAt ? ` · expires ${moment(expiresAt)}` : '';
    return `:hourglass_flowing_sand: *It waits for ${who}*${until}\n${later}`;
  }
  if (status === 'queued' || status === 'executing') return `:gear: *It still runs.* ${later}`;
  return status === 'succeeded' ? ':white_check_mark: *Done*' : ':warning: *It did not succeed*';
}

/** The execution, as everywhere, under a line that says how it stands. */
export function runResult(result: RunResult): View {
  const view = executionDetail(result.execution);
  return { ...view, blocks: [section(standing(result)), divider, ...view.blocks] };
}
