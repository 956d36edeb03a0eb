/**
 * The settings of a connection say where a call goes and as whom. Changing them voids what was approved, takes an
 * admin, leaves no token for the old ones, and does not send a member's own credential anywhere she did not agree to.
 */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionDocument } from '../../models/types.js';
import { loadConnector } from '../../src/connectors/catalogue.js';
import type { ConnectionChange } from '../../src/services/connections.js';
import { definitionHashOf, enabledFunction } from '../../src/services/functions.js';
import { ADA, type PagesApp, startPagesApp } from '../http/pages-app.js';

const BEN = { kind: 'user', id: 'U0BEN' } as const;
const OPERATOR = { kind: 'operator', id: 'operator' } as const;

let app: PagesApp;
beforeAll(async () => {
  app = await startPagesApp();
});
afterAll(() => app.close());

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const KEY_FILE = JSON.stringify({
  type: 'service_account',
  client_email: 'robot@project.iam.gserviceaccount.com',
  private_key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
});

let made = 0;
function gmail(config: Record<string, string> = {}): Promise<ConnectionDocument> {
  made += 1;
  return app.services.connections.create(ADA, {
    connector: 'gmail',
    identity: 'shared',
    name: `Gmail ${made} - support`,
    key: `gmail-${made}`,
    purpose: 'Answer mail',
    ownerId: 'U0BEN',
    businessOwnerId: 'U0DANA',
    auth: 'service_account_key',
    config,
    enabledFunctions: ['search_messages', 'send_message'],
  });
}

const change = (connection: ConnectionDocument, changes: ConnectionChange, actor = ADA) =>
  app.services.connections.update(actor, connection, changes);

async function hashOf(connection: ConnectionDocument, name: string): Promise<string> {
  const connector = await loadConnector(connection.connector);
  const fn = enabledFunction(connector, connection, name);
  if (!fn) throw new Error(`${name} is not on`);
  return definitionHashOf(connector, connection, fn);
}

describe('what was approved under other settings', () => {
  it('is another call once it would act as somebody else', async () => {
    const before = await gmail({ impersonate: 'support@example.com' });
    const after = await change(before, { config: { impersonate: 'ceo@example.com' } });
    expect(await hashOf(after, 'send_message')).not.toBe(await hashOf(before, 'send_message'));
  });

  it('is the same call after a change of name, owner or other functions', async () => {
    const before = await gmail({ impersonate: 'support@example.com' });
    const after = await change(before, {
      name: 'Gmail - renamed',
      businessOwnerId: 'U0CLEO',
      enabledFunctions: ['send_message'],
      config: { impersonate: 'support@example.com' },
    });
    expect(await hashOf(after, 'send_message')).toBe(await hashOf(before, 'send_message'));
  });
});

describe('who may change settings', () => {
  it('an owner who is no admin cannot say as whom the connection acts', async () => {
    const before = await gmail({ impersonate: 'support@example.com' });
    const changing = change(before, { config: { impersonate: 'ceo@example.com' } }, BEN);
    await expect(changing).rejects.toMatchObject({ code: 'forbidden' });
    expect((await app.services.connections.find(before.key))?.config).toEqual(before.config);
  });

  it('but may edit what is not a setting, and the operator may edit all', async () => {
    const before = await gmail({ impersonate: 'support@example.com' });
    const named = await change(
      before,
      { name: 'Gmail - by its owner', config: { ...before.config } as never },
      BEN,
    );
    expect(named.name).toBe('Gmail - by its owner');
    const moved = await change(named, { config: {} }, OPERATOR as never);
    expect(moved.config).toEqual({});
  });
});

describe('a minted token', () => {
  const enter = (connection: ConnectionDocument) =>
    app.services.secretEntry.enter(ADA, connection.key, { service_account_key: KEY_FILE });
  const credentialOf = async ({ _id }: ConnectionDocument) => {
    const found = await app.services.credentials.find(_id);
    if (!found) throw new Error('no credential');
    return found;
  };
  const tokenFetched = async (connection: ConnectionDocument) =>
    app.services.credentials.replaceTokens(await credentialOf(connection), {
      fields: { service_account_key: KEY_FILE, access_token: 'fake-minted-token' },
      expiresAt: new Date(Date.now() + 3_600_000),
      scopes: ['https://www.googleapis.com/auth/gmail.send'],
    });

  it('for the old settings is not used under the new ones, nor is its account shown', async () => {
    const connection = await gmail({ impersonate: 'support@example.com' });
    await enter(connection);
    await tokenFetched(connection);
    const before = await credentialOf(connection);
    expect(before.account).toBe('support@example.com (by robot@project.iam.gserviceaccount.com)');
    const current = (await app.services.connections.find(connection.key)) ?? connection;
    await change(current, { config: { impersonate: 'billing@example.com' } });
    const after = await credentialOf(connection);
    expect(after.expiresAt).toEqual(new Date(0));
    expect(after.account).toBe('billing@example.com (by robot@project.iam.gserviceaccount.com)');
    // What another process fetched meanwhile for the old settings is not stored over it.
    expect(after.version).toBeGreaterThan(before.version);
    expect(after.generation).toBe(before.generation);
  });

  it('that was refused because of the settings or functions is asked for again once they are others', async () => {
    const connection = await gmail({ impersonate: 'support@example.com' });
    await enter(connection);
    await app.services.credentials.markNeedsReauth(await credentialOf(connection));
    const current = (await app.services.connections.find(connection.key)) ?? connection;
    await change(current, { enabledFunctions: ['search_messages'] });
    expect((await credentialOf(connection)).status).toBe('active');
  });

  it('stays as it is when nothing of it changed', async () => {
    const connection = await gmail({ impersonate: 'support@example.com' });
    await enter(connection);
    await tokenFetched(connection);
    const before = await credentialOf(connection);
    const current = (await app.services.connections.find(connection.key)) ?? connection;
    await change(current, { name: 'Gmail - another name', config: { impersonate: 'support@example.com' } });
    expect(await credentialOf(connection)).toEqual(before);
  });
});

describe('another address of a private connection', () => {
  it('ends the members’ authorizations: nobody’s own secret goes where she did not agree to', async () => {
    const { connections, members, credentials } = app.services;
    const connection = await app.rest('private-desk', { identity: 'private' });
    const fields = { api_key: 'fake-key-of-cleo' };
    await members.authorize(connection, 'U0CLEO', { kind: 'secret', fields, account: 'API key' }, []);
    const elsewhere = { ...connection.config, base_url: 'https://elsewhere.example.com' };
    await change(connection, { config: elsewhere as never });
    expect(await credentials.find(connection._id, 'U0CLEO')).toBeNull();
    expect((await members.authorization(connection._id, 'U0CLEO'))?.status).toBe('revoked');
    expect((await connections.find(connection.key))?.config.base_url).toBe('https://elsewhere.example.com');
  });

  it('leaves them alone where the address is the same', async () => {
    const { members, credentials } = app.services;
    const connection = await app.rest('private-desk-2', { identity: 'private' });
    const fields = { api_key: 'fake-key-of-cleo' };
    await members.authorize(connection, 'U0CLEO', { kind: 'secret', fields, account: 'API key' }, []);
    await change(connection, { name: 'Helpdesk - renamed', config: connection.config as never });
    expect(await credentials.find(connection._id, 'U0CLEO')).not.toBeNull();
  });
});
