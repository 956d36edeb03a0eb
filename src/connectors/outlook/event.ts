/** An event of Graph as the stable, small JSON that callers get, and as a card shows it. */
import { short } from '../fields.js';
import type { CallContext, CardField } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { at } from '../microsoft/graph.js';
import { callOutlook } from './api.js';
import { peopleOf, personOf } from './message.js';

/** Members that `Calendars.ReadBasic` shows: neither body nor attachments. */
export const EVENT =
  'id,subject,start,end,isAllDay,location,organizer,attendees,showAs,type,seriesMasterId,isCancelled,isOnlineMeeting,onlineMeeting,responseStatus,webLink';
export const WHOLE_EVENT = `${EVENT},body`;

/** `{date_time, time_zone}` of a dateTimeTimeZone; the seconds' fraction is always zero and left out. */
function timeOf(time: JsonObject[string] | undefined): JsonObject {
  const { dateTime, timeZone } = objectOf(time);
  return { date_time: textOf(dateTime).replace(/\.0+$/, ''), time_zone: textOf(timeZone) };
}

/** `{id, subject, start, end, all_day, location, organizer, attendees, my_response, show_as, type, series_id, is_cancelled, join_url, url}` */
export function eventOf(event: JsonObject): JsonObject {
  return {
    id: textOf(event.id),
    subject: textOf(event.subject),
    start: timeOf(event.start),
    end: timeOf(event.end),
    all_day: event.isAllDay === true,
    location: textOf(objectOf(event.location).displayName),
    organizer: personOf(event.organizer),
    attendees: objectsIn(event.attendees).map((attendee) => ({
      who: personOf(attendee),
      type: textOf(attendee.type),
      response: textOf(objectOf(attendee.status).response),
    })),
    my_response: textOf(objectOf(event.responseStatus).response),
    show_as: textOf(event.showAs),
    type: textOf(event.type),
    series_id: textOrNull(event.seriesMasterId),
    is_cancelled: event.isCancelled === true,
    join_url: textOrNull(objectOf(event.onlineMeeting).joinUrl),
    url: textOf(event.webLink),
  };
}

/** `2026-05-04T09:30:00 – 2026-05-04T10:00:00 (Europe/Berlin)` */
export function whenOf(event: JsonObject): string {
  const [start, end] = [timeOf(event.start), timeOf(event.end)];
  return `${textOf(start.date_time)} – ${textOf(end.date_time)} (${textOf(start.time_zone)})`;
}

/** @throws UpstreamError */
export function fetchEvent(
  context: CallContext,
  eventId: string,
  select: string,
  timeZone?: string,
): Promise<JsonObject> {
  const zone = timeZone === undefined ? {} : { timeZone };
  return callOutlook(
    context,
    { path: at`/events/${eventId}`, query: { $select: select } },
    { bodyAsText: true, ...zone },
  );
}

/** Whoever changes or deletes the master of a series does it to every occurrence. */
export function seriesFields(event: JsonObject): CardField[] {
  return event.type === 'seriesMaster' ? short('Series', 'Every occurrence') : [];
}

/** What an event is, in lines that stay true while people answer it. */
export function eventFields(event: JsonObject): CardField[] {
  return [
    ...short('Title', textOf(event.subject) || '(no title)'),
    ...short('When', whenOf(event)),
    ...seriesFields(event),
    ...short('Organiser', personOf(event.organizer) || undefined),
    ...short('Attendees', peopleOf(event.attendees)),
  ];
}
