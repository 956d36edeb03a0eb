import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../src/config.js';
import { parseKeyRing } from '../src/credentials/key-ring.js';

const SLACK = {
  SLACK_BOT_TOKEN: 'fake-bot-token',
  PUBLIC_URL: 'https://siesta.example',
  ENCRYPTION_KEYS: 'k1:abc',
};

function problem(env: Record<string, string>): string {
  try {
    parseConfig(env, false);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no problem';
}

describe('configuration', () => {
  it('is the playground without tokens, on this machine only', () => {
    const config = parseConfig({}, false);
    expect(config).toMatchObject({
      slack: null,
      port: 3000,
      host: '127.0.0.1',
      publicUrl: 'http://localhost:3000',
      dataDir: '.data',
    });
  });

  it('takes Socket Mode with an app token and HTTP with a signing secret', () => {
    expect(parseConfig({ ...SLACK, SLACK_APP_TOKEN: 'fake-app-token' }, false).slack?.appToken).toBe(
      'fake-app-token',
    );
    const http = parseConfig({ ...SLACK, SLACK_SIGNING_SECRET: 'fake' }, false);
    expect(http.slack).toMatchObject({
      appToken: null,
      signingSecret: 'fake',
      apiUrl: 'https://slack.com/api/',
    });
    expect(http.host).toBe('0.0.0.0');
  });

  it('refuses tokens without a key, and prints a command that makes one', () => {
    const { ENCRYPTION_KEYS: _, ...withoutKey } = SLACK;
    const message = problem({ ...withoutKey, SLACK_APP_TOKEN: 'fake-app-token' });
    expect(message).toContain('ENCRYPTION_KEYS');
    const script = /node -e "(.+)"/.exec(message)?.[1] ?? '';
    const lines: string[] = [];
    new Function('console', 'require', script)({ log: (line: string) => lines.push(line) }, () => ({
      randomBytes: (size: number) => Buffer.alloc(size, 3),
    }));
    expect(parseKeyRing(lines[0] ?? '').currentKeyId).toBe('k1');
  });

  it.each([
    ['a bot token alone', { SLACK_BOT_TOKEN: 'fake' }, 'SLACK_APP_TOKEN'],
    ['an app token alone', { SLACK_APP_TOKEN: 'fake' }, 'SLACK_BOT_TOKEN'],
    [
      'no public address',
      { SLACK_BOT_TOKEN: 'fake', SLACK_APP_TOKEN: 'fake', ENCRYPTION_KEYS: 'k' },
      'PUBLIC_URL',
    ],
    ['a port that is none', { PORT: '70000' }, 'PORT'],
    ['endpoints that are not JSON', { CONNECTOR_ENDPOINTS: '{gmail' }, 'CONNECTOR_ENDPOINTS'],
    ['half a sign-in', { STEP_UP_OIDC_ISSUER: 'https://login.example.com' }, 'STEP_UP_OIDC_CLIENT_ID'],
    ['a log level that does not exist', { LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
  ])('says which variable to set: %s', (_name, env, variable) => {
    expect(problem(env)).toContain(variable);
  });
});
