import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNTS, type Google, startGoogle } from '../../playground/google.js';
import { signIn } from './google-sign-in.js';

const PUBLIC_URL = 'http://127.0.0.1:39997';
const scope = (name: string): string => `https://www.googleapis.com/auth/${name}`;
let google: Google;

beforeAll(async () => {
  google = await startGoogle({ port: 0, publicUrl: PUBLIC_URL });
});
afterAll(() => google.close());

interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: plain JSON of an API
  readonly body: any;
}

type Send = (method: string, path: string, body?: unknown, type?: string) => Promise<Answered>;

/** Calls as Cleo, with these scopes. */
async function as(...scopes: readonly string[]): Promise<Send> {
  const { access_token: token } = await signIn(google, PUBLIC_URL, ACCOUNTS.cleo, scopes.map(scope));
  return async (method, path, body, type = 'application/json') => {
    const answered = await fetch(`${google.origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined
        ? {}
        : { body: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body) }),
    });
    const text = await answered.text();
    const isJson = /json/.test(answered.headers.get('content-type') ?? '');
    return { status: answered.status, body: isJson ? JSON.parse(text) : text };
  };
}

const namesIn = ({ body }: Answered): string[] => body.files.map(({ name }: { name: string }) => name);
const search = (q: string): string => `/drive/v3/files?${new URLSearchParams({ q })}`;

/** RFC 2387. */
function related(metadata: object, type: string, content: Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from(`--edge\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(metadata)}\r\n`),
    Buffer.from(`--edge\r\ncontent-type: ${type}\r\n\r\n`),
    content,
    Buffer.from('\r\n--edge--'),
  ]);
}
const RELATED = 'multipart/related; boundary=edge';

describe('Drive', () => {
  it.each([
    ["'cleo-support-faq' in parents and trashed = false", ['Opening hours.txt', 'Returns and refunds.md']],
    ["('root' in parents or 'cleo-support-faq' in parents) and mimeType = 'text/csv'", ['Salaries.csv']],
    ["name contains 'refund' and trashed = false", ['Returns and refunds.md']],
    ["fullText contains 'august siesta'", ['Opening hours.txt']],
    ["name contains 'it\\'s and more'", []],
    ["mimeType != 'application/vnd.google-apps.folder' and name contains 's'", ['Salaries.csv']],
    ["modifiedTime > '2999-01-01T00:00:00Z'", []],
    ['trashed = true', []],
  ])('finds %s', async (q, expected) => {
    const send = await as('drive.metadata.readonly');
    expect(namesIn(await send('GET', search(q))).sort()).toEqual(expected);
  });

  it('gives a search in pages, in order', async () => {
    const send = await as('drive.readonly');
    const query = { q: 'trashed = false', orderBy: 'folder,name_natural', pageSize: '3' };
    const first = await send('GET', `/drive/v3/files?${new URLSearchParams(query)}`);
    expect(namesIn(first)).toEqual(['Opening hours.txt', 'Returns and refunds.md', 'Salaries.csv']);
    const more = new URLSearchParams({ ...query, pageToken: first.body.nextPageToken });
    expect((await send('GET', `/drive/v3/files?${more}`)).body).toMatchObject({
      files: [{ name: 'Support FAQ' }],
    });
  });

  it('opens to each token what its scopes allow', async () => {
    const path = '/drive/v3/files/cleo-opening-hours';
    const metadata = await as('drive.metadata.readonly');
    expect((await metadata('GET', path)).status).toBe(200);
    expect((await metadata('GET', `${path}?alt=media`)).status).toBe(403);
    expect((await metadata('PATCH', path, { name: 'x' })).status).toBe(403);
    expect((await (await as('calendar'))('GET', path)).status).toBe(403);
    const reader = await as('drive.readonly');
    expect((await reader('GET', `${path}?alt=media`)).body).toContain('siesta');
    expect((await reader('GET', '/drive/v3/files/ada-salaries')).status).toBe(404);
    expect(
      (await fetch(`${google.origin}${path}`, { headers: { authorization: 'Bearer made-up' } })).status,
    ).toBe(401);
  });

  it('shows to `drive.file` what the app made itself, and nothing else', async () => {
    const own = await as('drive.file');
    expect(namesIn(await own('GET', search('trashed = false')))).toEqual([]);
    expect((await own('GET', '/drive/v3/files/cleo-salaries')).status).toBe(404);
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    const upload = '/upload/drive/v3/files?uploadType=multipart';
    const metadata = { name: 'bytes.bin', parents: ['cleo-support-faq'] };
    const made = await own('POST', upload, related(metadata, 'application/octet-stream', bytes), RELATED);
    expect(made.body).toMatchObject({ name: 'bytes.bin', parents: ['cleo-support-faq'], size: '256' });
    expect(namesIn(await own('GET', search('trashed = false')))).toEqual(['bytes.bin']);
    const path = `/drive/v3/files/${made.body.id}`;
    expect(
      (await own('PATCH', `${path}?addParents=root&removeParents=cleo-support-faq`, { name: 'b.bin' })).body,
    ).toMatchObject({ name: 'b.bin', parents: ['root'] });
    const both = await as('drive.file', 'drive.readonly');
    expect((await both('PATCH', '/drive/v3/files/cleo-salaries', { name: 'x' })).body).toMatchObject({
      error: { code: 403, errors: [{ reason: 'appNotAuthorizedToFile' }] },
    });
    expect((await own('GET', '/drive/v3/files/generateIds?count=2')).body.ids).toHaveLength(2);
  });
});

describe('Calendar', () => {
  it('has two events for each person, one with guests, and each by its id', async () => {
    const send = await as('calendar.readonly');
    expect((await send('GET', '/calendar/v3/users/me/calendarList')).body.items).toMatchObject([
      { id: ACCOUNTS.cleo, primary: true },
    ]);
    const { body } = await send('GET', '/calendar/v3/calendars/primary/events');
    expect(body.items).toMatchObject([
      { summary: 'Answer the long tickets', attendees: [] },
      { attendees: { length: 3 } },
    ]);
    const one = await send('GET', `/calendar/v3/calendars/primary/events/${body.items[1].id}`);
    expect(one.body).toEqual(body.items[1]);
    expect((await send('GET', '/calendar/v3/calendars/primary/events/nothing')).status).toBe(404);
  });
});

describe('Gmail', () => {
  it('takes a mail as an upload, byte by byte', async () => {
    const send = await as('gmail.modify');
    const mail = Buffer.from(
      `To: ${ACCOUNTS.ben}\r\nSubject: Uploaded\r\nMessage-ID: <up@siesta>\r\n\r\nGrüße\r\n`,
    );
    const upload = '/upload/gmail/v1/users/me';
    const sent = await send(
      'POST',
      `${upload}/messages/send?uploadType=multipart`,
      related({}, 'message/rfc822', mail),
      RELATED,
    );
    const kept = await send('GET', `/gmail/v1/users/me/messages/${sent.body.id}?format=raw`);
    expect(Buffer.from(kept.body.raw, 'base64url')).toEqual(mail);
    expect((await google.inbox(ACCOUNTS.ben))[0]).toMatchObject({
      subject: 'Uploaded',
      body_text: 'Grüße',
    });
    const draft = related({ message: {} }, 'message/rfc822', mail);
    expect((await send('POST', `${upload}/drafts?uploadType=multipart`, draft, RELATED)).body).toMatchObject({
      message: { id: expect.any(String) },
    });
  });
});

describe('what is nobody’s own', () => {
  it.each([`/gmail/v1/users/${ACCOUNTS.ada}/messages`, '/drive/v2/files', '/upload/calendar/v3/x'])(
    '%s opens to no token',
    async (path) => {
      expect(
        (await fetch(`${google.origin}${path}`, { headers: { authorization: 'Bearer made-up' } })).status,
      ).toBe(401);
      expect((await (await as('gmail.modify', 'drive'))('GET', path)).status).toBe(404);
    },
  );
});

describe('what the stand-in lacks', () => {
  it.each([
    ['drive', 'GET', '/drive/v3/files/cleo-opening-hours/export?mimeType=text/plain', '`GET files/export`'],
    ['drive', 'DELETE', '/drive/v3/files/trash', '`DELETE files/trash`'],
    ['drive', 'PATCH', '/drive/v3/files/cleo-opening-hours', '`PATCH files` with `trashed`'],
    ['drive', 'PATCH', '/upload/drive/v3/files/cleo-opening-hours?uploadType=media', '`PATCH upload/files`'],
    ['drive', 'GET', search("'me' in owners"), 'search for `in owners`'],
    ['drive', 'GET', search("appProperties has { key='a' and value='b' }"), 'search for `appProperties has`'],
    ['calendar', 'PATCH', '/calendar/v3/calendars/primary/events/cleofocus', '`PATCH calendars/events`'],
    [
      'calendar',
      'POST',
      '/calendar/v3/calendars/primary/events/quickAdd?text=x',
      '`POST calendars/events/quickAdd`',
    ],
    [
      'calendar',
      'POST',
      '/calendar/v3/calendars/primary/events',
      '`POST calendars/events` with `recurrence`',
    ],
    ['gmail.settings.basic', 'GET', '/gmail/v1/users/me/settings/vacation', '`GET settings/vacation`'],
  ])('%s: %s %s is said plainly', async (granted, method, path, what) => {
    const send = await as(granted);
    const answered = await send(
      method,
      path,
      method === 'GET' ? undefined : { trashed: true, recurrence: ['RRULE:FREQ=DAILY'] },
    );
    expect(answered).toMatchObject({
      status: 501,
      body: {
        error: {
          code: 501,
          status: 'UNIMPLEMENTED',
          message: `The playground's stand-in for Google has no ${what}. With a real Google account it works.`,
        },
      },
    });
  });

  it('is said to nobody who may not know', async () => {
    const path = '/drive/v3/files/cleo-opening-hours/export?mimeType=text/plain';
    expect((await (await as('drive.metadata.readonly'))('GET', path)).status).toBe(403);
    expect((await fetch(`${google.origin}${path}`)).status).toBe(401);
  });
});
