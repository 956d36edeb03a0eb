/** An admin changed the OAuth client: what was consented to for the old one has to be consented to again, and that is said. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionDocument, Subject } from '../../models/types.js';
import { oauthAppId } from '../../src/services/credentials.js';
import { ADA, type PagesApp, startPagesApp } from '../http/pages-app.js';

let app: PagesApp;
beforeAll(async () => {
  app = await startPagesApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  app.standIn.refusal = null;
  app.standIn.tokenRequests.length = 0;
  await app.models.outbox.deleteMany({});
});

const KINDS = {
  'a provider of the catalogue': { connector: 'gmail', config: {}, enabledFunctions: ['search_messages'] },
  'a server of the connection’s own': {
    connector: 'rest',
    config: { base_url: 'https://api.example.com', operations: [] },
  },
} as const;
let made = 0;

/** A connection whose token has run out, and whose client an admin has just changed. */
async function changed(kind: keyof typeof KINDS, subject: Subject): Promise<ConnectionDocument> {
  made += 1;
  const { connector, config, ...functions } = KINDS[kind];
  const { origin, clientId, clientSecret } = app.standIn;
  const server = { authorize_url: `${origin}/authorize`, token_url: `${origin}/token` };
  const own = connector !== 'gmail';
  const connection = await app.services.connections.create(ADA, {
    connector,
    identity: subject === 'shared' ? 'shared' : 'private',
    name: `Connection ${made}`,
    key: `connection-${made}`,
    purpose: 'Answer mail',
    ownerId: 'U0BEN',
    businessOwnerId: 'U0DANA',
    auth: 'oauth',
    config: own ? { ...config, ...server } : config,
    ...functions,
  });
  const { credentials } = app.services;
  await credentials.store({
    connectionId: connection._id,
    subject,
    kind: 'oauth',
    fields: { access_token: `fake-access-${made}`, refresh_token: `fake-refresh-${made}` },
    expiresAt: new Date(0),
    createdBy: 'U0ADA',
  });
  await credentials.store({
    connectionId: oauthAppId(own ? connection._id : 'google'),
    subject: 'shared',
    kind: 'oauth_app',
    fields: { client_id: clientId, client_secret: clientSecret },
    createdBy: 'U0ADA',
  });
  return connection;
}

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('with %s', (kind) => {
  it('the owner of a shared connection is asked to reconnect, once', async () => {
    const connection = await changed(kind, 'shared');
    app.standIn.refusal = 'unauthorized_client';
    const calls = await Promise.all([1, 2, 3].map(() => app.services.tokens.usable(connection, 'shared')));
    for (const usable of calls) expect(usable).toMatchObject({ ok: false, code: 'needs_reauth' });
    expect(await app.services.tokens.usable(connection, 'shared')).toMatchObject({ code: 'needs_reauth' });
    expect(app.standIn.tokenRequests).toHaveLength(1);
    expect(await app.services.credentials.find(connection._id)).toMatchObject({
      status: 'needs_reauth',
      refresh: null,
      failing: null,
    });
    expect((await app.services.connections.find(connection._id))?.health).toBe('needs_reauth');
    const rows = await app.models.outbox.find({ to: 'U0BEN', view: 'notice' }).lean();
    expect(rows.map(({ message }) => message)).toEqual([
      { kind: 'needs_reconnect', connectionKey: connection.key },
    ]);
  });

  it('a wrong secret of the client is for an admin to mend, and no consent ends', async () => {
    const connection = await changed(kind, 'shared');
    app.standIn.refusal = 'invalid_client';
    expect(await app.services.tokens.usable(connection, 'shared')).toMatchObject({
      ok: false,
      code: 'upstream_unavailable',
    });
    expect(await app.services.credentials.find(connection._id)).toMatchObject({
      status: 'active',
      failing: { count: 1 },
    });
  });
});

it('a member is asked again in her DM, and nobody else is told', async () => {
  const connection = await changed('a provider of the catalogue', 'U0CLEO');
  app.standIn.refusal = 'unauthorized_client';
  expect(await app.services.tokens.usable(connection, 'U0CLEO')).toMatchObject({ code: 'needs_reauth' });
  const rows = await app.models.outbox.find({}).lean();
  expect(rows.map(({ to, view }) => [to, view])).toEqual([['U0CLEO', 'authorization']]);
});
