/**
 * A connection as the operator's command line shows it and takes it back. Shown, edited and applied: what may be
 * changed is a field here; what may not is shown too, and refused when it differs.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type {
  Approvers,
  CallerDocument,
  ConnectionDocument,
  CredentialDocument,
  PolicyRule,
} from '../../models/types.js';
import type { ConnectorDefinition, JsonValue } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import { whenSchema } from '../services/connection-input.js';
import { allFunctions } from '../services/functions.js';
import { DEFAULT_EXPIRY_MINUTES } from '../services/policy.js';
import type { ReadinessItem } from '../services/readiness.js';

const slackId = z.string().regex(/^[A-Z0-9]{2,20}$/, 'must be a Slack id');
const names = z.array(z.string().max(60)).max(500);
const NOBODY = {
  users: [],
  usergroups: [],
  connection_owner: false,
  business_owner: false,
  requester_manager: false,
};

const approvers = z.strictObject({
  users: z.array(slackId).default([]),
  usergroups: z.array(slackId).default([]),
  connection_owner: z.boolean().default(false),
  business_owner: z.boolean().default(false),
  requester_manager: z.boolean().default(false),
});

function approversOf(file: z.infer<typeof approvers>): Approvers {
  return {
    users: file.users,
    usergroups: file.usergroups,
    connectionOwner: file.connection_owner,
    ...(file.business_owner ? { businessOwner: true } : {}),
    ...(file.requester_manager ? { requesterManager: true } : {}),
  };
}

function approversView(list: Approvers): z.infer<typeof approvers> {
  return {
    users: list.users,
    usergroups: list.usergroups,
    connection_owner: list.connectionOwner,
    business_owner: list.businessOwner === true,
    requester_manager: list.requesterManager === true,
  };
}

const rule = z.strictObject({
  id: z.string().min(1).max(40).optional(),
  functions: names.nullable().default(null),
  risks: z
    .array(z.enum(['read', 'write', 'destructive']))
    .nullable()
    .default(null),
  effect: z.enum(['allow', 'ask', 'deny']),
  approvers: approvers.default(NOBODY),
  reminders: z.exactOptional(z.array(z.number())),
  escalation: z.exactOptional(z.strictObject({ approvers, after_minutes: z.int() }).nullable()),
  quorum: z.int().default(1),
  route: slackId.nullable().default(null),
  expires_in_minutes: z.int().default(DEFAULT_EXPIRY_MINUTES),
  limit_per_hour: z.int().min(1).nullable().default(null),
  target_check: z.exactOptional(z.enum(['required', 'best_effort', 'off'])),
  further_approvers: z.exactOptional(approvers.nullable()),
  step_up: z.enum(['totp', 'oidc']).nullable().default(null),
  when: z.exactOptional(whenSchema.nullable()),
  rememberable: z.exactOptional(z.boolean()),
});

export const policyFile = z.strictObject({ version: z.int().optional(), rules: z.array(rule) });

const editable = {
  name: z.string(),
  purpose: z.string(),
  owner: slackId,
  business_owner: slackId.nullable(),
  config: z.record(z.string(), z.json()),
  functions: names,
  raised_risks: z.record(z.string(), z.enum(['read', 'write', 'destructive'])),
  ask_every_time: names,
  policy: policyFile,
  access: z.array(
    z.strictObject({ caller: z.string().min(1).max(60), functions: names.nullable().default(null) }),
  ),
  visibility: z.strictObject({
    everyone: z.boolean(),
    users: z.array(slackId).default([]),
    usergroups: z.array(slackId).default([]),
  }),
};

/** Shown, and not to be changed through a file. */
const fixed = {
  id: z.string().optional(),
  rev: z.int().optional(),
  status: z.string().optional(),
  paused: z.json().optional(),
  scopes_reviewed_at: z.json().optional(),
  read_tested_at: z.json().optional(),
  write_tested_at: z.json().optional(),
  created_by: z.string().optional(),
  created_at: z.string().optional(),
};

/** Shown, and moving while the connection is in use: what a file says about them is of the moment it was shown. */
const observed = {
  health: z.json().optional(),
  credential: z.json().optional(),
  readiness: z.json().optional(),
  available_functions: z.json().optional(),
  updated_at: z.json().optional(),
  last_used_at: z.json().optional(),
};

const identity = z.enum(['shared', 'private']);

const newFile = z.strictObject({
  ...observed,
  ...fixed,
  connector: z.string(),
  key: z.string().optional(),
  identity: identity.optional(),
  auth: z.string().optional(),
  name: editable.name,
  purpose: editable.purpose.default(''),
  owner: editable.owner,
  business_owner: editable.business_owner.default(null),
  config: editable.config.default({}),
  functions: editable.functions.default([]),
  raised_risks: editable.raised_risks.optional(),
  ask_every_time: editable.ask_every_time.optional(),
  policy: editable.policy.default({ rules: [] }),
  access: editable.access.optional(),
  visibility: editable.visibility.optional(),
});

const changeFile = z
  .strictObject({
    ...observed,
    ...fixed,
    connector: z.string(),
    key: z.string(),
    identity,
    auth: z.string(),
    ...editable,
  })
  .partial();

export type NewConnectionFile = z.infer<typeof newFile>;
export type ConnectionChangeFile = z.infer<typeof changeFile>;
export type AccessFile = z.infer<(typeof editable)['access']>;

/** @throws AppError `invalid_arguments` with the path of the first problem */
export function parseFile<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = `/${[...(issue?.path ?? []), ...unknown].join('/')}`;
  const message = unknown.length > 0 ? 'there is no such field' : (issue?.message ?? 'not valid');
  throw new AppError('invalid_arguments', `${path}: ${message}`, { path });
}

