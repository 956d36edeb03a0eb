import { describe, expect, it } from 'vitest';
import { expectOk } from '../../src/connectors/upstream.js';
import { upstreamResponse } from './call-context.js';

const JSON_TYPE = { 'content-type': 'application/json' };

function failure(status: number, headers: Record<string, string> = {}, text = '') {
  try {
    expectOk(upstreamResponse(status, headers, text), 'Helpdesk');
  } catch (error) {
    return error;
  }
  throw new Error(`${status} was let through`);
}

describe('an answer of an outside system', () => {
  it.each([200, 201, 204, 206])('%i is let through', (status) => {
    const response = upstreamResponse(status, {}, '');
    expect(expectOk(response, 'Helpdesk')).toBe(response);
  });

  it.each([
    [400, 'upstream_rejected', true],
    [401, 'needs_reauth', true],
    [403, 'forbidden_upstream', true],
    [404, 'upstream_rejected', true],
    [409, 'upstream_rejected', true],
    [412, 'upstream_rejected', true],
    [422, 'upstream_rejected', true],
    [429, 'rate_limited', true],
    [501, 'upstream_rejected', true],
    [408, 'upstream_unavailable', false],
    [500, 'upstream_unavailable', false],
    [503, 'upstream_unavailable', false],
    [302, 'upstream_rejected', false],
    [303, 'upstream_rejected', false],
  ])('%i means %s, definite: %s', (status, code, definite) => {
    expect(failure(status)).toMatchObject({ name: 'UpstreamError', code, definite, status });
  });

  it.each([
    ['{"error": {"message": "Name taken"}}', 'Name taken'],
    ['{"error": "invalid_grant", "error_description": "Expired"}', 'Expired'],
    ['{"title": "Bad", "detail": "No such field"}', 'No such field'],
    ['{"errors": [{"message": "First"}, {"message": "Second"}]}', 'First'],
    ['{"errorMessages": ["Issue does not exist"]}', 'Issue does not exist'],
  ])('says what the system said: %s', (text, said) => {
    expect(failure(400, JSON_TYPE, text)).toMatchObject({
      message: `Helpdesk refused the call (400): ${said}`,
    });
  });

  it('says plainly what a server cannot do at all', () => {
    const text = '{"error": {"code": 501, "message": "There is no export here.", "status": "UNIMPLEMENTED"}}';
    expect(failure(501, JSON_TYPE, text)).toMatchObject({
      message: 'Helpdesk cannot do this (501): There is no export here.',
    });
  });

  it('never shows a page, and of a message one line of at most 300 characters', () => {
    const page = failure(502, { 'content-type': 'text/html' }, '<h1>Bad gateway</h1>');
    expect(page).toMatchObject({ message: 'Helpdesk failed (502).' });
    const long = failure(400, JSON_TYPE, JSON.stringify({ message: `a\r\n\u202eb ${'x'.repeat(1_000)}` }));
    const { message } = long as Error;
    expect(message).toMatch(/^Helpdesk refused the call \(400\): a b x+…$/);
    expect(message.length).toBeLessThanOrEqual(300 + 'Helpdesk refused the call (400): '.length);
  });

  it('says when to come back, in seconds or as a date', () => {
    expect(failure(429, { 'retry-after': '17' })).toMatchObject({ retryAfter: 17 });
    const date = { 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT', date: 'Wed, 21 Oct 2026 07:28:00 GMT' };
    expect(failure(503, date)).toMatchObject({ retryAfter: 30 });
    expect(failure(429, { 'retry-after': 'soon' })).toMatchObject({ retryAfter: undefined });
  });
});
