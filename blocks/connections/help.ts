/** `/connections help`, and the answer to a sub-command that there is not. */
import type { KnownBlock } from '@slack/types';
import { context, lines, said, section } from '../parts/text.js';

export interface HelpLine {
  readonly usage: string;
  readonly does: string;
  readonly role: 'admin' | 'admin or owner' | null;
}

export interface ConnectionHelp {
  readonly lines: readonly HelpLine[];
  /** What was typed, when it was not understood, and what comes nearest. */
  readonly unknown: { readonly typed: string; readonly nearest: string | null } | null;
}

export function connectionHelpMessage({ lines: all, unknown }: ConnectionHelp): {
  text: string;
  blocks: KnownBlock[];
} {
  const meant = unknown?.nearest ? ` Did you mean \`/connections ${unknown.nearest}\`?` : '';
  const first = unknown
    ? [section(`There is no \`/connections ${said(unknown.typed, 40)}\`.${meant}`)]
    : [section('*What `/connections` can do*')];
  return {
    text: unknown ? `There is no such command.${meant}` : 'What /connections can do',
    blocks: [
      ...first,
      ...lines(
        all.map(
          ({ usage, does, role }) => `\`/connections ${usage}\` – ${does}${role ? ` _(${role})_` : ''}`,
        ),
      ),
      context('`/executions` shows what was called, `/approvals` what waits for you.'),
    ],
  };
}
