/** What a grant is limited to: read off the call that was approved, and held against the next one. Pure. */
import type { GrantScope } from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { Arguments, JsonValue } from '../connectors/framework.js';

/** One way to limit a grant, as the form offers it. */
export interface ScopeChoice {
  readonly path: string;
  /** The argument's name. */
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

/** Every limit that these arguments offer; their order depends on nothing but the arguments. */
export function scopeChoices(args: Arguments): readonly ScopeChoice[] {
  const named = Object.keys(args)
    .sort()
    .flatMap((name) => choicesOf(name, args[name] ?? null));
  const anyPlace = named.some(({ preselected }) => preselected);
  return named
    .map((choice) =>
      anyPlace || choice.kind === 'domain'
        ? choice
        : { ...choice, preselected: [...choice.shown].length <= SHORT },
    )
    .slice(0, MOST_CHOICES);
}

function choicesOf(name: string, value: JsonValue): ScopeChoice[] {
  const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const shown = shownValue(value);
  if (shown === null) return [];
  const domain = domainOf(value);
  const snake = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll('-', '_');
  return [
    { path, name, kind: 'equals', shown, preselected: PLACE.test(snake) },
    ...(domain === null ? [] : [{ path, name, kind: 'domain' as const, shown: domain, preselected: false }]),
  ];
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

function present(args: Arguments): string[] {
  return Object.keys(args)
    .filter((name) => args[name] !== null)
    .sort();
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

function valueAt(args: Arguments, path: string): JsonValue {
  const name = path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
  return Object.hasOwn(args, name) ? (args[name] ?? null) : null;
}

/** The name of an argument, from its pointer. */
export function argumentName(path: string): string {
  return path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
}
