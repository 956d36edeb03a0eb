/** The answer to a dry run. Pure. */
import type { KnownBlock } from '@slack/types';
import type { Risk } from '../models/types.js';
import { context, lines, moment, person, said, section } from './parts/text.js';

export interface ShownSimulation {
  readonly functionName: string;
  readonly connectionName: string;
  readonly callerName: string;
  readonly outcome: 'run' | 'ask' | 'blocked' | 'authorize' | 'refused';
  readonly risk: Risk;
  readonly rule: { readonly text: string };
  readonly grant: { readonly expiresAt: Date; readonly usesLeft: number | null } | null;
  readonly approvers: readonly string[];
  readonly quorum: number;
  readonly missing: readonly { readonly message: string }[];
}

const OUTCOMES: Readonly<Record<ShownSimulation['outcome'], string>> = {
  run: ':white_check_mark: This would *run directly*',
  ask: ':hourglass_flowing_sand: This would *ask*',
  blocked: ':no_entry: This would be *blocked*',
  authorize: ':hourglass_flowing_sand: This would *wait for the member*',
  refused: ':no_entry: This would be *refused*',
};

const NAMED = 12;

export function simulationMessage(shown: ShownSimulation): { text: string; blocks: KnownBlock[] } {
  const { outcome, functionName, connectionName, callerName, rule, grant, approvers, quorum, missing, risk } =
    shown;
  const more = approvers.length - NAMED;
  const named = `${approvers.slice(0, NAMED).map(person).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const left = grant?.usesLeft ?? null;
  const uses = left === null ? '' : `, ${left} ${left === 1 ? 'call' : 'calls'} left`;
  return {
    text: OUTCOMES[outcome].replace(/^\S+ /, '').replaceAll('*', ''),
    blocks: [
      section(
        `${OUTCOMES[outcome]}: \`${said(functionName, 42)}\` on *${said(connectionName, 80)}* for *${said(callerName, 60)}*`,
      ),
      ...lines([
        `*Rule:* ${said(rule.text, 500)}`,
        `*Risk:* ${risk}`,
        ...(grant ? [`*Grant:* it answers the question until ${moment(grant.expiresAt)}${uses}`] : []),
        ...(approvers.length > 0
          ? [`*Could decide:* ${named}${quorum > 1 ? ` · ${quorum} approvals are needed` : ''}`]
          : []),
        ...missing.slice(0, 10).map(({ message }) => `:warning: ${said(message, 300)}`),
      ]),
      context('A dry run: nothing was recorded and nothing was sent.'),
    ],
  };
}
