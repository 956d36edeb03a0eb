/** The ways a REST connection signs in: a key or password on every request, or an OAuth server of its own. */
import { AppError } from '../../errors.js';
import type { AuthMethod, JsonValue, OAuthProvider, UpstreamRequest } from '../framework.js';
import { objectsIn, textOf, textsIn } from '../json.js';

type Config = Readonly<Record<string, JsonValue>>;

export const DEFAULT_KEY_HEADER = 'X-API-Key';

/** Where an API key goes. */
export function keyPlace(config: Config): { in: 'header' | 'query'; name: string } {
  const name = typeof config.api_key_name === 'string' ? config.api_key_name : DEFAULT_KEY_HEADER;
  return { in: config.api_key_in === 'query' ? 'query' : 'header', name };
}

/** RFC 6749, 3.3: with spaces between. */
export function scopesIn(text: string): string[] {
  return text.split(/\s+/).filter((scope) => scope !== '');
}

/**
 * What is asked for: the scopes that an admin typed, else those that the document names for the operations. They are
 * no condition of a call: documents name alternatives as if all were needed, and servers answer with other names.
 */
export function scopesOf({ scopes, operations }: Config): string[] {
  const typed = scopesIn(textOf(scopes));
  if (typed.length > 0) return typed;
  return [...new Set(objectsIn(operations).flatMap((operation) => textsIn(operation.scopes)))];
}

/** RFC 6749, 3.1 and 3.2: an absolute address without a fragment. Undefined for one. */
export function endpointProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'This is not a complete address such as https://login.example.com/token.';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'The address must begin with https://.';
  if (url.username !== '' || url.password !== '')
    return 'The address must not carry a user name or password.';
  return text.includes('#') ? 'The address must not have a fragment (#…).' : undefined;
}

/**
 * What an auth method needs and the settings do not say.
 * @returns the setting's name and a sentence; undefined when nothing is missing
 */
export function missingSetting(
  auth: string,
  config: Config,
): { readonly name: string; readonly message: string } | undefined {
  const needed =
    auth === 'oauth' ? ['authorize_url', 'token_url'] : auth === 'client_credentials' ? ['token_url'] : [];
  const name = needed.find((each) => typeof config[each] !== 'string');
  if (name === undefined) return undefined;
  const what = name === 'token_url' ? 'token URL' : 'authorization URL';
  return { name, message: `Fill in the ${what}: the document does not say it.` };
}

/** @throws AppError `invalid_arguments` where a setting is missing */
function endpoint(auth: string, config: Config, name: string): string {
  const missing = missingSetting(auth, config);
  if (missing) throw new AppError('invalid_arguments', missing.message, { path: `/config/${missing.name}` });
  return String(config[name]);
}

function provider(config: Config): OAuthProvider {
  const authorize = endpoint('oauth', config, 'authorize_url');
  const { origin, host } = new URL(authorize);
  return {
    id: 'connection',
    title: host,
    family: 'connection',
    issuer: origin,
    authorize,
    token: endpoint('oauth', config, 'token_url'),
    revoke: typeof config.revoke_url === 'string' ? config.revoke_url : null,
    revokeWith: 'rfc7009',
    userinfo: null,
    parameters: {},
    pkce: config.pkce !== 'off',
    clientAuth: clientAuth(config),
    scopeParameter: 'scope',
    scopeSeparator: ' ',
  };
}

function clientAuth(config: Config): 'post' | 'basic' {
  return config.client_auth === 'basic' ? 'basic' : 'post';
}

function withHeader(request: UpstreamRequest, name: string, value: string): UpstreamRequest {
  const others = Object.entries(request.headers ?? {}).filter(
    ([known]) => known.toLowerCase() !== name.toLowerCase(),
  );
  return { ...request, headers: { ...Object.fromEntries(others), [name]: value } };
}

/** Where people sign in at a server that the connection itself names. */
export const OWN_SIGN_IN = {
  id: 'oauth',
  kind: 'oauth',
  title: 'Sign in (OAuth 2)',
  recommended: {
    identity: 'private',
    why: 'each member signs in there herself, and can take it back there',
  },
  baseScopes: [],
} as const;

export const auth: readonly AuthMethod[] = [
  {
    id: 'api_key',
    kind: 'secret',
    title: 'API key',
    recommended: {
      identity: 'shared',
      why: 'a key belongs to the system and not to a person who may leave',
    },
    fields: [{ name: 'api_key', label: 'API key', kind: 'secret' }],
    apply(request, secret, config) {
      const place = keyPlace(config);
      const key = secret.api_key ?? '';
      if (place.in === 'header') return withHeader(request, place.name, key);
      return { ...request, query: { ...request.query, [place.name]: key } };
    },
  },
  {
    id: 'bearer',
    kind: 'secret',
    title: 'Bearer token',
    fields: [{ name: 'token', label: 'Bearer token', kind: 'secret' }],
    apply: (request, secret) => withHeader(request, 'Authorization', `Bearer ${secret.token ?? ''}`),
  },
  {
    id: 'basic',
    kind: 'secret',
    title: 'User name and password',
    fields: [
      { name: 'username', label: 'User name', kind: 'text' },
      { name: 'password', label: 'Password', kind: 'secret' },
    ],
    apply(request, secret) {
      const pair = Buffer.from(`${secret.username ?? ''}:${secret.password ?? ''}`).toString('base64');
      return withHeader(request, 'Authorization', `Basic ${pair}`);
    },
  },
  {
    ...OWN_SIGN_IN,
    hint: 'Register an app there first; its id and secret are asked for last.',
    provider,
    configScopes: scopesOf,
  },
  {
    id: 'client_credentials',
    kind: 'minted',
    title: 'Client credentials (OAuth 2)',
    identities: ['shared'],
    hint: 'For an app that acts as itself, without a person.',
    fields: [
      { name: 'client_id', label: 'Client ID', kind: 'text' },
      { name: 'client_secret', label: 'Client secret', kind: 'secret' },
    ],
    mint: (secret, config) => ({
      grant: 'client_credentials',
      token: endpoint('client_credentials', config, 'token_url'),
      clientId: secret.client_id ?? '',
      clientSecret: secret.client_secret ?? '',
      clientAuth: clientAuth(config),
      scopes: scopesOf(config),
    }),
    accountOf: (secret) => secret.client_id ?? '',
  },
  { id: 'none', kind: 'none', title: 'No sign-in', identities: ['shared'] },
];
