/**
 * Firecrawl's requests against what its documentation says. Neither its client nor its OpenAPI document is part of this
 * repository, so nothing here compares with them: verified/firecrawl.json says so function by function.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firecrawlConnector } from '../../src/connectors/firecrawl/index.js';
import type { AuthMethod } from '../../src/connectors/framework.js';
import { call, callContext, functionNamed, withSecret } from '../connectors/call-context.js';
import { requests } from './firecrawl-requests.js';
import { essence, type Recorder, startRecorder } from './recorder.js';

const KEY = 'fc-fake-secret-canary-1';
const functions = firecrawlConnector.functions({});
const apiKey = firecrawlConnector.auth[0] as AuthMethod;
let recorder: Recorder;

beforeAll(async () => {
  recorder = await startRecorder();
  recorder.answer = () => ({ body: { success: true, id: 'job' } });
});
afterAll(() => recorder.close());

describe('what is sent', () => {
  it.each(requests)('%s %j', async (name, args, { method, path, query = [], body = null }) => {
    const authorize = withSecret(apiKey, { api_key: KEY }, {});
    const context = callContext({ baseUrl: recorder.origin, authorize });
    const sent = await recorder.during(() => call(functionNamed(functions, name), context, args));
    expect(sent.map((request) => essence(request, { headers: ['authorization'] }))).toEqual([
      { method, path, query, body, headers: { authorization: `Bearer ${KEY}` } },
    ]);
    if (body !== null) expect(sent[0]?.headers['content-type']).toBe('application/json');
  });

  it('is written out for every function, and the record claims no comparison', () => {
    const record = JSON.parse(readFileSync(new URL('verified/firecrawl.json', import.meta.url), 'utf8'));
    const all = functions.map(({ name }) => name).sort();
    expect([...new Set(requests.map(([name]) => name))].sort()).toEqual(all);
    expect(record.checked).toEqual([]);
    expect(Object.keys(record.unchecked).sort()).toEqual(all);
  });
});
