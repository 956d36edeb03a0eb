/** What came of `/connections test KEY`, in a few words. The result itself is for those who may see payloads. */
import type { ExecutionStatus } from '../../models/types.js';
import { said } from './text.js';

export interface TestOutcomeText {
  readonly fn: { readonly name: string; readonly title: string };
  readonly executionId: string;
  readonly status: ExecutionStatus;
  /** False while it still runs. */
  readonly ended: boolean;
  readonly error: string | null;
  readonly milliseconds: number | null;
}

export function connectionTestText(outcome: TestOutcomeText): string {
  const { fn, executionId, status, ended, error, milliseconds } = outcome;
  const what = `\`${fn.name}\` (${said(fn.title, 75)})`;
  const record = `Recorded as \`${executionId}\`.`;
  if (!ended)
    return `:hourglass: *Test:* ${what} still runs. \`/executions show ${executionId}\` tells how it ends.`;
  const time = milliseconds === null ? '' : ` in ${milliseconds} ms`;
  if (status === 'succeeded') return `:white_check_mark: *Test passed:* ${what} answered${time}. ${record}`;
  return `:x: *Test failed:* ${what}: ${said(error ?? status, 500)} ${record}`;
}
