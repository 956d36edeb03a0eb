/**
 * Keeps secrets out of logs, answers, cards and errors (shared/RELIABILITY.md 2.3). Two nets: patterns, for secrets
 * nobody told us about, and masking of the exact values used in a call, in every form an upstream may echo them.
 */
import type { JsonValue } from './connectors/framework.js';

/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/**
 * Tokens that give themselves away by their shape, as their issuers document them for secret scanners. The bounded
 * look-aheads ask for a digit, which random keys have and words do not.
 */
const SHAPES: readonly RegExp[] = [
  /xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}/g,
  /xapp-\d-[A-Za-z0-9-]{8,}/g,
  /siesta_[A-Za-z0-9]{20,}/g,
  /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])/g,
  /AIza[A-Za-z0-9_-]{35}/g,
  /ya29\.[A-Za-z0-9._-]{16,}/g,
  /GOCSPX-[A-Za-z0-9_-]{16,}/g,
  /(?<![A-Za-z0-9/])(?:1\/\/0|4\/0)[A-Za-z0-9_-]{20,}/g,
  /gh[pousr]_[A-Za-z0-9]{20,}/g,
  /github_pat_[A-Za-z0-9_]{20,}/g,
  /glpat-[A-Za-z0-9_-]{16,}/g,
  /(?<![A-Za-z])[sr]k-(?=[A-Za-z_-]{0,40}\d)[A-Za-z0-9_-]{20,}/g,
  /[sr]k_(?:live|test)_[A-Za-z0-9]{16,}/g,
  /(?<![A-Za-z])fc-[a-f0-9]{32}/g,
  /pat-(?:na|eu|ap)\d-[a-f0-9-]{32,}/g,
  /ATATT3[A-Za-z0-9_=-]{20,}/g,
  /npm_[A-Za-z0-9]{30,}/g,
  /SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/g,
  /(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,1000}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g,
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^"'<>]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|(?=["'<>])|$)/g,
];

const SECRET_NAMES = [
  'authorization',
  'proxy-authorization',
  '(?:set-)?cookie',
  'client[_-]?(?:secret|assertion)',
  '(?:access|refresh|id|auth|bearer|bot|app|user|session|security|caller)[_-]?token',
  'token',
  '(?:x-)?(?:goog-)?api[_-]?key',
  'secret',
  'secret[_-]?(?:access[_-]?)?key',
  'aws[_-]?secret[_-]?access[_-]?key',
  '(?:encryption|account|shared[_-]?access|service[_-]?account|private)[_-]?keys?',
  'signing[_-]?secret',
  'connection[_-]?string',
  'code[_-]?verifier',
  'password',
  'passwd',
  'pwd',
].join('|');

