/**
 * The operator's command line: `npm run admin -- COMMAND --json …` (shared/CONTRACT.md). JSON on standard output;
 * an error as `{error: {code, message, path}}` on standard error, with exit code 1, or 2 when the command line itself
 * is wrong.
 */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { COMMANDS, type Command, type CommandOptions, type Given } from './admin/commands.js';
import { connect } from './admin/connect.js';
import { ConfigError, parseConfig } from './config.js';
import { AppError } from './errors.js';
import type { Logger } from './log.js';
import { redactText } from './redact.js';
import { parseStrictJson, StrictJsonError } from './strict-json.js';

/** Larger than any connection with its imported operations; an OpenAPI document comes by its address instead. */
const INPUT_LIMIT = 32 * 1024 * 1024;
/** A connection's file holds the JSON Schemas of its operations. */
const FILE_DEPTH = 64;

const COMMON: CommandOptions = {
  json: { type: 'boolean' },
  workspace: { type: 'string' },
  verbose: { type: 'boolean' },
};

/** A database that freezes under a command must not freeze the terminal. */
const LIMIT_MS = 120_000;

class UsageError extends Error {}

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { usage }]) => `  ${name} ${usage}`.trimEnd());
  return `npm run admin -- COMMAND --json [--workspace T…] [--verbose]\n${lines.join('\n')}`;
}

function parseCommandLine(argv: readonly string[]): { command: Command; given: Given; rest: Rest } {
  const [name = '', ...args] = argv;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command)
    throw new UsageError(`${name === '' ? 'There is no command' : 'That is no command'}.\n${usage()}`);
  const parsed = parse(name, command, args);
  const [positional = null, ...more] = parsed.positionals;
  if (more.length > 0) throw new UsageError(`Too many words. Usage: ${name} ${command.usage}`);
  const options = parsed.values as Given['options'];
  const file = (): Promise<unknown> => readJsonFile(options.file);
  return { command, given: { positional, options, file, input: readInput }, rest: restOf(options) };
}

interface Rest {
  readonly workspace: string | null;
  readonly verbose: boolean;
}

function restOf({ workspace, verbose }: Given['options']): Rest {
  return { workspace: typeof workspace === 'string' ? workspace : null, verbose: verbose === true };
}

function parse(name: string, command: Command, args: string[]) {
  try {
    return parseArgs({
      args,
      options: { ...COMMON, ...command.options },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} Usage: ${name} ${command.usage}`);
  }
}

async function readJsonFile(path: string | boolean | undefined): Promise<unknown> {
  if (typeof path !== 'string')
    throw new AppError('invalid_arguments', '--file is missing.', { path: '/file' });
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new AppError('invalid_arguments', `${path} cannot be read (${error.code}).`, { path: '/file' });
  });
  return parseStrictJson(content, { maxDepth: FILE_DEPTH });
}

async function readInput(): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > INPUT_LIMIT) throw new AppError('invalid_arguments', 'Standard input is too large.');
  }
  return parseStrictJson(Buffer.concat(chunks), { maxDepth: FILE_DEPTH });
}

function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under an id that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Standard output is the answer's, standard error the error's: a log is written only when asked for. */
function logTo(verbose: boolean): Logger {
  const write = (fields: object, message: string): void => {
    const line = JSON.stringify({ message, ...fields }, (_key, value) =>
      value instanceof Error ? value.message : value,
    );
    if (verbose) process.stderr.write(`${redactText(line)}\n`);
  };
  return { debug: () => {}, info: write, warn: write, error: write };
}

function errorOf(error: unknown): { code: string; message: string; path?: string } {
  if (error instanceof AppError) {
    return { code: error.code, message: error.message, ...(error.path ? { path: error.path } : {}) };
  }
  if (error instanceof StrictJsonError) {
    return {
      code: 'invalid_arguments',
      message: `Not the JSON that is needed: ${error.message}`,
      path: error.path,
    };
  }
  const code =
    error instanceof UsageError || error instanceof ConfigError ? 'invalid_arguments' : 'unavailable';
  return { code, message: error instanceof Error ? error.message : String(error) };
}

async function run(argv: readonly string[]): Promise<void> {
  if (argv[0] === '--help' || argv[0] === 'help') {
    process.stdout.write(`${usage()}\n`);
    return;
  }
  const { command, given, rest } = parseCommandLine(argv);
  setTimeout(() => {
    fail(new AppError('unavailable', 'The command took longer than two minutes and was given up.'));
    process.exit();
  }, LIMIT_MS).unref();
  const config = parseConfig(process.env, false);
  const connected = await connect(config, rest.workspace, logTo(rest.verbose));
  try {
    const { services, deps } = connected;
    const answer = await command.run(given, {
      services,
      deps,
      actor: { kind: 'operator', id: operatorName() },
    });
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  } finally {
    await connected.close();
  }
}

function fail(error: unknown): void {
  const { code, message, path } = errorOf(error);
  process.stderr.write(`${JSON.stringify({ error: { code, message: redactText(message), path } })}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

run(process.argv.slice(2)).catch(fail);
