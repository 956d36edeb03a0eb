/**
 * The OAuth servers of the catalogue. Endpoints are fixed: no discovery at run time (shared/CONNECTORS.md, "OAuth",
 * which names the source of each). `CONNECTOR_ENDPOINTS` overrides them one by one (`google.authorize`,
 * `google.token` …), or all at once by the id alone, with the paths that a stand-in has (emulate 0.12.2).
 */
import type { OAuthProvider } from '../connectors/framework.js';

const USUAL = {
  revokeWith: 'rfc7009',
  parameters: {},
  pkce: true,
  clientAuth: 'post',
  scopeParameter: 'scope',
  scopeSeparator: ' ',
} as const;

const SLACK = {
  ...USUAL,
  title: 'Slack',
  family: 'slack',
  issuer: 'https://slack.com',
  authorize: 'https://slack.com/oauth/v2/authorize',
  token: 'https://slack.com/api/oauth.v2.access',
  revoke: 'https://slack.com/api/auth.revoke',
  revokeWith: 'bearer',
  userinfo: null,
  // It would make the app a public client, for good.
  pkce: false,
  clientAuth: 'basic',
  scopeSeparator: ',',
} as const;

export const OAUTH_PROVIDERS: readonly OAuthProvider[] = [
  {
    ...USUAL,
    id: 'google',
    title: 'Google',
    family: 'google',
    issuer: 'https://accounts.google.com',
    authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    revoke: 'https://oauth2.googleapis.com/revoke',
    userinfo: 'https://openidconnect.googleapis.com/v1/userinfo',
    // Only together do they bring a refresh token (google-auth-library).
    parameters: { access_type: 'offline', prompt: 'consent' },
  },
  {
    ...USUAL,
    id: 'microsoft',
    title: 'Microsoft',
    family: 'microsoft',
    issuer: 'https://login.microsoftonline.com/{tenant}/v2.0',
    authorize: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
    token: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
    revoke: null,
    userinfo: 'https://graph.microsoft.com/oidc/userinfo',
  },
  {
    ...USUAL,
    id: 'atlassian',
    title: 'Atlassian',
    family: 'atlassian',
    issuer: 'https://auth.atlassian.com',
    authorize: 'https://auth.atlassian.com/authorize',
    token: 'https://auth.atlassian.com/oauth/token',
    revoke: null,
    userinfo: null,
    parameters: { audience: 'api.atlassian.com', prompt: 'consent' },
    // Not documented for 3LO; a confidential client and `state` do without.
    pkce: false,
  },
  {
    ...USUAL,
    id: 'hubspot',
    title: 'HubSpot',
    family: 'hubspot',
    issuer: 'https://app.hubspot.com',
    authorize: 'https://app.hubspot.com/oauth/authorize',
    token: 'https://api.hubapi.com/oauth/2026-09/token',
    revoke: 'https://api.hubapi.com/oauth/2026-09/token/revoke',
    userinfo: null,
  },
  { ...SLACK, id: 'slack', scopeParameter: 'scope' },
  { ...SLACK, id: 'slack_user', scopeParameter: 'user_scope' },
];

/** Where a stand-in that is named by its base URL alone has these (emulate 0.12.2). */
const STAND_IN_PATHS = {
  google: {
    issuer: '',
    authorize: '/o/oauth2/v2/auth',
    token: '/oauth2/token',
    revoke: '/oauth2/revoke',
    userinfo: '/oauth2/v2/userinfo',
  },
  microsoft: {
    issuer: '/{tenant}/v2.0',
    authorize: '/oauth2/v2.0/authorize',
    token: '/oauth2/v2.0/token',
    revoke: '',
    userinfo: '/oidc/userinfo',
  },
  atlassian: { issuer: '', authorize: '/authorize', token: '/oauth/token', revoke: '', userinfo: '' },
  hubspot: {
    issuer: '',
    authorize: '/oauth/authorize',
    token: '/oauth/2026-09/token',
    revoke: '/oauth/2026-09/token/revoke',
    userinfo: '',
  },
  slack: {
    issuer: '',
    authorize: '/oauth/v2/authorize',
    token: '/api/oauth.v2.access',
    revoke: '/api/auth.revoke',
    userinfo: '',
  },
} as const;

const ENDPOINTS = ['issuer', 'authorize', 'token', 'revoke', 'userinfo'] as const;

/** Families whose OAuth client an admin enters once. */
export const OAUTH_FAMILIES: ReadonlyMap<string, string> = new Map(
  OAUTH_PROVIDERS.map(({ family, title }) => [family, title]),
);

/**
 * A provider with the operator's overrides.
 * @throws Error for an id that is not in the catalogue
 */
export function oauthProvider(id: string, endpoints: Readonly<Record<string, string>>): OAuthProvider {
  const known = OAUTH_PROVIDERS.find((each) => each.id === id);
  if (!known) throw new Error(`unknown OAuth provider ${id}`);
  const { family } = known;
  const base = endpoints[family]?.replace(/\/+$/, '');
  const paths: Partial<Record<string, string>> = STAND_IN_PATHS[family as keyof typeof STAND_IN_PATHS] ?? {};
  const overridden = ENDPOINTS.flatMap((name) => {
    const alone = endpoints[`${family}.${name}`];
    if (alone !== undefined) return [[name, alone] as const];
    return base === undefined || known[name] === null ? [] : [[name, `${base}${paths[name] ?? ''}`] as const];
  });
  return { ...known, ...Object.fromEntries(overridden) };
}
