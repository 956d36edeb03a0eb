/**
 * Looking up whose account it is, and what a server offers, sends the credential too. An outside system that says it
 * back is not quoted: not in the log, not in what is kept, not to the person who asked (abuse case 55).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionDocument } from '../../models/types.js';
import type { OutboundRequest } from '../../src/net/safe-fetch.js';
import { createServices, type Services } from '../../src/services/index.js';
import { ADA, type PagesApp, startPagesApp } from '../http/pages-app.js';

const CANARY = 'fake-canary-token-4417';

let app: PagesApp;
let services: Services;
/** What the outside system answers, given the credential that it was sent. */
let answer: (sent: string) => { status: number; body: unknown };

beforeAll(async () => {
  app = await startPagesApp();
  services = createServices({
    ...app.deps,
    outbound: {
      send: async ({ headers }: OutboundRequest) => {
        const [, basic] = /^Basic (.*)/.exec(headers?.authorization ?? '') ?? [];
        const bare = (headers?.authorization ?? '').replace(/^Bearer /, '');
        const sent = basic === undefined ? bare : Buffer.from(basic, 'base64').toString().replace(/^.*:/, '');
        const { status, body } = answer(sent);
        const text = JSON.stringify(body);
        return {
          status,
          headers: { 'content-type': 'application/json' },
          body: Buffer.from(text),
          text: () => text,
          json: () => JSON.parse(text),
        };
      },
      mayBePrivate: () => false,
      close: async () => {},
    },
  });
});
afterAll(() => app.close());

async function connection(connector: string, auth: string, key: string, config: Record<string, string> = {}) {
  const made = await services.connections.create(ADA, {
    connector,
    identity: 'shared',
    name: `Looked up - ${key}`,
    key,
    purpose: 'Look things up',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth,
    config,
  });
  const enter = async (fields: Record<string, string>) => services.secretEntry.enter(ADA, key, fields);
  return { made, enter };
}

const accountOf = async ({ _id }: ConnectionDocument) => (await services.credentials.find(_id))?.account;

describe('whose account it is', () => {
  it('a refusal that quotes the credential leaves it out of the log', async () => {
    answer = (sent) => ({ status: 400, body: { message: `we do not know ${sent}` } });
    const { made, enter } = await connection('hubspot', 'bearer', 'echo-refusal');
    await enter({ token: CANARY });
    expect(await accountOf(made)).toBeNull();
    expect(app.log.text).toContain('whose account it is was not found out');
    expect(app.log.text).toContain('we do not know');
    expect(app.log.text).not.toContain(CANARY);
  });

  it('an account that is called as the credential is not kept under that name', async () => {
    answer = (sent) => ({ status: 200, body: { emailAddress: `${sent}@example.com`, displayName: sent } });
    const { made, enter } = await connection('jira', 'basic', 'echo-account', {
      site: 'https://example.atlassian.net',
    });
    await enter({ username: 'cleo@example.com', password: CANARY });
    expect(await accountOf(made)).toContain('[redacted]');
  });
});

describe('what a server offers', () => {
  it('is not refused with the credential in the words', async () => {
    answer = (sent) => ({ status: 400, body: { error: { message: `bad ${sent}` }, message: `bad ${sent}` } });
    const { made, enter } = await connection('mcp', 'bearer', 'echo-mcp', {
      url: 'https://mcp.example.com/mcp',
    });
    await enter({ token: CANARY });
    const reading = services.definitionReview.read('U0ADA', made._id);
    const said = await reading.then(
      () => 'no refusal',
      (error: unknown) => JSON.stringify([String(error), error]),
    );
    expect(said).toMatch(/bad|refused/);
    expect(said).not.toContain(CANARY);
  });
});
