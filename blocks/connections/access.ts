/** Which callers may use a connection. Denied unless it is given here. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS, VIEWS } from '../../src/slack/ids.js';
import { type Choice, type ChoiceGroup, modal, multiSelect, radio, select } from '../parts/inputs.js';
import { actions, button, context, said, section } from '../parts/text.js';

export interface CallerAccess {
  readonly callerId: string;
  readonly name: string;
  readonly kind: string;
  readonly stage: 'test' | 'production';
  /** Null for all that are turned on. */
  readonly functions: readonly string[] | null;
}

export interface AccessOverview {
  readonly connection: { readonly id: string; readonly name: string; readonly status: 'draft' | 'ready' };
  readonly access: readonly CallerAccess[];
  readonly hasCallers: boolean;
  readonly notice: string | null;
}

const MOST_CALLERS = 40;

function callerBlocks(each: CallerAccess, connectionId: string): KnownBlock[] {
  const value = `${connectionId}:${each.callerId}`;
  const shown = each.functions?.slice(0, 10).map((name) => `\`${name}\``) ?? [];
  const rest =
    each.functions && each.functions.length > shown.length
      ? ` and ${each.functions.length - shown.length} more`
      : '';
  const what = each.functions === null ? 'all functions that are turned on' : `${shown.join(', ')}${rest}`;
  return [
    section(`*${said(each.name, 60)}* · ${each.kind} · ${each.stage}\n${what}`),
    actions(
      [
        button('Change', ACTIONS.accessChange, value),
        button('Take away', ACTIONS.accessRemove, value, {
          confirm: {
            title: 'Take access away?',
            text: `${each.name} can no longer call anything here. What waits for approval will not run.`,
            yes: 'Take away',
          },
        }),
      ],
      `access.${each.callerId}`,
    ),
  ];
}

export function connectionAccessModal({ connection, access, hasCallers, notice }: AccessOverview): View {
  const shown = access.slice(0, MOST_CALLERS);
  const draft =
    connection.status === 'draft'
      ? [context('This connection is a draft: test callers can use it, production callers once it is ready.')]
      : [];
  const none = hasCallers
    ? 'No caller may use it yet.'
    : 'No caller may use it yet, and none is registered. `/connections callers add` registers the first.';
  return modal({
    title: 'Access',
    callback: VIEWS.connectionAccess,
    metadata: { connection: connection.id },
    blocks: [
      ...(notice === null ? [] : [section(notice)]),
      section(`*Who may call ${said(connection.name, 80)}*`),
      ...draft,
      ...(access.length === 0 ? [section(none)] : []),
      ...shown.flatMap((each) => callerBlocks(each, connection.id)),
      ...(access.length > shown.length
        ? [
            section(
              `…and ${access.length - shown.length} more callers. Each caller’s own view shows what it may use.`,
            ),
          ]
        : []),
      ...(hasCallers
        ? [actions([button('Give access', ACTIONS.accessGive, connection.id, { style: 'primary' })], 'give')]
        : []),
    ],
  });
}

export interface AccessForm {
  readonly connection: { readonly id: string; readonly name: string };
  /** The view that is shown again after saving. */
  readonly from: 'access' | 'caller';
  /** Chosen already; null to choose from `callers`. */
  readonly caller: { readonly id: string; readonly name: string } | null;
  readonly callers: readonly Choice[];
  readonly functions: readonly ChoiceGroup[];
  /** Null for all that are turned on. */
  readonly chosen: readonly string[] | null;
}

const EXTENT: readonly Choice[] = [
  { value: 'all', label: 'All functions that are turned on', description: 'Also those turned on later' },
  { value: 'chosen', label: 'Only the functions chosen below' },
];

export function accessFormModal(form: AccessForm): View {
  const { connection, caller, from } = form;
  const some = form.functions.some((group) => group.choices.length > 0);
  return modal({
    title: caller ? 'Change access' : 'Give access',
    callback: VIEWS.connectionAccessForm,
    submit: 'Save',
    metadata: {
      connection: connection.id,
      from,
      ...(caller ? { caller: caller.id } : {}),
    },
    blocks: [
      section(
        caller
          ? `What *${said(caller.name, 60)}* may call on *${said(connection.name, 80)}*`
          : `Access to *${said(connection.name, 80)}*`,
      ),
      ...(caller
        ? []
        : [
            form.callers.length > 100
              ? multiSelect({
                  block: 'caller',
                  label: 'Caller',
                  groups: [{ label: 'Callers', choices: form.callers }],
                  initial: [],
                  search: ACTIONS.callerSearch,
                })
              : select({ block: 'caller', label: 'Caller', choices: form.callers }),
          ]),
      radio({
        block: 'extent',
        label: 'What it may call',
        choices: EXTENT,
        initial: form.chosen === null ? 'all' : 'chosen',
      }),
      ...(some
        ? [
            multiSelect({
              block: 'functions',
              label: 'Functions',
              optional: true,
              hint: 'Only for “Only the functions chosen below”.',
              groups: form.functions,
              initial: form.chosen ?? [],
              search: ACTIONS.functionSearch,
            }),
          ]
        : []),
    ],
  });
}
