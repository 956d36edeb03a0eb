/** Which scopes let a call through. The stand-in checks none; Google checks them on every call. */
import type { ApiCall, GoogleApi } from './google-routes.js';

const MAIL = 'https://mail.google.com/';
const scope = (name: string): string => `https://www.googleapis.com/auth/${name}`;
const gmail = (...names: string[]): string[] => [MAIL, ...names.map((name) => scope(`gmail.${name}`))];
const calendar = (...names: string[]): string[] =>
  ['calendar', ...names.map((name) => `calendar.${name}`)].map(scope);
const drive = (...names: string[]): string[] => ['drive', ...names.map((name) => `drive.${name}`)].map(scope);

interface Rule {
  readonly call: RegExp;
  readonly scopes: readonly string[];
}

/** First match counts; any one of the scopes is enough (the vendor's client types, per method). */
const RULES: Readonly<Record<GoogleApi, readonly Rule[]>> = {
  gmail: [
    { call: /^GET profile$/, scopes: gmail('readonly', 'compose', 'modify', 'metadata') },
    { call: /^GET drafts/, scopes: gmail('readonly', 'compose', 'modify') },
    { call: /^GET labels/, scopes: gmail('readonly', 'labels', 'modify', 'metadata') },
    { call: /^GET messages\/[^/]+\/attachments\//, scopes: gmail('readonly', 'modify') },
    { call: /^GET (messages|threads|history)/, scopes: gmail('readonly', 'modify', 'metadata') },
    { call: /^POST messages\/send$/, scopes: gmail('send', 'compose', 'modify') },
    { call: /^(POST|PUT|DELETE) drafts/, scopes: gmail('compose', 'modify') },
    { call: /^(POST|PUT|PATCH|DELETE) labels/, scopes: gmail('labels', 'modify') },
    {
      call: /^POST (messages|threads)\/([^/]+\/(modify|trash|untrash)|batchModify)$/,
      scopes: gmail('modify'),
    },
    { call: /^(GET|POST|PUT|DELETE) settings/, scopes: gmail('settings.basic') },
    { call: /./, scopes: gmail() },
  ],
  calendar: [
    {
      call: /^GET users\/me\/calendarList/,
      scopes: calendar('calendarlist', 'calendarlist.readonly', 'readonly'),
    },
    {
      call: /^GET calendars\/[^/]+\/events/,
      scopes: calendar('events', 'events.readonly', 'readonly'),
    },
    { call: /^(POST|PATCH|PUT|DELETE) calendars\/[^/]+\/events/, scopes: calendar('events') },
    { call: /^POST freeBusy$/, scopes: calendar('freebusy', 'readonly') },
    { call: /^GET calendars\/[^/]+\/acl/, scopes: calendar('acls', 'acls.readonly', 'readonly') },
    { call: /^(POST|PATCH|PUT|DELETE) calendars\/[^/]+\/acl/, scopes: calendar('acls') },
    { call: /^GET calendars/, scopes: calendar('calendars', 'calendars.readonly', 'readonly') },
    { call: /^(POST|PATCH|PUT|DELETE) calendars/, scopes: calendar('calendars') },
    { call: /./, scopes: calendar() },
  ],
  drive: [
    { call: /^GET files\/generateIds$/, scopes: drive('file', 'appdata') },
    { call: /^GET files\/[^/]+(\/export$|.*\?media$)/, scopes: drive('file', 'readonly') },
    { call: /^GET files\/[^/]+\/comments/, scopes: drive('file', 'readonly') },
    { call: /^GET drives/, scopes: drive('readonly') },
    {
      call: /^GET (about|changes|files)/,
      scopes: drive('file', 'readonly', 'metadata', 'metadata.readonly'),
    },
    { call: /^DELETE files\/trash$|^(POST|PATCH|DELETE) drives/, scopes: drive() },
    { call: /^(PATCH|PUT) files\/[^/]+$/, scopes: drive('file', 'metadata') },
    { call: /^(POST|PATCH|PUT|DELETE) files/, scopes: drive('file') },
    { call: /./, scopes: drive() },
  ],
};

export function scopeAllows(call: ApiCall, granted: readonly string[]): boolean {
  const isMedia = call.api === 'drive' && call.query.get('alt') === 'media';
  const line = `${call.method} ${call.path}${isMedia ? '?media' : ''}`;
  const rule = RULES[call.api].find((each) => each.call.test(line));
  return rule?.scopes.some((one) => granted.includes(one)) === true;
}

/** With one of these an app sees files that people made; `drive.file` alone shows what the app made itself. */
export function seesAllFiles(granted: readonly string[]): boolean {
  return drive('readonly', 'metadata', 'metadata.readonly').some((one) => granted.includes(one));
}

export function changesAllFiles(granted: readonly string[]): boolean {
  return granted.includes(scope('drive'));
}
