/** The events of one Google calendar: read, changed under a condition, and nothing else. */
import { json, listen, type ReceivedRequest } from '../../playground/loopback.js';

export type Calendar = Awaited<ReturnType<typeof startCalendar>>;

const PRECONDITION_FAILED = {
  error: {
    code: 412,
    message: 'Precondition Failed',
    errors: [
      { domain: 'global', reason: 'conditionNotMet', message: 'Precondition Failed', location: 'If-Match' },
    ],
  },
};

export async function startCalendar() {
  const events = new Map<string, { summary: string; version: number }>();
  /** Changes that took effect, by the id of their event. */
  const writes: string[] = [];

  const put = (id: string, summary: string): void => {
    events.set(id, { summary, version: (events.get(id)?.version ?? 0) + 1 });
  };
  const shown = (id: string, { summary, version }: { summary: string; version: number }) => ({
    kind: 'calendar#event',
    id,
    etag: `"${version}"`,
    status: 'confirmed',
    summary,
    start: { dateTime: '2026-05-01T12:00:00Z' },
    end: { dateTime: '2026-05-01T13:00:00Z' },
    organizer: { email: 'ada@siesta.example', self: true },
  });

  const answer = ({ method, url, headers, body }: ReceivedRequest) => {
    const { pathname } = new URL(url, 'http://calendar');
    const id = /^\/calendar\/v3\/calendars\/[^/]+\/events\/([^/]+)$/.exec(pathname)?.[1] ?? '';
    const event = events.get(id);
    if (!event) return json(404, { error: { code: 404, message: 'Not Found' } });
    if (method === 'GET') return json(200, shown(id, event));
    const condition = headers['if-match'];
    if (condition !== undefined && condition !== `"${event.version}"`) return json(412, PRECONDITION_FAILED);
    writes.push(id);
    put(id, JSON.parse(body).summary ?? event.summary);
    return json(200, shown(id, events.get(id) ?? event));
  };

  const server = await listen(0, answer, { delay: 0, fail: undefined }, () => true);
  return {
    origin: server.origin,
    writes,
    put,
    summaryOf: (id: string) => events.get(id)?.summary,
    close: () => server.close(),
  };
}
