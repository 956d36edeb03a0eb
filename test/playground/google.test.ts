import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNTS, type Google, startGoogle } from '../../playground/google.js';
import { authorizePage, exchange, pick, signIn } from './google-sign-in.js';

const PUBLIC_URL = 'http://127.0.0.1:39998';
const READONLY = 'https://www.googleapis.com/auth/gmail.readonly';
let google: Google;

beforeAll(async () => {
  google = await startGoogle({ port: 0, publicUrl: PUBLIC_URL });
});
afterAll(() => google.close());

const query = (more: Record<string, string> = {}) => ({
  client_id: google.clientId,
  redirect_uri: `${PUBLIC_URL}/oauth/callback`,
  response_type: 'code',
  scope: `openid email ${READONLY}`,
  state: 'the-state',
  ...more,
});

function profile(token: string): Promise<Response> {
  return fetch(`${google.origin}/gmail/v1/users/me/profile`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

describe("the playground's Google", () => {
  it('offers its three people and a way out', async () => {
    const page = await (await authorizePage(google, query())).text();
    expect([...page.matchAll(/name="email" value="([^"]*)"/g)].map(([, email]) => email)).toEqual(
      Object.values(ACCOUNTS),
    );
    const cancel = /id="cancel" href="([^"]*)"/.exec(page)?.[1]?.replace(/&amp;/g, '&');
    expect(cancel).toBe(`${PUBLIC_URL}/oauth/callback?error=access_denied&state=the-state`);
  });

  it('knows its client and the one redirect', async () => {
    expect((await authorizePage(google, query({ client_id: 'someone-else' }))).status).toBe(400);
    expect(
      (await authorizePage(google, query({ redirect_uri: 'https://evil.example/oauth/callback' }))).status,
    ).toBe(400);
  });

  it('sends the browser back with code and state', async () => {
    const page = await (await authorizePage(google, query())).text();
    const back = await pick(google, page, ACCOUNTS.cleo);
    expect(`${back.origin}${back.pathname}`).toBe(`${PUBLIC_URL}/oauth/callback`);
    expect(back.searchParams.get('state')).toBe('the-state');
    const code = back.searchParams.get('code') ?? '';
    const redirect = { redirect_uri: `${PUBLIC_URL}/oauth/callback`, grant_type: 'authorization_code', code };
    expect((await exchange(google, { ...redirect, client_secret: 'fake-secret' })).status).toBe(401);
    expect((await exchange(google, redirect)).status).toBe(200);
    expect((await exchange(google, redirect)).status).toBe(400);
  });

  it('checks PKCE', async () => {
    const page = await (
      await authorizePage(google, query({ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }))
    ).text();
    const code = (await pick(google, page, ACCOUNTS.cleo)).searchParams.get('code') ?? '';
    const answer = await exchange(google, {
      grant_type: 'authorization_code',
      code,
      code_verifier: 'y'.repeat(43),
    });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  });

  it('refuses tokens that it did not issue', async () => {
    expect((await profile('made-up')).status).toBe(401);
    expect((await fetch(`${google.origin}/gmail/v1/users/me/messages`)).status).toBe(401);
    expect(
      (await fetch(`${google.origin}/oauth2/v2/userinfo`, { headers: { authorization: 'Bearer x' } })).status,
    ).toBe(401);
  });

  it('each token opens the mailbox of its person', async () => {
    for (const account of Object.values(ACCOUNTS)) {
      const { access_token: token } = await signIn(google, PUBLIC_URL, account, [READONLY]);
      expect(await (await profile(token)).json()).toMatchObject({ emailAddress: account });
    }
  });

  it('refreshes after an access token ended, and no more after a revoke', async () => {
    const first = await signIn(google, PUBLIC_URL, ACCOUNTS.ben, [READONLY]);
    google.expireAccessTokens();
    expect((await profile(first.access_token)).status).toBe(401);
    const refresh = { grant_type: 'refresh_token', refresh_token: first.refresh_token };
    const second = (await (await exchange(google, refresh)).json()) as { access_token: string };
    expect((await profile(second.access_token)).status).toBe(200);
    const revoked = await fetch(`${google.origin}/oauth2/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ token: second.access_token }),
    });
    expect(revoked.status).toBe(200);
    expect((await profile(second.access_token)).status).toBe(401);
    const again = await exchange(google, refresh);
    expect([again.status, await again.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  });

  it('checks scopes', async () => {
    const { access_token: token } = await signIn(google, PUBLIC_URL, ACCOUNTS.ada, []);
    const answer = await profile(token);
    expect([answer.status, await answer.json()]).toMatchObject([
      403,
      { error: { status: 'PERMISSION_DENIED' } },
    ]);
  });
});
