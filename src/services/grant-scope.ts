/** What a grant is limited to: read off the call that was approved, and held against the next one. Pure. */
import type { GrantScope, Risk } from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { Arguments, JsonValue } from '../connectors/framework.js';

/** One way to limit a grant, as the form offers it. */
export interface ScopeChoice {
  /** JSON pointer. */
  readonly path: string;
  /** The argument's name; within an object, with the names that lead to it (`fields.project.key`). */
  readonly name: string;
  readonly kind: GrantScope['kind'];
  /** The value, or the domain, that it would be limited to. */
  readonly shown: string;
  /** Part of the narrowest sensible limit. */
  readonly preselected: boolean;
}

/** What says where a call goes, rather than what it says there. */
const PLACE =
  /(?:^|_)(?:to|cc|bcc|recipients?|attendees?|members?|users?|e?mails?|address(?:es)?|requester|grantee|project|folder|directory|channel|conversation|parent|board|space|site|drive|container|bucket|calendar|list|team|repo|repository|account|customer|contact|company|deal|issue|ticket|page|file|document|path|host|url|domain|id|ids|key)$/i;
const ADDRESSES =
  /^\s*[^@,;<>]*<?[^\s@,;<>]+@[^\s@,;<>]+>?\s*(?:[,;]\s*[^@,;<>]*<?[^\s@,;<>]+@[^\s@,;<>]+>?\s*)*$/;
