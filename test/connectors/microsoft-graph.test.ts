import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MintedAuth, UpstreamRequest } from '../../src/connectors/framework.js';
import { microsoftAuth } from '../../src/connectors/microsoft/auth.js';
import {
  at,
  callGraph,
  graphPageToken,
  graphRoot,
  ifMatch,
  pageOf,
  pageQuery,
  skipOf,
  skipToken,
  versionOf,
} from '../../src/connectors/microsoft/graph.js';
import { type Answer, type Recorder, startRecorder } from '../contract/recorder.js';
import { callContext } from './call-context.js';

let recorder: Recorder;
beforeAll(async () => {
  recorder = await startRecorder();
});
afterAll(() => recorder.close());

describe('paths', () => {
  it('hold every value in a segment of its own', () => {
    expect(at`/drives/${'b!1'}/root:/${['Plans', 'May 2026 #1?']}:/children`).toBe(
      '/drives/b!1/root:/Plans/May%202026%20%231%3F:/children',
    );
    expect(at`/me/messages/${'a/../b'}`).toBe('/me/messages/a%2F..%2Fb');
  });

  it.each(['', '.', '..'])('are refused with %j in them, before anything is sent', (value) => {
    expect(() => at`/drives/${value}/root`).toThrow(
      expect.objectContaining({ code: 'invalid_arguments', definite: true }),
    );
    expect(() => at`/drives/x/root:/${['Plans', value]}:`).toThrow();
  });

  it('start at the version of the API, also for a stand-in that is named by its origin', () => {
    expect(graphRoot('https://graph.microsoft.com/v1.0')).toBe('https://graph.microsoft.com/v1.0');
    expect(graphRoot('http://127.0.0.1:4003')).toBe('http://127.0.0.1:4003/v1.0');
  });
});

describe('pages', () => {
  it('go on by the parameters of the next link, at our own address, whatever host it names', async () => {
    const link =
      'https://evil.example/v1.0/me/messages?$top=2&%24skiptoken=Paged%3DTRUE%26p_ID%3D7&$filter=x';
    const { next_page_token: token, items } = pageOf({ value: [{ id: 'a' }], '@odata.nextLink': link });
    expect(items).toEqual([{ id: 'a' }]);
    expect(graphPageToken.parse(token)).toBe(token);
    expect(pageQuery(String(token))).toEqual({ $skiptoken: 'Paged=TRUE&p_ID=7' });
    const context = callContext({ baseUrl: `${recorder.origin}/v1.0` });
    const [asked] = await recorder.during(() =>
      callGraph(context, 'Graph', { path: '/me/messages', query: pageQuery(String(token)) }),
    );
    expect(asked).toMatchObject({ path: '/v1.0/me/messages', query: [['$skiptoken', 'Paged=TRUE&p_ID=7']] });
  });

  it('end without a next link', () => {
    expect(pageOf({ value: [] })).toEqual({ items: [], next_page_token: null });
    expect(pageQuery(undefined)).toEqual({});
  });

  it('are an error where the next link tells nothing to go on with', () => {
    expect(() => pageOf({ '@odata.nextLink': 'https://graph.microsoft.com/v1.0/other' })).toThrow(
      expect.objectContaining({ code: 'upstream_rejected' }),
    );
  });

  it.each([
    ['nothing', ''],
    ['a URL', 'https://graph.microsoft.com/v1.0/me?$skip=1'],
    ['another parameter', Buffer.from('$filter=1').toString('base64url')],
    ['one more parameter', Buffer.from('$skip=1&$expand=manager').toString('base64url')],
    ['no number', Buffer.from('$skip=1;drop').toString('base64url')],
  ])('are not asked for with %s as a token', (_, token) => {
    expect(graphPageToken.safeParse(token).success).toBe(false);
  });

  it('can be counted', () => {
    expect(skipOf(skipToken(75))).toBe(75);
    expect(skipOf(undefined)).toBe(0);
  });
});

describe('conditions', () => {
  it('are the version that was seen', () => {
    expect(versionOf({ eTag: '"{1},2"' })).toEqual({ version: '"{1},2"', condition: '"{1},2"' });
    expect(versionOf({})).toEqual({ version: '' });
    expect(ifMatch(callContext({ condition: '"{1},2"' }))).toEqual({ 'If-Match': '"{1},2"' });
    expect(ifMatch(callContext())).toEqual({});
  });
});

