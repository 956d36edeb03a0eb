/** How connections to Microsoft Graph sign in: a person's consent, or an app's own credentials. */
import type { AuthMethod, JsonValue } from '../framework.js';

type Config = Readonly<Record<string, JsonValue>>;

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DOMAIN = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i;

export function isGuid(text: string): boolean {
  return GUID.test(text);
}

export interface AppOptions {
  /** Why an app of its own is the better shared identity for this connector. */
  readonly why: string;
  /** What an admin should know before choosing it. */
  readonly hint: string;
  /** What the settings of the connection lack for it, in words. */
  readonly check?: (config: Config) => string | undefined;
  /** Whose things an app reaches, where the settings say it. */
  readonly actsFor?: (config: Config) => string | undefined;
}

/**
 * Client credentials: Microsoft identity platform, "OAuth 2.0 client credentials flow"; `.default` stands for every
 * application permission that the tenant's admin consented to.
 */
export function microsoftAuth(app: AppOptions): readonly AuthMethod[] {
  return [
    {
      id: 'oauth',
      kind: 'oauth',
      title: 'Sign in with Microsoft',
      provider: 'microsoft',
      baseScopes: ['openid', 'email', 'offline_access', 'User.Read'],
      recommended: { identity: 'private', why: 'each member allows it herself and can take it back' },
    },
    {
      id: 'client_credentials',
      kind: 'minted',
      title: 'App credentials (client secret)',
      identities: ['shared'],
      recommended: { identity: 'shared', why: app.why },
      hint: app.hint,
      fields: [
        {
          name: 'tenant_id',
          label: 'Tenant',
          kind: 'text',
          hint: 'Directory (tenant) ID of the app registration, or a domain of the tenant.',
          placeholder: 'contoso.onmicrosoft.com',
        },
        { name: 'client_id', label: 'Application (client) ID', kind: 'text' },
        {
          name: 'client_secret',
          label: 'Client secret',
          kind: 'secret',
          hint: 'The value of the secret, not its ID.',
        },
      ],
      check: (secret, config) => problemOf(secret) ?? app.check?.(config),
      accountOf({ client_id: clientId = '' }, config) {
        const owner = app.actsFor?.(config);
        return owner === undefined ? `app ${clientId}` : `${owner} (by app ${clientId})`;
      },
      mint(secret, _config, _scopes, endpoint) {
        const problem = problemOf(secret);
        if (problem !== undefined) throw new Error(`the stored app credentials cannot be used: ${problem}`);
        const { tenant_id: tenant = '', client_id: clientId = '', client_secret: clientSecret = '' } = secret;
        const base = endpoint('microsoft', '');
        const own = `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;
        return {
          grant: 'client_credentials',
          token: endpoint('microsoft.token', base === '' ? own : `${base}/oauth2/v2.0/token`),
          clientId,
          clientSecret,
          clientAuth: 'post',
          scopes: ['https://graph.microsoft.com/.default'],
        };
      },
    },
  ];
}

/** The tenant becomes part of an address, so it must be nothing but a GUID or a domain. */
function problemOf(secret: Readonly<Record<string, string>>): string | undefined {
  const { tenant_id: tenant = '', client_id: clientId = '', client_secret: clientSecret = '' } = secret;
  if (!isGuid(tenant) && !DOMAIN.test(tenant)) return 'The tenant is neither an ID nor a domain.';
  if (!isGuid(clientId)) return 'The application ID is not an ID such as the app registration shows.';
  if (isGuid(clientSecret)) return 'That is the ID of the client secret; its value is needed.';
  return /^[\x21-\x7e]{8,512}$/.test(clientSecret) ? undefined : 'The client secret is not complete.';
}
