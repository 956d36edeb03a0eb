/** What became of a call whose outcome is unknown: the window in which a person finds out and says so. Pure. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import { modal, radio, textInput } from './parts/inputs.js';
import { outcomeBlocks, type ShownOutcome } from './parts/outcome.js';
import { actions, button, context, divider, said, section } from './parts/text.js';

export interface OutcomeWindow extends ShownOutcome {
  readonly functionTitle: string;
  readonly connectionName: string;
  /** What the outside system says; null where it was not, or cannot be, asked. */
  readonly finding: {
    readonly status: 'applied' | 'not_applied' | 'unknown';
    readonly reason?: string;
  } | null;
  /** mrkdwn of ours. */
  readonly notice: string | null;
}

const FOUND = {
  applied: ':white_check_mark: *It happened*: the outside system has what this call would have left there.',
  not_applied: ':heavy_minus_sign: *It did not happen*: the outside system has no trace of this call.',
} as const;

function found({ finding, connectionName }: OutcomeWindow): KnownBlock {
  if (!finding)
    return section(
      `:mag: ${said(connectionName)} cannot be asked what became of this call. Look there yourself, then say what you saw.`,
    );
  if (finding.status !== 'unknown') return section(FOUND[finding.status]);
  return section(
    `:question: *Cannot tell*: ${said(finding.reason ?? '', 300)} Look there yourself, then say what you saw.`,
  );
}

function askAgain(window: OutcomeWindow): KnownBlock[] {
  if (window.replacedBy || window.resolution?.outcome === 'applied') return [];
  const certain = window.resolution !== null;
  const text = certain
    ? 'A new request with the same arguments waits for the approvers.'
    : 'Nobody has said yet that it did not happen. If it did, and the new request is approved, it happens twice.';
  return [
    actions(
      [
        button('Ask again', ACTIONS.outcomeAskAgain, window.executionId, {
          confirm: { title: 'Ask again?', text, yes: 'Ask again' },
        }),
      ],
      'outcome.again',
    ),
  ];
}

/** Says what was found, and takes a person's word for it: that is what counts. */
export function outcomeWindow(window: OutcomeWindow): View {
  const { executionId, resolution, finding, notice } = window;
  const proposed = finding && finding.status !== 'unknown' ? finding.status : undefined;
  return modal({
    title: 'What became of it',
    callback: VIEWS.outcome,
    metadata: { execution: executionId },
    ...(resolution ? {} : { submit: 'Record', close: 'Close' }),
    blocks: [
      ...(notice ? [section(`:information_source: ${notice}`), divider] : []),
      section(`*${said(window.functionTitle)}* on *${said(window.connectionName)}*`),
      ...(resolution ? [] : [found(window)]),
      ...outcomeBlocks(window),
      ...(resolution
        ? []
        : [
            radio({
              block: 'outcome',
              label: 'What became of it?',
              hint: 'It is recorded under your name, and the caller is told.',
              choices: [
                { value: 'applied', label: 'It happened' },
                { value: 'not_applied', label: 'It did not happen' },
              ],
              initial: proposed,
            }),
            textInput({
              block: 'note',
              label: 'How do you know?',
              optional: true,
              max: 500,
              multiline: true,
            }),
          ]),
      ...askAgain(window),
      context(executionId),
    ],
  });
}
