/** Whose account a call uses stays whose it was: across disconnecting, reconnecting and providers that say little. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrantedCredentials } from '../../src/services/granted-credentials.js';
import { type PagesApp, startPagesApp } from '../http/pages-app.js';

let app: PagesApp;
beforeAll(async () => {
  app = await startPagesApp();
});
afterAll(() => app.close());

it('a member who disconnects and connects again is another credential: what was approved for the old one does not fit', async () => {
  const { members, credentials } = app.services;
  const connection = await app.rest('again', { identity: 'private' });
  const connect = async (account: string) => {
    const fields = { api_key: `fake-key-of-${account}` };
    await members.authorize(connection, 'U0CLEO', { kind: 'secret', fields, account }, []);
    return (await credentials.find(connection._id, 'U0CLEO'))?.generation ?? 0;
  };
  const seen = [await connect('cleo@example.com')];
  await members.revoke(connection, 'U0CLEO');
  seen.push(await connect('boss@example.com'));
  seen.push(await connect('boss@example.com'));
  expect(new Set(seen).size).toBe(3);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

describe('a provider that sends no refresh token with a new consent', () => {
  const tokens = (refreshToken: string | null, accessToken: string) => ({
    accessToken,
    refreshToken,
    expiresInSeconds: 3_600,
    scopes: [],
  });

  async function reconnected(account: string): Promise<Readonly<Record<string, string>>> {
    const { services, deps } = app;
    const { members, audit, credentials } = services;
    const connection = await app.rest(`oauth-${account.length}`, { identity: 'private' });
    const granting = new GrantedCredentials(deps, credentials, members, audit);
    const granted = { subject: 'U0CLEO', userId: 'U0CLEO', scopes: [], account };
    await granting.store(granted, connection, tokens('fake-refresh-of-the-first', 'fake-access-1'), []);
    await granting.store(granted, connection, tokens(null, 'fake-access-2'), []);
    const stored = await credentials.find(connection._id, 'U0CLEO');
    return stored ? credentials.open(stored) : {};
  }

  it('keeps the old one of the same account', async () => {
    expect(await reconnected('cleo@example.com')).toEqual({
      access_token: 'fake-access-2',
      refresh_token: 'fake-refresh-of-the-first',
    });
  });

  it('keeps none where nobody can say whose the old one was', async () => {
    expect(await reconnected('an account')).toEqual({ access_token: 'fake-access-2' });
  });
});
