/** Calls of several requests: what the one that failed says about the one that counts. */
import { describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { gmailConnector } from '../../src/connectors/gmail/index.js';
import { googleCalendarConnector } from '../../src/connectors/google_calendar/index.js';
import { upstreamResponse } from '../../src/net/response.js';
import type { Answer, Recorded } from '../contract/recorder.js';
import { call } from './call-context.js';
import { standIn } from './stand-in.js';

const gmail = standIn({ functions: gmailConnector.functions({}), config: {} });
const calendar = standIn({ functions: googleCalendarConnector.functions({}), config: {} });
const event = { summary: 'Lunch', start: '2026-05-01T12:00:00Z', end: '2026-05-01T13:00:00Z' };
const down: Answer = { status: 503, body: { error: { code: 503, message: 'Backend Error' } } };

describe('a look before a write', () => {
  it.each<[string, typeof gmail, string, Arguments]>([
    ['the mail that is answered', gmail, 'reply', { message_id: 'm1', body_text: 'Yes' }],
    ['the version of a draft', gmail, 'send_draft', { draft_id: 'd1', message_id: 'm1' }],
    [
      'the guests of an event',
      calendar,
      'update_event',
      { event_id: 'e1', add_attendees: ['ada@siesta.example'] },
    ],
    ['an invitation', calendar, 'respond_to_event', { event_id: 'e1', response: 'accepted' }],
  ])('that fails is a known end, nothing was written: %s', async (_, system, name, args) => {
    system.answer = () => down;
    await expect(system.run(name, args)).rejects.toMatchObject({
      code: 'upstream_unavailable',
      definite: true,
      status: 503,
    });
    expect(system.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('that cannot be read is a known end too', async () => {
    const garbled = upstreamResponse(200, {}, Buffer.from('<html>'));
    const context = { ...calendar.context(), fetch: async () => garbled };
    const answering = call(calendar.fn('respond_to_event'), context, {
      event_id: 'e1',
      response: 'accepted',
    });
    await expect(answering).rejects.toMatchObject({ code: 'upstream_rejected', definite: true });
  });
});

describe('an event that is there already', () => {
  const taken: Answer = { status: 409, body: { error: { code: 409, message: 'Already exists.' } } };
  const answering = (look: Answer) => (request: Recorded) => (request.method === 'POST' ? taken : look);

  it.each<[string, Answer]>([
    ['a Calendar that is down', down],
    ['too many calls', { status: 429, body: { error: { code: 429 } } }],
    ['an event that is hidden', { status: 404, body: { error: { code: 404 } } }],
  ])('may be ours where it cannot be read: %s', async (_, look) => {
    calendar.answer = answering(look);
    await expect(calendar.run('create_event', event)).rejects.toMatchObject({
      code: 'upstream_unavailable',
      definite: false,
    });
  });
});
