/** A credential that was refused, or that belongs to another address: renewed, asked for again, or left to others. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionDocument, CredentialDocument } from '../../models/types.js';
import { ADA, type PagesApp, startPagesApp } from '../http/pages-app.js';

const SCOPE = 'https://www.googleapis.com/auth/gmail.readonly';

let app: PagesApp;
beforeAll(async () => {
  app = await startPagesApp();
});
afterAll(() => app.close());

let made = 0;
async function gmail(account: string): Promise<ConnectionDocument> {
  made += 1;
  const connection = await app.services.connections.create(ADA, {
    connector: 'gmail',
    identity: 'shared',
    name: `Mail ${made} - support`,
    key: `mail-${made}`,
    purpose: 'Answer mail',
    ownerId: 'U0BEN',
    businessOwnerId: 'U0DANA',
    auth: 'oauth',
    config: {},
    enabledFunctions: ['search_messages'],
  });
  await app.services.credentials.store({
    connectionId: connection._id,
    subject: 'shared',
    kind: 'oauth',
    fields: { access_token: `fake-access-${made}`, refresh_token: `fake-refresh-${made}` },
    scopes: [SCOPE],
    account,
    createdBy: 'U0ADA',
  });
  return connection;
}

async function credentialOf({ _id }: ConnectionDocument): Promise<CredentialDocument> {
  const found = await app.services.credentials.find(_id);
  if (!found) throw new Error('no credential');
  return found;
}

async function olderBy(connection: ConnectionDocument, seconds: number): Promise<CredentialDocument> {
  const { _id } = await credentialOf(connection);
  const renewedAt = new Date(Date.now() - seconds * 1_000);
  await app.models.credentials.updateOne({ _id, workspaceId: 'T0TEST' }, { $set: { renewedAt } });
  return credentialOf(connection);
}

describe('a token that the outside system refuses', () => {
  it('is fetched anew once, when it is not fresh', async () => {
    const connection = await gmail('one@siesta.example');
    const old = await olderBy(connection, 600);
    expect(await app.services.tokens.rejected(connection, old)).toBe(true);
    expect(await credentialOf(connection)).toMatchObject({ status: 'active', expiresAt: new Date(0) });
  });

  it('that is fresh, or cannot be fetched anew, needs a person', async () => {
    const connection = await gmail('two@siesta.example');
    expect(await app.services.tokens.rejected(connection, await olderBy(connection, 5))).toBe(false);
    expect((await credentialOf(connection)).status).toBe('needs_reauth');
  });

  it('is not expired by whoever read an older version', async () => {
    const connection = await gmail('three@siesta.example');
    const old = await olderBy(connection, 600);
    await app.services.credentials.replaceTokens(old, {
      fields: { access_token: 'fake-new', refresh_token: 'fake-new-refresh' },
      expiresAt: new Date(Date.now() + 3_600_000),
      scopes: [SCOPE],
    });
    await app.services.tokens.rejected(connection, old);
    const now = await credentialOf(connection);
    expect(now.status).toBe('active');
    expect(now.expiresAt?.getTime()).toBeGreaterThan(Date.now());
  });
});

describe('a shared connection that moves to another address', () => {
  it('asks for its secret again', async () => {
    const connection = await app.services.connections.create(ADA, {
      connector: 'azure_storage',
      identity: 'shared',
      name: 'Reports - store',
      key: 'reports-store',
      purpose: 'Keep reports',
      ownerId: 'U0ADA',
      businessOwnerId: 'U0DANA',
      auth: 'sas',
      config: { account_url: 'https://one.blob.core.windows.net' },
    });
    await app.services.secretEntry.enter(ADA, connection.key, {
      sas_token: 'sv=2025-11-05&ss=b&srt=sco&sp=rl&se=2030-01-01&sig=fake',
    });
    const stored = (await app.services.connections.find(connection.key)) ?? connection;
    await app.services.connections.update(ADA, stored, {
      config: { account_url: 'https://another.blob.core.windows.net' },
    });
    expect((await credentialOf(connection)).status).toBe('needs_reauth');
    expect(await app.services.tokens.usable(connection, 'shared')).toMatchObject({
      ok: false,
      code: 'needs_reauth',
    });
  });
});