const ADDRESS = /[^\s<>,;:"'()[\]]+@([^\s<>,;:"'()[\]@]+)/g;
const DOMAIN = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
/** A menu has a hundred options, and an argument can have two. */
const MOST_CHOICES = 40;
const SHORT = 80;

/** What only says which part of a place is meant: its parent is the place. */
const PART = /^(?:name|value|title|email|address)$/i;

interface Leaf {
  /** JSON pointer. */
  readonly path: string;
  readonly keys: readonly string[];
  /** A scalar, a list without objects or lists in it, or an object without keys. */
  readonly value: JsonValue;
}

/** What is within the arguments, in an order that depends on nothing but them; nulls count as absent. */
function leavesOf(value: JsonValue, keys: readonly string[] = []): Leaf[] {
  if (value === null) return [];
  const isList = Array.isArray(value);
  const isLeaf =
    typeof value !== 'object' ||
    (isList && value.every((each) => each === null || typeof each !== 'object')) ||
    (keys.length > 0 && Object.keys(value).length === 0);
  if (isLeaf) return [{ path: keys.map((key) => `/${escaped(key)}`).join(''), keys, value }];
  const entries: readonly (readonly [string, JsonValue])[] = isList
    ? value.map((each, at) => [String(at), each] as const)
    : Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.flatMap(([key, each]) => leavesOf(each, [...keys, key]));
}

const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** Every limit that these arguments offer; their order depends on nothing but the arguments. */
export function scopeChoices(args: Arguments): readonly ScopeChoice[] {
  const found = leavesOf(args).flatMap(choicesOf);
  const anyPlace = found.some(({ preselected }) => preselected);
  const all = found.map((choice) =>
    anyPlace || choice.kind === 'domain'
      ? choice
      : { ...choice, preselected: [...choice.shown].length <= SHORT },
  );
  if (all.length <= MOST_CHOICES) return all;
  // What says where the call goes is never what there is no room for.
  const kept = new Set(
    [true, false]
      .flatMap((first) => all.filter(({ preselected }) => preselected === first))
      .slice(0, MOST_CHOICES),
  );
  return all.filter((choice) => kept.has(choice));
}

/** A grant for what changes something is never one for whatever its arguments say. */
export function canBeLimited(risk: Risk, args: Arguments): boolean {
  return risk === 'read' || leavesOf(args).length === 0 || scopeChoices(args).length > 0;
}

function choicesOf({ path, keys, value }: Leaf): ScopeChoice[] {
  const shown = shownValue(value);
  if (shown === null) return [];
  const domain = domainOf(value);
  const name = keys.join('.');
  return [
    { path, name, kind: 'equals', shown, preselected: isPlace(keys) },
    ...(domain === null ? [] : [{ path, name, kind: 'domain' as const, shown: domain, preselected: false }]),
  ];
}

function isPlace(keys: readonly string[]): boolean {
  const [last = '', parent = ''] = keys
    .filter((key) => !/^\d+$/.test(key))
    .map((key) => key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll('-', '_'))
    .reverse();
  return PLACE.test(last) || (PART.test(last) && PLACE.test(parent));
}

/** Scalars, and lists of them; null for what nobody could compare at a glance. */
function shownValue(value: JsonValue): string | null {
  if (Array.isArray(value)) {
    if (value.length === 0 || value.some((each) => each === null || typeof each === 'object')) return null;
    return value.map(String).join(', ');
  }
  return value === null || typeof value === 'object' ? null : String(value);
}

/** The one domain of an address, a URL or a domain, or of a list of them; null where it is not exactly one. */
export function domainOf(value: JsonValue): string | null {
  const all = Array.isArray(value) ? value : [value];
  const found = new Set(all.flatMap((each) => domainsIn(each) ?? ['']));
  const [only] = found;
  return found.size === 1 && only ? only : null;
}

/** Null when there is something in it that is not understood. */
function domainsIn(value: JsonValue): string[] | null {
  if (typeof value !== 'string' || value.length > 2_000) return null;
  const text = value.trim();
  if (ADDRESSES.test(text)) {
    const found = [...text.matchAll(ADDRESS)].map(([, domain]) => (domain ?? '').toLowerCase());
    const signs = text.split('@').length - 1;
    return found.length === signs && found.every((each) => DOMAIN.test(each)) ? found : null;
  }
  if (/^https?:\/\//i.test(text)) {
    const url = URL.canParse(text) ? new URL(text) : null;
    return url && url.username === '' && url.password === '' && DOMAIN.test(url.hostname)
      ? [url.hostname]
      : null;
  }
  const plain = text.toLowerCase();
  return DOMAIN.test(plain) ? [plain] : null;
}

/** Always part of a grant: no argument that the approved call did not have. */
function sameNames(args: Arguments): GrantScope {
  return { path: '', kind: 'equals', value: JSON.stringify(present(args)) };
}

/** Within objects and lists of objects too: a second recipient in there is an argument more. */
function present(args: Arguments): string[] {
  return leavesOf(args).map(({ path }) => path);
}

/** The scope to store. An equal value is kept as a digest that only this grant can be compared with. */
export function scopeOf(grantId: string, args: Arguments, chosen: readonly ScopeChoice[]): GrantScope[] {
  return [
    sameNames(args),
    ...chosen.map(
      ({ path, kind, shown }): GrantScope => ({
        path,
        kind,
        value: kind === 'domain' ? shown : digest(grantId, valueAt(args, path)),
      }),
    ),
  ];
}

/** Whether a call keeps to all of it. An empty scope fits nothing: a grant always has one. */
export function scopeFits(grantId: string, scope: readonly GrantScope[], args: Arguments): boolean {
  return (
    scope.some(({ path }) => path === '') &&
    scope.every(({ path, kind, value }) => {
      if (path === '') {
        const names = new Set(JSON.parse(value) as string[]);
        return present(args).every((name) => names.has(name));
      }
      const found = valueAt(args, path);
      return kind === 'domain' ? domainOf(found) === value : digest(grantId, found) === value;
    })
  );
}

const digest = (grantId: string, value: JsonValue): string => canonicalHash([grantId, value]);

/** Null where there is none. */
function valueAt(args: Arguments, path: string): JsonValue {
  let found: JsonValue = args;
  for (const key of keysOf(path)) {
    if (found === null || typeof found !== 'object' || !Object.hasOwn(found, key)) return null;
    const next: JsonValue | undefined = Array.isArray(found) ? found[Number(key)] : found[key];
    found = next ?? null;
  }
  return found;
}

const keysOf = (path: string): string[] =>
  path
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

/** The name of an argument, from its pointer. */
export function argumentName(path: string): string {
  return keysOf(path).join('.');
}