export function parseNewConnection(value: unknown): NewConnectionFile {
  return parseFile(newFile, value);
}

/**
 * What a file would change in a connection that now looks like `shown`.
 * @throws AppError `invalid_arguments` for an unknown field, or another value of one that is not to be changed
 */
export function parseConnectionChange(
  value: unknown,
  shown: Readonly<Record<string, unknown>>,
): ConnectionChangeFile {
  const file = parseFile(changeFile, value);
  for (const [name, wanted] of Object.entries(file)) {
    if (name in observed || name in editable || isDeepStrictEqual(wanted, shown[name])) continue;
    const message =
      name === 'rev'
        ? 'Somebody changed the connection since it was shown. Show it again, and edit that.'
        : `${name} cannot be changed here.`;
    throw new AppError('invalid_arguments', message, { path: `/${name}` });
  }
  const version = file.policy?.version;
  if (version !== undefined) checkVersion(version, shown.policy);
  return file;
}

/** A policy that was edited from an older one would undo what came between. @throws AppError */
export function checkVersion(version: number, current: unknown): void {
  const now = (current as { version?: number } | undefined)?.version;
  if (now === undefined || version === now) return;
  const message = `The policy has version ${now}, the file was made from ${version}. Show it again, and edit that.`;
  throw new AppError('invalid_arguments', message, { path: '/policy/version' });
}

export function rulesOf(file: z.infer<typeof policyFile>): PolicyRule[] {
  return file.rules.map(
    (
      {
        approvers,
        expires_in_minutes,
        limit_per_hour,
        step_up,
        target_check,
        escalation,
        further_approvers,
        id,
        ...same
      },
      index,
    ) => ({
      ...same,
      id: id ?? `rule-${index + 1}`,
      approvers: approversOf(approvers),
      ...(escalation === undefined
        ? {}
        : {
            escalation: escalation && {
              approvers: approversOf(escalation.approvers),
              afterMinutes: escalation.after_minutes,
            },
          }),
      ...(further_approvers === undefined
        ? {}
        : { furtherApprovers: further_approvers && approversOf(further_approvers) }),
      expiresInMinutes: expires_in_minutes,
      limitPerHour: limit_per_hour,
      stepUp: step_up,
      ...(target_check === undefined ? {} : { targetCheck: target_check }),
    }),
  );
}

export function policyView(policy: ConnectionDocument['policy']) {
  return {
    version: policy.version,
    rules: policy.rules.map(
      ({
        approvers,
        expiresInMinutes,
        limitPerHour,
        stepUp,
        targetCheck,
        escalation,
        furtherApprovers,
        ...same
      }) => ({
        ...same,
        approvers: approversView(approvers),
        ...(escalation === undefined
          ? {}
          : {
              escalation: escalation && {
                approvers: approversView(escalation.approvers),
                after_minutes: escalation.afterMinutes,
              },
            }),
        ...(furtherApprovers ? { further_approvers: approversView(furtherApprovers) } : {}),
        expires_in_minutes: expiresInMinutes,
        limit_per_hour: limitPerHour ?? null,
        step_up: stepUp ?? null,
        ...(targetCheck ? { target_check: targetCheck } : {}),
      }),
    ),
  };
}

/** @param callers those that are active: they go by their names, others by their ids */
export function accessView(connection: ConnectionDocument, callers: readonly CallerDocument[]) {
  const nameOf = new Map(callers.map((caller) => [caller._id, caller.name]));
  return connection.access.map(({ callerId, functions }) => ({
    caller: nameOf.get(callerId) ?? callerId,
    functions,
  }));
}

export interface Around {
  readonly connector: ConnectorDefinition;
  readonly callers: readonly CallerDocument[];
  readonly credential: CredentialDocument | null;
  readonly readiness: readonly ReadinessItem[];
}

/** As `connection:show` prints it. */
export function connectionView(connection: ConnectionDocument, around: Around) {
  const { credential } = around;
  return {
    id: connection._id,
    key: connection.key,
    connector: connection.connector,
    name: connection.name,
    purpose: connection.purpose,
    identity: connection.identity,
    owner: connection.ownerId,
    business_owner: connection.businessOwnerId,
    auth: connection.auth,
    config: connection.config as Record<string, JsonValue>,
    functions: connection.enabledFunctions,
    raised_risks: connection.raisedRisks,
    ask_every_time: connection.askEveryTime ?? [],
    policy: policyView(connection.policy),
    access: accessView(connection, around.callers),
    visibility: connection.visibility,
    status: connection.status,
    paused: connection.paused && { ...connection.paused, at: connection.paused.at.toISOString() },
    scopes_reviewed_at: isoOf(connection.scopesReviewedAt),
    read_tested_at: isoOf(connection.readTestedAt),
    write_tested_at: isoOf(connection.writeTestedAt),
    rev: connection.rev,
    created_by: connection.createdBy,
    created_at: isoOf(connection.createdAt),
    health: connection.health,
    credential: credential && {
      kind: credential.kind,
      generation: credential.generation,
      account: credential.account,
      scopes: credential.scopes,
      status: credential.status,
      rotated_at: isoOf(credential.rotatedAt),
    },
    readiness: around.readiness,
    available_functions: allFunctions(around.connector, connection).map(({ name, title, risk }) => ({
      name,
      title,
      risk,
    })),
    updated_at: isoOf(connection.updatedAt),
    last_used_at: isoOf(connection.lastUsedAt),
  };
}

export function isoOf(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}
