/** Calls of the Google Calendar API v3. Paths, scopes and limits: the vendor's client types (@googleapis/calendar 16). */
import { UpstreamError } from '../../errors.js';
import type { CallContext, UpstreamRequest } from '../framework.js';
import { callGoogle } from '../google/api.js';
import type { JsonObject } from '../json.js';

export const CALENDAR_PATH = '/calendar/v3/';

const scope = (name: string): string => `https://www.googleapis.com/auth/calendar.${name}`;
export const SCOPES = {
  list: scope('calendarlist.readonly'),
  eventsRead: scope('events.readonly'),
  events: scope('events'),
  freeBusy: scope('freebusy'),
  acls: scope('acls'),
  calendars: scope('calendars'),
} as const;

/**
 * One request below `/calendar/v3/`.
 * @param path segments; each is encoded
 * @param more `ifMatch`: the etag that the target must still have
 * @returns the answer's object, `{}` for an empty answer
 * @throws UpstreamError `target_changed`, definite, when it no longer has that etag
 */
export async function callCalendar(
  context: CallContext,
  method: UpstreamRequest['method'],
  path: readonly string[],
  more: Pick<UpstreamRequest, 'query' | 'json'> & { readonly ifMatch?: string | undefined } = {},
): Promise<JsonObject> {
  const { ifMatch, ...rest } = more;
  const url = `${context.baseUrl}${CALENDAR_PATH}${path.map(encodeURIComponent).join('/')}`;
  const headers = ifMatch === undefined || ifMatch === '' ? {} : { headers: { 'if-match': ifMatch } };
  try {
    return await callGoogle(context, 'Google Calendar', { method, url, ...headers, ...rest });
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.status !== 412) throw error;
    throw new UpstreamError('target_changed', 'The event was changed since it was read.', {
      definite: true,
      status: 412,
    });
  }
}