describe('what Graph says', () => {
  const refusal = (status: number, code: string, message: string): Answer => ({
    status,
    body: { error: { code, message, innerError: { 'request-id': '0' } } },
  });

  it.each<[string, Answer, object]>([
    [
      'a changed target',
      refusal(412, 'ErrorIrresolvableConflict', 'x'),
      { code: 'target_changed', definite: true },
    ],
    [
      'a scope that was not granted',
      refusal(
        403,
        'Forbidden',
        'Access to DriveItem in Graph API requires the following permissions: Files.Read.All',
      ),
      { code: 'needs_more_scopes', definite: true },
    ],
    [
      'a right that the person does not have',
      refusal(403, 'accessDenied', 'Access denied'),
      { code: 'forbidden_upstream', definite: true, message: expect.stringContaining('Access denied') },
    ],
    [
      'a credential that ended',
      refusal(401, 'InvalidAuthenticationToken', 'Lifetime validation failed'),
      { code: 'needs_reauth', definite: true },
    ],
    [
      'too many calls',
      { ...refusal(429, 'TooManyRequests', 'x'), headers: { 'retry-after': '12' } },
      { code: 'rate_limited', definite: true, retryAfter: 12 },
    ],
    ['too much traffic', refusal(509, 'bandwidthLimit', 'x'), { code: 'rate_limited', definite: true }],
    ['no space', refusal(507, 'quotaLimitReached', 'x'), { code: 'upstream_rejected', definite: true }],
    [
      'a name that is taken',
      refusal(409, 'nameAlreadyExists', 'x'),
      { code: 'upstream_rejected', status: 409, definite: true },
    ],
    [
      'an app without a mailbox',
      refusal(400, 'BadRequest', '/me request is only valid with delegated authentication flow.'),
      { code: 'upstream_rejected', definite: true, message: expect.stringContaining('name the mailbox') },
    ],
    [
      'a search without a region',
      refusal(400, 'BadRequest', 'Region is required when request with application permission.'),
      { code: 'upstream_rejected', definite: true, message: expect.stringContaining('region of the tenant') },
    ],
    [
      'a failure in the middle of it',
      refusal(503, 'serviceNotAvailable', 'x'),
      { code: 'upstream_unavailable', definite: false },
    ],
    [
      'a page of HTML',
      { status: 400, body: '<html>no</html>' },
      { code: 'upstream_rejected', definite: true },
    ],
  ])('%s', async (_, answer, error) => {
    recorder.answer = () => answer;
    const context = callContext({ baseUrl: `${recorder.origin}/v1.0` });
    await expect(callGraph(context, 'Graph', { method: 'POST', path: '/x', json: {} })).rejects.toMatchObject(
      error,
    );
    recorder.answer = () => ({});
  });

  it('nothing: an empty answer is an empty object', async () => {
    recorder.answer = () => ({ status: 204, body: '' });
    const context = callContext({ baseUrl: `${recorder.origin}/v1.0` });
    expect(await callGraph(context, 'Graph', { method: 'DELETE', path: '/x' })).toEqual({});
    recorder.answer = () => ({});
  });
});

describe('app credentials', () => {
  const minted = (options = {}): MintedAuth => {
    const method = microsoftAuth({ why: 'w', hint: 'h', ...options }).find(({ kind }) => kind === 'minted');
    if (method?.kind !== 'minted') throw new Error('no app credentials');
    return method;
  };
  const secret = {
    tenant_id: 'contoso.onmicrosoft.com',
    client_id: '11111111-2222-3333-4444-555555555555',
    client_secret: 'fake-secret-canary-1',
  };
  const noStandIn = (_key: string, otherwise: string) => otherwise;

  it('are exchanged at the tenant for a token of the app', () => {
    expect(minted().mint(secret, {}, ['Mail.Read'], noStandIn)).toEqual({
      grant: 'client_credentials',
      token: 'https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token',
      clientId: secret.client_id,
      clientSecret: 'fake-secret-canary-1',
      clientAuth: 'post',
      scopes: ['https://graph.microsoft.com/.default'],
    });
  });

  it('are exchanged at a stand-in where there is one', () => {
    const endpoints: Record<string, string> = { microsoft: 'http://127.0.0.1:4003' };
    const endpoint = (key: string, otherwise: string) => endpoints[key] ?? otherwise;
    expect(minted().mint(secret, {}, [], endpoint).token).toBe('http://127.0.0.1:4003/oauth2/v2.0/token');
    endpoints['microsoft.token'] = 'http://127.0.0.1:4004/token';
    expect(minted().mint(secret, {}, [], endpoint).token).toBe('http://127.0.0.1:4004/token');
  });

  it.each<[string, Record<string, string>, string]>([
    ['a tenant that is a path', { tenant_id: 'contoso.com/../common' }, 'tenant'],
    ['a tenant of everybody', { tenant_id: 'common' }, 'tenant'],
    ['no tenant', { tenant_id: '' }, 'tenant'],
    ['an app by its name', { client_id: 'siesta' }, 'application ID'],
    [
      'the ID of the secret',
      { client_secret: '11111111-2222-3333-4444-555555555556' },
      'its value is needed',
    ],
    ['a secret with a line break', { client_secret: 'fake-secret\ncanary-1' }, 'not complete'],
  ])('are refused with %s, and the secret is not repeated', (_, change, problem) => {
    const found = minted().check?.({ ...secret, ...change }, {});
    expect(found).toContain(problem);
    expect(found).not.toContain('canary');
    expect(() => minted().mint({ ...secret, ...change }, {}, [], noStandIn)).toThrow(problem);
  });

  it('take a tenant by its ID, and say whose they are', () => {
    expect(minted().check?.({ ...secret, tenant_id: secret.client_id }, {})).toBeUndefined();
    expect(minted().accountOf?.(secret, {})).toBe(`app ${secret.client_id}`);
    const forBox = minted({ check: () => 'no mailbox', actsFor: () => 'box@siesta.example' });
    expect(forBox.check?.(secret, {})).toBe('no mailbox');
    expect(forBox.accountOf?.(secret, {})).toBe(`box@siesta.example (by app ${secret.client_id})`);
  });

  it('are recommended for shared connections, a sign-in for private ones', () => {
    const methods = microsoftAuth({ why: 'w', hint: 'h' });
    expect(methods.map(({ id, recommended }) => [id, recommended?.identity])).toEqual([
      ['oauth', 'private'],
      ['client_credentials', 'shared'],
    ]);
  });

  it('never meet a redirect that is followed, except to a download', async () => {
    const sent: UpstreamRequest[] = [];
    const context = callContext({
      baseUrl: `${recorder.origin}/v1.0`,
      authorize: (request) => {
        sent.push(request);
        return request;
      },
    });
    recorder.answer = () => ({ status: 302, headers: { location: 'https://evil.example/' }, body: '' });
    await expect(callGraph(context, 'Graph', { path: '/me' })).rejects.toMatchObject({ status: 302 });
    expect(sent[0]?.downloadRedirect).toBeUndefined();
    recorder.answer = () => ({});
  });
});
