import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMask, looksLikeSecret, maskDeep, REDACTED, redactText } from '../src/redact.js';

const filler = (length: number): string => 'Fake0Secret1Canary2'.repeat(10).slice(0, length);
const JWT = ['eyJmYWtlIjoxfQ', 'eyJmYWtlIjoyfQ', 'ZmFrZQ'].join('.');
const pem = (newline: string): string =>
  ['-----BEGIN PRIVATE', ' KEY-----', newline, filler(64), newline, '-----END PRIVATE', ' KEY-----'].join('');

describe('redactText', () => {
  it.each([
    ['Slack bot token', `xoxb-${filler(20)}`],
    ['Slack rotated token', `xoxe.xoxp-1-${filler(30)}`],
    ['Slack app token', `xapp-1-${filler(30)}`],
    ['caller token', `siesta_${filler(49)}`],
    ['AWS key id', `AKIA${'FAKE'.repeat(4)}`],
    ['Google API key', `AIza${filler(35)}`],
    ['Google access token', `ya29.${filler(40)}`],
    ['Google client secret', `GOCSPX-${filler(28)}`],
    ['GitHub token', `ghp_${filler(36)}`],
    ['OpenAI key', `sk-proj-${filler(40)}`],
    ['JWT', JWT],
    ['PEM key', pem('\n')],
    ['PEM key inside JSON', pem('\\n')],
  ])('hides a %s wherever it stands', (_, secret) => {
    for (const text of [secret, `before ${secret} after`, JSON.stringify({ msg: `x=${secret}` })]) {
      const redacted = redactText(text);
      expect(redacted).toContain(REDACTED);
      expect(redacted).not.toContain(secret.slice(10, 30));
    }
  });

  it.each([
    'Authorization: Bearer canary',
    'authorization: Basic Y2FuYXJ5',
    '{"headers":{"authorization":"Bearer canary"}}',
    JSON.stringify({ body: JSON.stringify({ client_secret: 'canary', scope: 'kept' }) }),
    'POST body grant_type=authorization_code&code=canary&scope=kept',
    'GET https://example.com/callback?code=canary&state=kept',
    'client_secret=canary&kept=1',
    '{"access_token":"canary","expires_in":3600}',
    '{"refresh_token" : "can\\"canary"}',
    "{ apiKey: 'x', api_key: 'canary' }",
    'mongodb://admin:canary@db.example.com:27017/app',
    'mongodb+srv://admin:canary@db.example.com/app',
    'AccountName=a;AccountKey=canary==;EndpointSuffix=core',
    'x-api-key: canary',
    'Cookie: session=canary; other=canary',
    'password=canary',
    'https://hooks.slack.com/services/T0FAKE/B0FAKE/canary',
  ])('hides the value in %s', (text) => {
    expect(redactText(text)).not.toMatch(/canary|Y2FuYXJ5/);
    expect(redactText(text)).toContain(REDACTED);
  });

  it('keeps JSON parseable and everything else in it', () => {
    const line = JSON.stringify({
      level: 30,
      code: 'needs_reauth',
      token: 'canary',
      nested: { a: ['b'] },
      msg: 'ok',
    });
    expect(JSON.parse(redactText(line))).toEqual({ ...JSON.parse(line), token: REDACTED });
  });

  it.each([
    'Basic information about bearer authentication',
    'The token expired; the password was changed: sign in again.',
    '{"code":"forbidden_upstream","nextPageToken":"CAUQAA"}',
    'https://example.com/sk-bratislava-hotels-and-more-places/?page=2#top',
    'task-force-one-two-three-four-five',
    'connection=helpdesk key__function 3f2504e0-4f89-11d3-9a0c-0305e82c3301',
    'https://user@example.com:8443/path',
  ])('leaves %s as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('is idempotent', () => {
    const pieces = [
      'token=',
      '"password":"',
      'Bearer a1b2c3d4',
      'xoxb-',
      '://u:p@',
      '\\"',
      '"',
      ' ',
      '-----BEGIN PRIVATE KEY-----',
      'aaaa1111',
    ];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 12 }), (parts) => {
        const once = redactText(parts.join(''));
        expect(redactText(once)).toBe(once);
      }),
    );
  });

  it('stays fast on hostile text', () => {
    const started = performance.now();
    for (const piece of [
      'sk-',
      'token="',
      'Bearer ',
      '://a:',
      'eyJ',
      '-----BEGIN PRIVATE KEY-----',
      'authorization:  ',
      '\\',
      '?code=',
    ]) {
      redactText(piece.repeat(64_000 / piece.length));
    }
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('createMask', () => {
  const secret = 'fake-secret/canary "1" <é>';
  const mask = createMask([secret, 'abc']);

  it.each([
    ['as it is', secret],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64url', Buffer.from(secret).toString('base64url')],
    ['URL-encoded', encodeURIComponent(secret)],
    ['URL-encoded in lower case', encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())],
    ['form-encoded', new URLSearchParams({ a: secret }).toString().slice(2)],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in JSON in JSON', JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
    ['HTML-escaped', secret.replace(/</g, '&lt;').replace(/>/g, '&gt;')],
  ])('masks the secret %s', (_, form) => {
    expect(mask(`before|${form}|after`)).toBe(`before|${REDACTED}|after`);
  });

  it('masks the secret inside a longer base64 text, at every alignment', () => {
    for (const before of ['', 'a', 'ab', 'user:']) {
      for (const after of ['', 'z', 'zz']) {
        const encoded = Buffer.from(`${before}fake-secret-canary-1${after}`).toString('base64');
        const masked = createMask(['fake-secret-canary-1'])(encoded);
        expect(masked).toContain(REDACTED);
        expect(Buffer.from(masked.replace(REDACTED, ''), 'base64').toString()).not.toContain('secret');
      }
    }
  });

  it('leaves no form of any secret behind', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 6, maxLength: 40, unit: 'binary' }),
        fc.string(),
        (canary, around) => {
          fc.pre(!REDACTED.includes(canary));
          const masked = createMask([canary])(
            `${around}${canary}${around} ${Buffer.from(canary).toString('base64')}`,
          );
          expect(masked.split(REDACTED).some((part) => part.includes(canary))).toBe(false);
        },
      ),
    );
  });

  it('ignores secrets too short to be told from words', () => {
    expect(mask('abc')).toBe('abc');
    expect(createMask([])('anything')).toBe('anything');
  });

  it('maskDeep covers strings, keys and numbers and keeps the rest', () => {
    const deep = createMask(['canary', '8675309']);
    expect(maskDeep({ a: ['xcanaryx', 1, true, null, 8675309], canary: { b: 'ok' } }, deep)).toEqual({
      a: [`x${REDACTED}x`, 1, true, null, REDACTED],
      [REDACTED]: { b: 'ok' },
    });
  });
});

describe('looksLikeSecret', () => {
  it.each([`xoxb-${filler(20)}`, 'here it is: ' + 'a8Fk20LqXz93MdPw7TrE1vYb', 'password=hunter2', JWT])(
    'sees %s',
    (text) => {
      expect(looksLikeSecret(text)).toBe(true);
    },
  );

  it.each([
    'list all connections please',
    'helpdesk',
    'https://docs.example.com/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74/edit',
    '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
    'Google-Drive-Connection-For-Team-42-Berlin',
    '<@U0ADA> and #approvals',
    'getConnectionByIdAndWorkspace2',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  ])('is quiet on %s', (text) => {
    expect(looksLikeSecret(text)).toBe(false);
  });
});