/** Secrets that only their surroundings give away; `$1` is kept. A `code` is a secret in a query, not elsewhere. */
const CONTEXTS: readonly RegExp[] = [
  // "client_secret":"…", also with the quotes escaped because the JSON sits inside a JSON string
  new RegExp(
    `((?<![a-z0-9])(?:${SECRET_NAMES})\\\\*["']?\\s{0,8}[:=]\\s{0,8}(\\\\*["']))(?:(?!\\2)(?:\\\\[\\s\\S]|[^\\\\]))+`,
    'gi',
  ),
  // client_secret=… in a query, a form or a connection string
  new RegExp(`((?<![a-z0-9])(?:${SECRET_NAMES})=)(?:[^\\s"'\\\\&<>;,]|\\\\(?!["'nr]))+`, 'gi'),
  /((?:[?&]|authorization_code&)(?:code|sig|signature)=)[^\s"'\\&<>;,#]+/gi,
  /((?<![a-z0-9])(?:proxy-)?authorization["']?\s{0,8}[:=]\s{0,8})(?:(?:Bearer|Basic|Token|Digest)[ +][^\s"'\\,;]+|[^\s"'\\,;{}[\]]{8,})/gi,
  /((?<![a-z0-9])(?:set-cookie|cookie|x-api-key|x-goog-api-key|private-token):[ \t]{0,8})[^\s"'\\][^\r\n"'\\]*/gi,
  /((?<![a-z0-9])(?:Bearer|Basic)(?:\s|%20|\+){1,4})(?=[A-Za-z._~+/-]{0,200}[0-9=])[A-Za-z0-9._~+/-]{8,}={0,2}/gi,
  /(:\/\/[^\s:/?#"'@]{0,256}:)[^\s/?#"']+(?=@)/g,
  /(hooks\.slack\.com\/[a-z]+\/)[A-Za-z0-9/_%-]+/g,
];

/**
 * `text` with everything that looks like a secret replaced. Works on sentences, URLs, header dumps, forms and JSON
 * (which stays JSON). Linear in the length of the text; idempotent.
 */
export function redactText(text: string): string {
  let redacted = text;
  for (const shape of SHAPES) redacted = redacted.replace(shape, REDACTED);
  for (const context of CONTEXTS) redacted = redacted.replace(context, `$1${REDACTED}`);
  return redacted;
}

/** Shorter secrets are not masked: they would blank out ordinary text. */
const MIN_SECRET = 4;

/**
 * A function that replaces the given secrets in a text, wherever they stand as they are or in base64 (also as part
 * of a longer encoded text, as in Basic authorization), base64url, URL, form, JSON or HTML encoding.
 */
export function createMask(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(secrets.filter((secret) => secret.length >= MIN_SECRET).flatMap(encodedForms));
  if (forms.size === 0) return (text) => text;
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapePattern).join('|'), 'g');
  return (text) => text.replace(pattern, REDACTED);
}

/** A copy of `value` with `mask` applied to every string and key, and to a number that is itself a secret. */
export function maskDeep(value: JsonValue, mask: (text: string) => string): JsonValue {
  if (typeof value === 'string') return mask(value);
  if (typeof value === 'number') return mask(String(value)) === REDACTED ? REDACTED : value;
  if (Array.isArray(value)) return value.map((item) => maskDeep(item, mask));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [mask(key), maskDeep(item, mask)]));
}

/**
 * Whether a person seems to have pasted a secret where it does not belong (a slash command, a reason). Meant to be
 * quiet on ordinary words, links, ids and UUIDs.
 */
export function looksLikeSecret(text: string): boolean {
  return redactText(text) !== text || text.split(/[\s"'`<>|,;()=]+/).some(isRandomWord);
}

/** Random base62 changes between upper case, lower case and digits at every other character, a camelCase name rarely. */
function isRandomWord(word: string): boolean {
  if (word.length < 24 || word.includes('://')) return false;
  if (!/^[A-Za-z0-9+/_.~-]+$/.test(word) || !/[0-9]/.test(word)) return false;
  const share = (pattern: RegExp): number => (word.match(pattern)?.length ?? 0) / word.length;
  const changes = share(/[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])/g);
  return share(/[A-Z]/g) > 0.2 && share(/[a-z]/g) > 0.2 && changes > 0.35;
}

function encodedForms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const wellFormed = bytes.toString();
  const url = encodeURIComponent(wellFormed);
  const form = new URLSearchParams([['', wellFormed]]).toString().slice(1);
  const json = JSON.stringify(secret).slice(1, -1);
  const html = secret.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  return [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    json.replace(/\//g, '\\/'),
    json.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
    html,
    html.replace(/"/g, '&quot;').replace(/'/g, '&#39;'),
    ...[url, form].flatMap((form_) => [form_, form_.replace(/%../g, (code) => code.toLowerCase())]),
    ...['base64', 'base64url'].flatMap((encoding) => base64Forms(bytes, encoding as 'base64' | 'base64url')),
  ];
}

/**
 * The encoded secret, and the part of it that stays the same when 0, 1 or 2 bytes (mod 3) precede it in a longer
 * text: the characters that share bits with a neighbour are left out.
 */
function base64Forms(bytes: Buffer, encoding: 'base64' | 'base64url'): string[] {
  const whole = bytes.toString(encoding);
  const unpadded = whole.replace(/=+$/, '');
  if (bytes.length < 6) return [whole, unpadded];
  const embedded = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString(encoding)
      .slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6)),
  );
  return [whole, unpadded, ...embedded];
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
