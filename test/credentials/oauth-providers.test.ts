/** The operator's overrides of the fixed addresses, one by one or all at once. */
import { describe, expect, it } from 'vitest';
import { oauthProvider } from '../../src/credentials/oauth-providers.js';

describe('CONNECTOR_ENDPOINTS', () => {
  const NAMES = ['issuer', 'authorize', 'token', 'revoke', 'userinfo'] as const;
  const IDS = ['google', 'microsoft', 'atlassian', 'hubspot', 'slack', 'slack_user'] as const;
  const familyOf = (id: string) => id.replace('_user', '');

  it.each(IDS.flatMap((id) => NAMES.map((name) => [id, name] as const)))(
    'replaces one address of %s and no other: %s',
    (id, name) => {
      const url = `https://stand-in.example.com/${name}`;
      expect(oauthProvider(id, { [`${familyOf(id)}.${name}`]: url })).toEqual({
        ...oauthProvider(id, {}),
        [name]: url,
      });
    },
  );

  it.each([
    ['google', '/o/oauth2/v2/auth', '/oauth2/token', '/oauth2/revoke', '/oauth2/v2/userinfo'],
    ['microsoft', '/oauth2/v2.0/authorize', '/oauth2/v2.0/token', null, '/oidc/userinfo'],
    ['atlassian', '/authorize', '/oauth/token', null, null],
    ['hubspot', '/oauth/authorize', '/oauth/2026-09/token', '/oauth/2026-09/token/revoke', null],
    ['slack', '/oauth/v2/authorize', '/api/oauth.v2.access', '/api/auth.revoke', null],
    ['slack_user', '/oauth/v2/authorize', '/api/oauth.v2.access', '/api/auth.revoke', null],
  ] as const)('takes one host for all of %s', (id, ...paths) => {
    const base = 'http://127.0.0.1:9';
    const { authorize, token, revoke, userinfo } = oauthProvider(id, { [familyOf(id)]: `${base}/` });
    const expected = paths.map((path) => (path === null ? null : `${base}${path}`));
    expect([authorize, token, revoke, userinfo]).toEqual(expected);
  });

  it('lets an address of its own stand before the host for all', () => {
    const endpoints = { google: 'http://127.0.0.1:9', 'google.token': 'http://127.0.0.1:8/t' };
    expect(oauthProvider('google', endpoints)).toMatchObject({
      authorize: 'http://127.0.0.1:9/o/oauth2/v2/auth',
      token: 'http://127.0.0.1:8/t',
    });
  });

  it('knows no other provider', () => {
    expect(() => oauthProvider('elsewhere', {})).toThrow('unknown OAuth provider elsewhere');
  });
});
