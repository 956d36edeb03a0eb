/** Signs a person in at the playground's Google as a browser would: page, account, code, tokens. Plain HTTP. */
import { createHash, randomBytes } from 'node:crypto';
import type { Google } from '../../playground/google.js';

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
}

export async function signIn(
  google: Google,
  publicUrl: string,
  account: string,
  scopes: readonly string[],
): Promise<Tokens> {
  const verifier = randomBytes(32).toString('base64url');
  const redirectUri = `${publicUrl}/oauth/callback`;
  const page = await authorizePage(google, {
    client_id: google.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: ['openid', 'email', ...scopes].join(' '),
    state: 'state-1',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const back = await pick(google, await page.text(), account);
  const response = await exchange(google, {
    grant_type: 'authorization_code',
    code: back.searchParams.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  return (await response.json()) as Tokens;
}

export function authorizePage(google: Google, query: Record<string, string>): Promise<Response> {
  return fetch(`${google.origin}/o/oauth2/v2/auth?${new URLSearchParams(query)}`);
}

/** Submits the form of one account. @returns where the browser is sent */
export async function pick(google: Google, page: string, account: string): Promise<URL> {
  const form = page.split('<form').find((piece) => piece.includes(`name="email" value="${account}"`));
  const fields = new URLSearchParams();
  for (const [, name, value] of (form ?? '').matchAll(
    /<input type="hidden" name="([^"]*)" value="([^"]*)"/g,
  )) {
    fields.set(name ?? '', (value ?? '').replace(/&amp;/g, '&'));
  }
  const answer = await fetch(`${google.origin}/o/oauth2/v2/auth/callback`, {
    method: 'POST',
    body: fields,
    redirect: 'manual',
  });
  return new URL(answer.headers.get('location') ?? '');
}

export function exchange(google: Google, fields: Record<string, string>): Promise<Response> {
  const body = new URLSearchParams({
    client_id: google.clientId,
    client_secret: google.clientSecret,
    ...fields,
  });
  return fetch(`${google.origin}/oauth2/token`, { method: 'POST', body });
}
