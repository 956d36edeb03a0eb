/** Calls of Microsoft Graph on one mailbox: the signed-in person's, or the one that the connection names. */
import type { CallContext, JsonValue } from '../framework.js';
import { type JsonObject, textOf } from '../json.js';
import { at, callGraph, type GraphRequest } from '../microsoft/graph.js';

export const SYSTEM = 'Outlook';

export const SCOPES = {
  readBasicMail: 'Mail.ReadBasic',
  readMail: 'Mail.Read',
  writeMail: 'Mail.ReadWrite',
  sendMail: 'Mail.Send',
  readBasicCalendars: 'Calendars.ReadBasic',
  readCalendars: 'Calendars.Read',
  readSharedCalendars: 'Calendars.Read.Shared',
  writeCalendars: 'Calendars.ReadWrite',
} as const;

export interface Preferences {
  /** Bodies as text, whatever they were written as. */
  readonly bodyAsText?: boolean;
  /** Times of an answer in this zone; UTC where absent. */
  readonly timeZone?: string;
}

/** `/me`, or `/users/{mailbox}` for an app, which has no mailbox of its own. */
export function mailboxPath(config: Readonly<Record<string, JsonValue>>): string {
  const mailbox = textOf(config.mailbox);
  return mailbox === '' ? '/me' : at`/users/${mailbox}`;
}

/**
 * One request below the mailbox, its answer as an object. Ids are asked for in the form that survives a move
 * (Microsoft Graph, "Obtain immutable identifiers for Outlook resources").
 * @throws UpstreamError
 */
export function callOutlook(
  context: CallContext,
  { path, headers, ...more }: GraphRequest,
  { bodyAsText = false, timeZone }: Preferences = {},
): Promise<JsonObject> {
  const prefer = [
    'IdType="ImmutableId"',
    ...(bodyAsText ? ['outlook.body-content-type="text"'] : []),
    ...(timeZone === undefined ? [] : [`outlook.timezone="${timeZone}"`]),
  ].join(', ');
  return callGraph(context, SYSTEM, {
    ...more,
    path: `${mailboxPath(context.config)}${path}`,
    headers: { ...headers, Prefer: prefer },
  });
}
