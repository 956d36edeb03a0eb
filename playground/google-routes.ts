/** The calls of Google's APIs that the stand-in can answer (emulate 0.12.2, and what the front adds to it). */

export type GoogleApi = 'gmail' | 'calendar' | 'drive';

export interface ApiCall {
  readonly api: GoogleApi;
  readonly method: string;
  /** Below the API's own prefix: `files/ID/export`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Through `/upload/`: metadata and content in one request. */
  readonly isUpload: boolean;
}

const PREFIXES: readonly { readonly prefix: string; readonly api: GoogleApi; readonly isUpload: boolean }[] =
  [
    { prefix: '/gmail/v1/users/me/', api: 'gmail', isUpload: false },
    { prefix: '/upload/gmail/v1/users/me/', api: 'gmail', isUpload: true },
    { prefix: '/calendar/v3/', api: 'calendar', isUpload: false },
    { prefix: '/drive/v3/', api: 'drive', isUpload: false },
    { prefix: '/upload/drive/v3/', api: 'drive', isUpload: true },
  ];

export const GMAIL = '/gmail/v1/users/me/';
export const CALENDAR = '/calendar/v3/';
export const DRIVE = '/drive/v3/';

/** Null for what is no call of an API: signing in. @param url path and query */
export function apiCall(method: string, url: string): ApiCall | null {
  const { pathname, searchParams: query } = new URL(url, 'http://google');
  const found = PREFIXES.find(({ prefix }) => pathname.startsWith(prefix));
  if (found === undefined) return null;
  const { prefix, api, isUpload } = found;
  return { api, method, path: pathname.slice(prefix.length), query, isUpload };
}

/** A star stands for one id. */
const ROUTES: Readonly<Record<GoogleApi, readonly string[]>> = {
  gmail: [
    'GET profile',
    'GET|POST drafts',
    'POST drafts/send',
    'GET|PUT|DELETE drafts/*',
    'GET history',
    'GET|POST labels',
    'GET|PUT|PATCH|DELETE labels/*',
    'GET|POST messages',
    'POST messages/send',
    'POST messages/import',
    'POST messages/batchModify',
    'POST messages/batchDelete',
    'GET|DELETE messages/*',
    'GET messages/*/attachments/*',
    'POST messages/*/modify',
    'POST messages/*/trash',
    'POST messages/*/untrash',
    'GET threads',
    'GET|DELETE threads/*',
    'POST threads/*/modify',
    'POST threads/*/trash',
    'POST threads/*/untrash',
    'GET|POST settings/filters',
    'DELETE settings/filters/*',
    'GET settings/forwardingAddresses',
    'GET settings/sendAs',
  ],
  calendar: [
    'GET users/me/calendarList',
    'GET|POST calendars/*/events',
    'GET|DELETE calendars/*/events/*',
    'POST freeBusy',
  ],
  drive: ['GET about', 'GET files/generateIds', 'GET|POST files', 'GET|PATCH|PUT files/*'],
};
const UPLOADS: Readonly<Record<GoogleApi, readonly string[]>> = {
  gmail: ['POST messages/send', 'POST messages', 'POST messages/import', 'POST drafts', 'PUT drafts/*'],
  calendar: [],
  drive: ['POST files'],
};

function pattern(route: string): RegExp {
  const [methods, path = ''] = route.split(' ');
  return new RegExp(`^(?:${methods}) ${path.replaceAll('*', '[^/]+')}$`);
}

export function hasRoute({ api, method, path, isUpload }: ApiCall): boolean {
  const routes = (isUpload ? UPLOADS : ROUTES)[api];
  return routes.some((route) => pattern(route).test(`${method} ${path}`));
}

/** Words that stand where an id would. */
const VERBS = new Set(['quickAdd', 'trash', 'startPageToken', 'me']);

/** As the API's reference would name it, without ids: `GET files/export`. */
export function nameOf({ method, path, isUpload }: ApiCall): string {
  const [first = '', ...rest] = path.split('/');
  // Below `settings` no id stands, but another word.
  const words = first === 'settings' ? [`${first}/${rest[0]}`, ...rest.slice(1)] : [first, ...rest];
  const named = words.filter((word, index) => index % 2 === 0 || VERBS.has(word));
  return `${method} ${isUpload ? 'upload/' : ''}${named.join('/')}`;
}
