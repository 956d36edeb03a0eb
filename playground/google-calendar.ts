/** Google Calendar as the stand-in has it, with what its routes leave out. */
import { z } from 'zod';
import { lacking, notFound } from './google-answers.js';
import { type ApiCall, CALENDAR, nameOf } from './google-routes.js';
import type { Forward } from './google-stand-in.js';
import { type Answer, bodyOf, json, type ReceivedRequest } from './loopback.js';

const listed = z.object({ items: z.array(z.looseObject({ id: z.string() })) });

export async function answerCalendar(
  call: ApiCall,
  request: ReceivedRequest,
  forward: Forward,
): Promise<Answer> {
  const [collection = '', calendar = '', , event] = call.path.split('/');
  if (call.method === 'GET' && collection === 'calendars' && event !== undefined)
    return oneEvent(request, forward, calendar, decodeURIComponent(event));
  const dropped = call.method === 'POST' ? droppedOf(bodyOf(request)) : undefined;
  return dropped === undefined ? forward(request) : lacking(`\`${nameOf(call)}\` with \`${dropped}\``);
}

/** `events.get`, which the stand-in lacks; it lists at most 250 at once. */
async function oneEvent(
  request: ReceivedRequest,
  forward: Forward,
  calendar: string,
  id: string,
): Promise<Answer> {
  const answered = await forward({
    ...request,
    url: `${CALENDAR}calendars/${calendar}/events?maxResults=250`,
  });
  if (answered.status !== 200) return answered;
  const found = listed.parse(JSON.parse(answered.body ?? '')).items.find((event) => event.id === id);
  return found === undefined ? notFound('Event') : json(200, found);
}

/** What it would take and forget: an event that does not repeat is not the event that was asked for. */
function droppedOf({ recurrence, conferenceData }: Record<string, unknown>): string | undefined {
  if (recurrence !== undefined) return 'recurrence';
  return conferenceData === undefined ? undefined : 'conferenceData';
}
