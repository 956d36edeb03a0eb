/** The environment, parsed once (names: shared/STACK.md). Errors say which variable to set and how. */
import { z } from 'zod';
import type { CompanySignInConfig } from './credentials/company-sign-in.js';

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
const optional = z
  .string()
  .optional()
  .transform((text) => (text === undefined || text.trim() === '' ? undefined : text.trim()));

const endpoints = z
  .string()
  .default('')
  .transform((text, context) => {
    if (text.trim() === '') return {};
    try {
      return z.record(z.string(), z.url()).parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON object of name → URL' });
      return z.NEVER;
    }
  });

const commands = z
  .string()
  .default('')
  .transform((text, context) => {
    if (text.trim() === '') return {};
    try {
      return z.record(z.string(), z.array(z.string().min(1)).min(1)).parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON object of name → [program, argument, …]' });
      return z.NEVER;
    }
  });

const environment = z.object({
  NODE_ENV: z.string().default('production'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: optional,
  PUBLIC_URL: optional.pipe(z.url({ protocol: /^https?$/ }).optional()),
  MONGODB_URI: optional,
  DATA_DIR: z.string().default('.data'),
  ENCRYPTION_KEYS: optional,
  SLACK_BOT_TOKEN: optional,
  SLACK_APP_TOKEN: optional,
  SLACK_SIGNING_SECRET: optional,
  SLACK_API_URL: optional.pipe(z.url().optional()),
  ADMIN_USER_IDS: list,
  ADMIN_USERGROUP: optional,
  AUDITOR_USER_IDS: list,
  AUDITOR_USERGROUP: optional,
  CONNECTOR_ENDPOINTS: endpoints,
  OUTBOUND_ALLOW_PRIVATE: list,
  MCP_COMMANDS: commands,
  STEP_UP_OIDC_ISSUER: optional.pipe(z.url({ protocol: /^https?$/ }).optional()),
  STEP_UP_OIDC_CLIENT_ID: optional,
  STEP_UP_OIDC_CLIENT_SECRET: optional,
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  LOG_FORMAT: z.enum(['json', 'pretty']).optional(),
});

export interface SlackConfig {
  readonly botToken: string;
  /** Set for Socket Mode. */
  readonly appToken: string | null;
  /** Set for HTTP. */
  readonly signingSecret: string | null;
  readonly apiUrl: string;
}

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string;
  readonly mongodbUri: string | null;
  readonly dataDir: string;
  readonly encryptionKeys: string | null;
  /** Null: no tokens are set, so the playground is what runs. */
  readonly slack: SlackConfig | null;
  readonly roles: {
    readonly admins: readonly string[];
    readonly adminGroup: string | null;
    readonly auditors: readonly string[];
    readonly auditorGroup: string | null;
  };
  readonly endpoints: Readonly<Record<string, string>>;
  readonly allowPrivate: readonly string[];
  /** MCP servers that may be started here: name → program and arguments. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
  /** The company's OpenID Connect provider, for approvals that ask for a sign-in; null: none. */
  readonly stepUp: CompanySignInConfig | null;
  readonly log: { readonly level: string; readonly format: 'json' | 'pretty' };
}

/** What to set, in words. Printed as it is; the process then ends. */
export class ConfigError extends Error {}

export const SLACK_API_URL = 'https://slack.com/api/';

/** @throws ConfigError */
export function parseConfig(env: NodeJS.ProcessEnv, isTerminal: boolean): Config {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`The environment is not usable:\n${lines.join('\n')}`);
  }
  const values = parsed.data;
  const slack = slackConfig(values);
  if (slack && !values.PUBLIC_URL) {
    throw new ConfigError(
      'Set PUBLIC_URL to the address under which browsers and callers reach this app, e.g. https://siesta.example.com',
    );
  }
  if (slack && !values.ENCRYPTION_KEYS) {
    throw new ConfigError(
      'Set ENCRYPTION_KEYS: without it credentials cannot be kept. This makes one:\n' +
        `  node -e "console.log('k1:' + require('node:crypto').randomBytes(32).toString('base64'))"`,
    );
  }
  return {
    port: values.PORT,
    host: values.HOST ?? (slack ? '0.0.0.0' : '127.0.0.1'),
    publicUrl: (values.PUBLIC_URL ?? `http://localhost:${values.PORT}`).replace(/\/+$/, ''),
    mongodbUri: values.MONGODB_URI ?? null,
    dataDir: values.DATA_DIR,
    encryptionKeys: values.ENCRYPTION_KEYS ?? null,
    slack,
    roles: {
      admins: values.ADMIN_USER_IDS,
      adminGroup: values.ADMIN_USERGROUP ?? null,
      auditors: values.AUDITOR_USER_IDS,
      auditorGroup: values.AUDITOR_USERGROUP ?? null,
    },
    endpoints: values.CONNECTOR_ENDPOINTS,
    allowPrivate: values.OUTBOUND_ALLOW_PRIVATE,
    commands: values.MCP_COMMANDS,
    stepUp: stepUpConfig(values),
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT ?? (isTerminal ? 'pretty' : 'json') },
  };
}

function stepUpConfig(values: z.infer<typeof environment>): CompanySignInConfig | null {
  const {
    STEP_UP_OIDC_ISSUER: issuer,
    STEP_UP_OIDC_CLIENT_ID: clientId,
    STEP_UP_OIDC_CLIENT_SECRET: clientSecret,
  } = values;
  if (!issuer && !clientId && !clientSecret) return null;
  if (issuer && clientId && clientSecret) return { issuer, clientId, clientSecret };
  throw new ConfigError(
    'Set STEP_UP_OIDC_ISSUER, STEP_UP_OIDC_CLIENT_ID and STEP_UP_OIDC_CLIENT_SECRET together, or none of them.',
  );
}

function slackConfig(values: z.infer<typeof environment>): SlackConfig | null {
  const {
    SLACK_BOT_TOKEN: botToken,
    SLACK_APP_TOKEN: appToken,
    SLACK_SIGNING_SECRET: signingSecret,
  } = values;
  if (!botToken) {
    if (!appToken && !signingSecret) return null;
    throw new ConfigError('Set SLACK_BOT_TOKEN too (xoxb-…, from “OAuth & Permissions” of your Slack app).');
  }
  if (!appToken && !signingSecret) {
    throw new ConfigError(
      'SLACK_BOT_TOKEN alone is not enough. Set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP.',
    );
  }
  const apiUrl = values.SLACK_API_URL ?? SLACK_API_URL;
  return {
    botToken,
    appToken: appToken ?? null,
    signingSecret: signingSecret ?? null,
    apiUrl: apiUrl.endsWith('/') ? apiUrl : `${apiUrl}/`,
  };
}
