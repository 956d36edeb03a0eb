import { type Logger as PinoLogger, pino } from 'pino';
import { redactText } from './redact.js';

/** What the rest of the code may do with a log. Structured first, sentence second. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface LogOptions {
  readonly level: string;
  readonly format: 'json' | 'pretty';
}

/**
 * The process's log, on standard output. Every line goes through `redactText` before it leaves, so that a secret
 * that slipped into a field or an error message of a library does not reach the log.
 */
export function createLog(options: LogOptions): PinoLogger {
  const write = (line: string): void => {
    process.stdout.write(redactText(options.format === 'pretty' ? prettyLine(line) : line));
  };
  return pino({ level: options.level, base: null }, { write });
}

const LEVELS: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

function prettyLine(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(Number(time)).toISOString().slice(11, 19);
  const rest = Object.entries(fields).map(([key, value]) => {
    const error = value as { message?: string } | null;
    const shown = key === 'err' && error?.message ? error.message : value;
    return `${key}=${typeof shown === 'string' ? shown : JSON.stringify(shown)}`;
  });
  const name = LEVELS[Number(level)] ?? String(level);
  return `${clock} ${name.padEnd(5)} ${String(msg)}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`;
}
