/** The company's provider as it may be: lax, changed, away, or somebody else's. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import type { JWTPayload } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CompanySignIn } from '../../src/credentials/company-sign-in.js';
import type { Logger } from '../../src/log.js';
import { createOutbound, type Outbound } from '../../src/net/safe-fetch.js';
import { type LaxProvider, seconds, startLaxProvider } from '../harness/lax-provider.js';

const REDIRECT = 'https://siesta.example.com/step-up/callback';
const BEN = 'ben@corp.example';

let provider: LaxProvider;
let outbound: Outbound;
let company: CompanySignIn;
let logged: object[];
const note = (fields: object): void => void logged.push(fields);
const log: Logger = { debug: note, info: note, warn: note, error: note };

beforeAll(async () => {
  provider = await startLaxProvider();
  outbound = createOutbound({ allowPrivate: [provider.host], log });
});
afterAll(async () => {
  await outbound.close();
  await provider.close();
});
beforeEach(() => {
  logged = [];
  provider.metadata = {};
  provider.faults = {};
  provider.requests.length = 0;
  company = new CompanySignIn(provider, outbound, log);
});

/** From the button to the way back. */
async function begin() {
  const checks = { ...company.newChecks(), state: 'fake-state', begunAt: new Date() };
  return { checks, url: await company.authorizationUrl(REDIRECT, checks, BEN) };
}

async function signIn(claims: JWTPayload = {}): Promise<string> {
  const { checks, url } = await begin();
  return (await company.finish(provider.signIn(url, claims), checks)).email;
}

const problemOf = (work: Promise<unknown>): Promise<{ code?: string; reason?: string; message: string }> =>
  work.then(
    () => expect.unreachable('it was taken'),
    (error) => error,
  );

describe('who signed in', () => {
  it.each([undefined, true, 'true'])('an address whose email_verified is %j is hers', async (verified) => {
    expect(await signIn({ email_verified: verified })).toBe(BEN);
  });

  // Amazon Cognito says it as a word.
  it.each([false, 'false', 0, null])('one whose email_verified is %j is not', async (verified) => {
    expect(await problemOf(signIn({ email_verified: verified }))).toMatchObject({
      reason: 'no_verified_email',
    });
  });

  it('a sign-in from before she began, or of no time at all, is none', async () => {
    expect(await problemOf(signIn({ auth_time: seconds() - 90 }))).toMatchObject({ reason: 'not_fresh' });
    expect(await problemOf(signIn({ auth_time: undefined }))).toMatchObject({ reason: 'no_auth_time' });
    // Whoever configured it learns from the log why nobody gets through.
    expect(logged).toContainEqual({ reason: 'no_auth_time' });
  });

  it.each<[string, JWTPayload]>([
    ['nonce', { nonce: 'fake-other-nonce' }],
    ['audience', { aud: 'fake-other-client' }],
    ['issuer', { iss: 'https://id.attacker.example' }],
  ])('an id token with another %s is refused', async (_what, claims) => {
    expect(await problemOf(signIn(claims))).toMatchObject({ name: 'GrantRefused' });
  });

  it('an id token that the provider’s keys did not sign is refused', async () => {
    const { checks, url } = await begin();
    const other = await startLaxProvider();
    provider.metadata = { jwks_uri: `${other.issuer}/jwks` };
    const wide = createOutbound({ allowPrivate: [provider.host, other.host] });
    company = new CompanySignIn(provider, wide, log);
    expect(await problemOf(company.finish(provider.signIn(url), checks))).toMatchObject({
      name: 'GrantRefused',
    });
    await wide.close();
    await other.close();
  });
});

describe('the provider itself', () => {
  it('is the one that was configured: metadata of many issuers is nobody’s', async () => {
    // The address that serves every tenant of Microsoft's, whose people choose their addresses themselves.
    const issuer = 'https://login.microsoftonline.com/common/v2.0';
    const answers: Outbound = {
      send: async () => {
        const body = JSON.stringify({
          issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
          authorization_endpoint: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
          token_endpoint: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
          jwks_uri: 'https://login.microsoftonline.com/common/discovery/v2.0/keys',
        });
        return {
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: Buffer.from(body),
          json: () => JSON.parse(body),
          text: () => body,
        };
      },
      mayBePrivate: () => false,
      close: async () => {},
    };
    company = new CompanySignIn({ ...provider, issuer }, answers, log);
    expect(await problemOf(begin())).toMatchObject({ code: 'unavailable' });
    expect(inspect(logged)).toContain('issuer');
  });

  it('may change its addresses and its keys, and nothing has to be started anew', async () => {
    expect(await signIn()).toBe(BEN);
    await provider.rotateKeys();
    expect(await signIn()).toBe(BEN);
    provider.metadata = { authorization_endpoint: `${provider.issuer}/moved` };
    expect((await begin()).url).toMatch(`${provider.issuer}/moved?`);
  });

  it('is away: that is said as it is, whatever the step, and no refusal', async () => {
    for (const path of ['/.well-known/openid-configuration', '/token', '/jwks'] as const) {
      for (const fault of [503, 'closed'] as const) {
        provider.faults = {};
        const { checks, url } = await begin();
        provider.faults = { [path]: fault };
        const problem = await problemOf(company.finish(provider.signIn(url), checks));
        expect(problem, `${path} ${fault}`).toMatchObject({ code: 'unavailable' });
        expect(problem.message).toContain('Press Approve in Slack again');
      }
    }
  });

  it('leads to no address that the guard refuses, and no secret or token is in what goes wrong', async () => {
    let reached = 0;
    const inside = createServer((_request, response) => {
      reached += 1;
      response.end('{}');
    });
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
    const { checks, url } = await begin();
    const { port } = inside.address() as AddressInfo;
    provider.metadata = { token_endpoint: `http://127.0.0.1:${port}/latest/meta-data` };
    const problems = [await problemOf(company.finish(provider.signIn(url), checks))];
    expect(problems).toMatchObject([{ code: 'unavailable' }]);
    expect(reached).toBe(0);
    await new Promise((resolve) => inside.close(resolve));

    provider.metadata = {};
    for (const claims of [{ nonce: 'fake-other' }, { aud: 'fake-other' }, { email: undefined }]) {
      problems.push(await problemOf(signIn(claims)));
    }
    const text = inspect([problems, logged], { depth: 20, showHidden: true });
    for (const secret of [provider.clientSecret, ...provider.tokens]) expect(text).not.toContain(secret);
  });
});
