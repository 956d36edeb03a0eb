/** What every feature of the Slack edge is given, and how errors become answers. */
import { randomUUID } from 'node:crypto';
import type { App } from '@slack/bolt';
import { WebAPIPlatformError } from '@slack/web-api';
import { AppError } from '../errors.js';
import type { Logger } from '../log.js';
import type { Dependencies } from '../services/dependencies.js';
import { DirectoryUnavailable } from '../services/directory.js';
import type { Services } from '../services/index.js';
import type { SlackClients } from './clients.js';
import type { SlackDirectory } from './directory.js';
import { noteRefused } from './refusals.js';

export interface SlackEdge {
  readonly app: App;
  readonly services: Services;
  readonly deps: Dependencies;
  readonly clients: SlackClients;
  readonly directory: SlackDirectory;
  readonly log: Logger;
}

/** A feature registers its handlers, and nothing else. */
export type Register = (edge: SlackEdge) => void;

export { sentence, sentenceModal } from '../../blocks/sentence.js';

/**
 * What a person is told about a failure. An unexpected one has an id that the log has too; that she may not is on
 * record.
 */
export function explain(error: unknown, log: Logger): string {
  if (error instanceof AppError) {
    void noteRefused(error);
    return error.message;
  }
  if (error instanceof DirectoryUnavailable) {
    return 'Slack did not answer when asked about people or groups. Nothing was changed; try again in a moment.';
  }
  if (error instanceof WebAPIPlatformError && isExpiredTrigger(error)) {
    return 'That took a moment too long and Slack closed the window. Please try again.';
  }
  const id = randomUUID().slice(0, 8);
  log.error({ err: error, id }, 'unexpected error in Slack');
  return `Something went wrong on our side. Nothing more is known here; an admin finds the details in the log under the id \`${id}\`.`;
}

/** Slack has two ways to say it (shared/SLACK.md §1a, `trigger_id`). */
function isExpiredTrigger(error: WebAPIPlatformError): boolean {
  return (
    /trigger/.test(error.data.error) || /trigger_id/.test(JSON.stringify(error.data.response_metadata ?? ''))
  );
}
