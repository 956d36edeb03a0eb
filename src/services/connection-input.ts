/** Checks of what people type about a connection. Pure; every refusal says what and where. */
import { z } from 'zod';
import type { Access, ConnectionDocument, Identity, PolicyRule } from '../../models/types.js';
import type { ConnectorDefinition, JsonValue } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import { conditionProblem } from './conditions.js';
import { hasApprover } from './policy.js';

const NAME_LIMIT = 80;
const PURPOSE_LIMIT = 500;
/** shared/CONTRACT.md: key 20 + `__` + function 42 ≤ 64, the limit of an MCP tool's name. */
const KEY_LIMIT = 20;
const KEY = /^[a-z][a-z0-9-]{0,19}$/;

/** `Helpdesk – Support FAQ` → `helpdesk-support-faq`. */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, KEY_LIMIT)
    .replace(/-+$/, '');
  return slug === '' ? 'connection' : slug;
}

export function checkKey(key: string): string {
  if (KEY.test(key)) return key;
  const rule = `A key has 1 to ${KEY_LIMIT} lower-case letters, digits and hyphens, and begins with a letter.`;
  throw new AppError('invalid_arguments', rule, { path: '/key' });
}

export function checkName(name: string): string {
  const trimmed = name.trim();
  const length = [...trimmed].length;
  if (length > 0 && length <= NAME_LIMIT) return trimmed;
  throw new AppError('invalid_arguments', `A connection needs a name of 1 to ${NAME_LIMIT} characters.`, {
    path: '/name',
  });
}

export function checkPurpose(purpose: string): string {
  const trimmed = purpose.trim();
  if ([...trimmed].length <= PURPOSE_LIMIT) return trimmed;
  throw new AppError('invalid_arguments', `A purpose has at most ${PURPOSE_LIMIT} characters.`, {
    path: '/purpose',
  });
}

const slackId = z.string().regex(/^[A-Z0-9]{2,20}$/, 'must be a Slack id');

