/** Which scopes let a call through. The stand-in checks none; Google checks them on every call. */

const MAIL = 'https://mail.google.com/';
const gmail = (...names: string[]): string[] => [
  MAIL,
  ...names.map((name) => `https://www.googleapis.com/auth/gmail.${name}`),
];

const calendar = (...names: string[]): string[] =>
  ['calendar', ...names.map((name) => `calendar.${name}`)].map(
    (name) => `https://www.googleapis.com/auth/${name}`,
  );

interface Rule {
  readonly call: RegExp;
  readonly scopes: readonly string[];
}

/** First match counts; any one of the scopes is enough (the vendor's client types, per method). */
const RULES: readonly Rule[] = [
  { call: /^GET profile$/, scopes: gmail('readonly', 'compose', 'modify', 'metadata') },
  { call: /^GET drafts/, scopes: gmail('readonly', 'compose', 'modify') },
  { call: /^GET labels/, scopes: gmail('readonly', 'labels', 'modify', 'metadata') },
  { call: /^GET messages\/[^/]+\/attachments\//, scopes: gmail('readonly', 'modify') },
  { call: /^GET (messages|threads|history)/, scopes: gmail('readonly', 'modify', 'metadata') },
  { call: /^POST messages\/send$/, scopes: gmail('send', 'compose', 'modify') },
  { call: /^(POST|PUT|DELETE) drafts/, scopes: gmail('compose', 'modify') },
  { call: /^(POST|PUT|PATCH|DELETE) labels/, scopes: gmail('labels', 'modify') },
  { call: /^POST (messages|threads)\/([^/]+\/(modify|trash|untrash)|batchModify)$/, scopes: gmail('modify') },
  { call: /^(GET|POST|PUT|DELETE) settings/, scopes: gmail('settings.basic') },
];

const CALENDAR_RULES: readonly Rule[] = [
  {
    call: /^GET users\/me\/calendarList/,
    scopes: calendar('calendarlist', 'calendarlist.readonly', 'readonly'),
  },
  { call: /^GET calendars\/[^/]+\/events/, scopes: calendar('events', 'events.readonly', 'readonly') },
  { call: /^(POST|PATCH|PUT|DELETE) calendars\/[^/]+\/events/, scopes: calendar('events') },
  { call: /^POST freeBusy$/, scopes: calendar('freebusy', 'readonly') },
];

/** @param path below `/gmail/v1/users/me/` */
export function scopeAllows(method: string, path: string, granted: readonly string[]): boolean {
  const rule = RULES.find(({ call }) => call.test(`${method} ${path}`));
  return (rule?.scopes ?? [MAIL]).some((scope) => granted.includes(scope));
}

/** @param path below `/calendar/v3/` */
export function calendarScopeAllows(method: string, path: string, granted: readonly string[]): boolean {
  const rule = CALENDAR_RULES.find(({ call }) => call.test(`${method} ${path}`));
  return (rule?.scopes ?? calendar()).some((scope) => granted.includes(scope));
}
