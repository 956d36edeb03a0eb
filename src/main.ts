/** Reads the configuration, starts, and stops on signals; nothing else. */
import { startApp } from './app.js';
import { ConfigError, parseConfig } from './config.js';
import { UnsuitableDatabaseError } from './database/probe.js';
import { createLog } from './log.js';

const startedAt = performance.now();

async function main(): Promise<void> {
  let config = parseConfig(process.env, process.stdout.isTTY === true);
  const log = createLog(config.log);
  // Nothing that a Slack socket throws at us may end the process (shared/SLACK.md §5); anything else that nobody
  // caught is a bug, and a fresh process is safer than one in an unknown state.
  process.on('unhandledRejection', (reason) => {
    log.error({ err: reason }, 'unhandled rejection');
    if (!(reason instanceof Error && /socket-mode|SlackWebSocket|undici/.test(reason.stack ?? '')))
      process.exit(1);
  });

  const starting = new AbortController();
  process.once('SIGTERM', () => starting.abort());
  process.once('SIGINT', () => starting.abort());

  const playground = config.slack
    ? null
    : await import('../playground/index.js').then((module) => module.startPlayground(config));
  if (playground) config = { ...config, ...playground.config };
  const slack = config.slack ?? playground?.slack;
  if (!slack) throw new ConfigError('Slack is not configured.');
  const app = await startApp({
    config,
    slack,
    log,
    signal: starting.signal,
    ...(playground ? { playground } : {}),
  });

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({}, 'stopping');
    await app.stop();
    await playground?.close();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
  if (starting.signal.aborted) await stop();

  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const what = playground ? 'Playground' : 'Siesta Connections';
  console.log(`${what} ready at ${config.publicUrl} in ${seconds} s`);
}

main().catch((error: unknown) => {
  const known = error instanceof ConfigError || error instanceof UnsuitableDatabaseError;
  console.error(known ? (error as Error).message : error);
  process.exit(1);
});