/** The condition of a rule. */
export const whenSchema = z
  .strictObject({
    all: z.boolean(),
    comparisons: z.array(
      z.strictObject({
        field: z.string().min(1).max(200),
        op: z.string().max(10),
        value: z.union([z.string().max(500), z.number(), z.boolean(), z.array(z.string().max(200)).max(100)]),
      }),
    ),
  })
  .superRefine((when, context) => {
    const problem = conditionProblem(when);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

const approversSchema = z.strictObject({
  users: z.array(slackId).max(50),
  usergroups: z.array(slackId).max(10),
  connectionOwner: z.boolean(),
  businessOwner: z.exactOptional(z.boolean()),
  requesterManager: z.exactOptional(z.boolean()),
});

const ruleSchema = z.strictObject({
  id: z.string().min(1).max(40),
  /** As many as a connection may have on. */
  functions: z.array(z.string().max(42)).max(500).nullable(),
  risks: z.array(z.enum(['read', 'write', 'destructive'])).nullable(),
  effect: z.enum(['allow', 'ask', 'deny']),
  approvers: approversSchema,
  quorum: z.int().min(1).max(10),
  route: slackId.nullable(),
  expiresInMinutes: z.int().min(1).max(10_080),
  targetCheck: z.exactOptional(z.enum(['required', 'best_effort', 'off'])),
  limitPerHour: z.exactOptional(z.int().min(1).max(100_000).nullable()),
  reminders: z.exactOptional(z.array(z.number().min(0.01).max(0.99)).max(5)),
  escalation: z.exactOptional(
    z.strictObject({ approvers: approversSchema, afterMinutes: z.int().min(1).max(10_080) }).nullable(),
  ),
  furtherApprovers: z.exactOptional(
    approversSchema
      .refine((approvers) => hasApprover({ approvers }), 'name a further approver, or none')
      .nullable(),
  ),
  stepUp: z.exactOptional(z.enum(['totp', 'oidc']).nullable()),
  rememberable: z.exactOptional(z.boolean()),
  when: z.exactOptional(whenSchema.nullable()),
});

/** @param identity where it is known: on a shared connection nobody is a further approver */
export function checkRules(rules: readonly PolicyRule[], identity?: Identity): PolicyRule[] {
  const parsed = z.array(ruleSchema).max(50).safeParse(rules);
  if (parsed.success) {
    const at = identity === 'shared' ? parsed.data.findIndex((rule) => rule.furtherApprovers) : -1;
    if (at < 0) return parsed.data;
    const message =
      'Only a private connection has further approvers. On a shared one, ask for more approvals.';
    throw new AppError('invalid_arguments', message, { path: `/policy/rules/${at}/furtherApprovers` });
  }
  const issue = parsed.error.issues[0];
  const path = `/policy/rules/${issue?.path.join('/') ?? ''}`;
  throw new AppError('invalid_arguments', `The policy is not valid: ${issue?.message ?? 'unknown reason'}.`, {
    path,
  });
}

const accessSchema = z.array(
  z.strictObject({
    callerId: z.string().max(60),
    functions: z.array(z.string().max(42)).max(500).nullable(),
  }),
);

export function checkAccess(access: readonly Access[], enabled: readonly string[]): Access[] {
  const parsed = accessSchema.max(500).safeParse(access);
  if (!parsed.success) {
    throw new AppError('invalid_arguments', 'The access list is not valid.', { path: '/access' });
  }
  for (const [index, { functions }] of parsed.data.entries()) {
    const unknown = functions?.find((name) => !enabled.includes(name));
    if (unknown !== undefined) {
      throw new AppError('invalid_arguments', `“${unknown}” is not a function that is turned on here.`, {
        path: `/access/${index}/functions`,
      });
    }
  }
  return parsed.data;
}

export function checkIdentity(connector: ConnectorDefinition, identity: Identity): Identity {
  if (connector.identities.includes(identity)) return identity;
  throw new AppError('invalid_arguments', `${connector.title} cannot be ${identity}.`, { path: '/identity' });
}

export function checkAuth(connector: ConnectorDefinition, auth: string, identity: Identity): string {
  const method = connector.auth.find(({ id }) => id === auth);
  if (!method) {
    const known = connector.auth.map(({ id }) => id).join(', ');
    throw new AppError(
      'invalid_arguments',
      `${connector.title} has no auth method “${auth}”; it has ${known}.`,
      { path: '/auth' },
    );
  }
  if (method.identities && !method.identities.includes(identity)) {
    const message = `“${method.title}” does not fit a ${identity} connection. Choose another way to sign in.`;
    throw new AppError('invalid_arguments', message, { path: '/auth' });
  }
  return auth;
}

/** Where the settings themselves name the OAuth server, they name it wholly. */
export function checkSignIn(
  connector: ConnectorDefinition,
  auth: string,
  config: Record<string, JsonValue>,
): void {
  const method = connector.auth.find(({ id }) => id === auth);
  if (method?.kind === 'oauth' && typeof method.provider === 'function') method.provider(config);
}

/** Not by `rev`, as elsewhere: what is checked here may never be stored. */
export function checkFunctions(
  connector: ConnectorDefinition,
  { config, auth }: Pick<ConnectionDocument, 'config' | 'auth'>,
  names: readonly string[],
): string[] {
  const functions = connector.functions(config as Record<string, JsonValue>);
  const known = new Set(
    functions.filter((fn) => fn.auth === undefined || fn.auth.includes(auth)).map(({ name }) => name),
  );
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new AppError('invalid_arguments', `${connector.title} has no function “${unknown}”.`, {
      path: '/functions',
    });
  }
  return [...new Set(names)];
}

export function checkConfig(
  connector: ConnectorDefinition,
  config: Record<string, JsonValue>,
): Record<string, JsonValue> {
  const parsed = connector.config.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = `/config/${issue?.path.join('/') ?? ''}`;
  throw new AppError('invalid_arguments', issue?.message ?? 'The settings are not valid.', { path });
}
