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
 * @param more `etag`: the one that the caller itself asked for; it goes before `ifMatch`, the one that we have read
 * @returns the answer's object, `{}` for an empty answer
 * @throws UpstreamError definite, when the target no longer has that etag: `target_changed`, or `upstream_rejected` for
 * the caller's own, which no second look makes newer
 */
export async function callCalendar(
  context: CallContext,
  method: UpstreamRequest['method'],
  path: readonly string[],
  more: Pick<UpstreamRequest, 'query' | 'json'> & {
    readonly etag?: string | undefined;
    readonly ifMatch?: string | undefined;
  } = {},
): Promise<JsonObject> {
  const { etag, ifMatch = '', ...rest } = more;
  const url = `${context.baseUrl}${CALENDAR_PATH}${path.map(encodeURIComponent).join('/')}`;
  const condition = etag ?? ifMatch;
  const headers = condition === '' ? {} : { headers: { 'if-match': condition } };
  try {
    return await callGoogle(context, 'Google Calendar', { method, url, ...headers, ...rest });
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.status !== 412) throw error;
    const refused = { definite: true, status: 412 };
    if (etag === undefined)
      throw new UpstreamError('target_changed', 'The event was changed since it was read.', refused);
    const message = 'The event no longer has the etag that was asked for. Read it again.';
    throw new UpstreamError('upstream_rejected', message, refused);
  }
}
