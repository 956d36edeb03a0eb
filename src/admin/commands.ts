/** The commands of shared/CONTRACT.md, "Operator's command line": their options, and the service that each asks. */
import type { ParseArgsConfig } from 'node:util';
import { z } from 'zod';
import { EXECUTION_TRANSITIONS } from '../../models/state-machines.js';
import type { Actor, CallerDocument, ExecutionDocument, ExecutionStatus } from '../../models/types.js';
import { AppError } from '../errors.js';
import { CALLER_KINDS, CALLER_STAGES } from '../services/callers.js';
import type { Dependencies } from '../services/dependencies.js';
import type { Services } from '../services/index.js';
import { isoOf } from './connection-file.js';
import { ConnectionCommands } from './connections.js';

/** What a command line says, already split into options and the rest. */
export interface Given {
  readonly positional: string | null;
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  /** JSON of `--file`. @throws AppError `invalid_arguments` */
  readonly file: () => Promise<unknown>;
  /** JSON of standard input. @throws AppError `invalid_arguments` */
  readonly input: () => Promise<unknown>;
}

export interface Surroundings {
  readonly services: Services;
  readonly deps: Dependencies;
  readonly actor: Actor;
}

export type CommandOptions = NonNullable<ParseArgsConfig['options']>;

export interface Command {
  readonly usage: string;
  readonly options: CommandOptions;
  readonly run: (given: Given, around: Surroundings) => Promise<unknown>;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const FILE = { file: text };

const connections = ({ services, deps, actor }: Surroundings) =>
  new ConnectionCommands(services, deps, actor);

/** Named on the command line, or in the file as `key` or `id`. */
async function keyOf(given: Given): Promise<string> {
  if (given.positional !== null) return given.positional;
  const named = option(given, 'connection');
  if (named !== null) return named;
  const file = (given.options.file === undefined ? {} : await given.file()) as Record<string, unknown>;
  const key = file.key ?? file.id;
  return typeof key === 'string' ? key : missing('key', 'Name the connection by its key.');
}

function option(given: Given, name: string): string | null {
  const value = given.options[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function required(given: Given, name: string): string {
  return option(given, name) ?? missing(name, `--${name} is missing.`);
}

function missing(name: string, message: string): never {
  throw new AppError('invalid_arguments', message, { path: `/${name}` });
}

function oneOf<T extends string>(given: Given, name: string, allowed: readonly T[]): T {
  const value = required(given, name);
  const found = allowed.find((each) => each === value);
  return found ?? missing(name, `--${name} is one of ${allowed.join(', ')}.`);
}

const STATUSES = Object.keys(EXECUTION_TRANSITIONS) as ExecutionStatus[];
const KEYED = { connection: text, ...FILE };

export const COMMANDS: Readonly<Record<string, Command>> = {
  'connection:create': {
    usage: '--file x.json',
    options: FILE,
    run: async (given, around) => connections(around).create(await given.file()),
  },
  'connection:update': {
    usage: '[KEY] --file x.json',
    options: KEYED,
    run: async (given, around) => connections(around).update(await keyOf(given), await given.file()),
  },
  'connection:show': {
    usage: 'KEY',
    options: KEYED,
    run: async (given, around) => connections(around).show(await keyOf(given)),
  },
  'connection:list': { usage: '', options: {}, run: (_given, around) => connections(around).list() },
  'connection:pause': {
    usage: 'KEY [--reason TEXT]',
    options: { ...KEYED, reason: text },
    run: async (given, around) =>
      connections(around).pause(await keyOf(given), option(given, 'reason') ?? 'paused by the operator'),
  },
  'connection:resume': {
    usage: 'KEY',
    options: KEYED,
    run: async (given, around) => connections(around).resume(await keyOf(given)),
  },
  'connection:remove': {
    usage: 'KEY',
    options: KEYED,
    run: async (given, around) => connections(around).remove(await keyOf(given)),
  },
  'connection:secret': {
    usage: 'KEY|oauth_app:PROVIDER  < fields.json',
    options: KEYED,
    run: async (given, around) => connections(around).secret(await keyOf(given), await given.input()),
  },
  'caller:create': {
    usage: `--name TEXT --kind ${CALLER_KINDS.join('|')} --owner U… --stage ${CALLER_STAGES.join('|')}`,
    options: { name: text, kind: text, owner: text, stage: text },
    run: createCaller,
  },
  'access:grant': {
    usage: '--caller NAME --connection KEY [--functions a,b]',
    options: { caller: text, connection: text, functions: text },
    run: async (given, around) => {
      const functions =
        option(given, 'functions')
          ?.split(',')
          .map((name) => name.trim()) ?? null;
      const [caller, key] = [required(given, 'caller'), required(given, 'connection')];
      return { connection: key, access: await connections(around).grant(caller, key, functions) };
    },
  },
  'policy:set': {
    usage: '--connection KEY --file x.json',
    options: KEYED,
    run: async (given, around) =>
      connections(around).setPolicy(required(given, 'connection'), await given.file()),
  },
  'second-proof:reset': {
    usage: 'U… [--reason TEXT]',
    options: { reason: text },
    run: async (given, { services, actor }) => {
      const memberId = given.positional ?? missing('member', 'Name the person by her Slack user id (U…).');
      const reason = option(given, 'reason') ?? 'reset by the operator';
      await services.secondFactors.resetBy(actor, memberId, reason);
      return { reset: memberId };
    },
  },
  'execution:list': {
    usage: '[--status STATUS] [--limit N]',
    options: { status: text, limit: text },
    run: async (given, { services }) => {
      const limit = z.coerce
        .number()
        .int()
        .min(1)
        .max(1_000)
        .safeParse(option(given, 'limit') ?? 50);
      if (!limit.success) missing('limit', '--limit is a number from 1 to 1000.');
      const status = given.options.status === undefined ? {} : { status: oneOf(given, 'status', STATUSES) };
      const found = await services.executions.all({ ...status, limit: limit.data });
      return found.map(executionView);
    },
  },
  'execution:show': {
    usage: 'ID [--payloads]',
    options: { payloads: flag },
    run: async (given, { services, actor }) => {
      const execution = await services.executions.record(
        given.positional ?? missing('id', 'Name the execution by its id.'),
      );
      const view = executionView(execution);
      if (given.options.payloads !== true) return view;
      const operator = { kind: 'operator', id: actor.id } as const;
      return { ...view, ...(await services.executions.openPayloads(operator, execution)) };
    },
  },
};

async function createCaller(given: Given, { services, actor }: Surroundings) {
  const ownerId = required(given, 'owner');
  if (!/^[A-Z0-9]{2,20}$/.test(ownerId)) missing('owner', '--owner is a Slack user id (U…).');
  const { caller, token } = await services.callers.create(actor, {
    name: required(given, 'name'),
    kind: oneOf(given, 'kind', CALLER_KINDS),
    ownerId,
    stage: oneOf(given, 'stage', CALLER_STAGES),
  });
  return { ...callerView(caller), token };
}

function callerView(caller: CallerDocument) {
  const { _id, name, kind, ownerId, stage, status } = caller;
  return { id: _id, name, kind, owner: ownerId, stage, status };
}

/** The record of a call: who, what, how it went. Arguments and results are payloads, and not in it. */
function executionView(execution: ExecutionDocument) {
  return {
    id: execution._id,
    status: execution.status,
    connection: execution.connectionKey,
    function: execution.function,
    risk: execution.risk,
    caller: execution.callerName,
    requester: execution.requesterId,
    on_behalf_of: execution.onBehalfOf,
    identity: execution.subject,
    reason: execution.reason,
    requirement: execution.requirement,
    approval: { status: execution.approvalStatus, note: execution.note },
    policy_version: execution.policyVersion,
    binding_hash: execution.bindingHash,
    error: execution.error && { code: execution.error.code, message: execution.error.message },
    truncated: execution.truncated,
    created_at: isoOf(execution.createdAt),
    decided_at: isoOf(execution.decidedAt),
    started_at: isoOf(execution.startedAt),
    finished_at: isoOf(execution.finishedAt),
    expires_at: isoOf(execution.expiresAt),
  };
}
