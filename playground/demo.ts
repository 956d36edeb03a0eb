/**
 * `npm run demo`: the main job in the terminal, in seven steps. The product runs as a process of its own, as in a real
 * workspace; what is printed is what Slack, the browser pages and the caller's HTTP answers show.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';
import { startGoogle } from './google.js';
import { startHelpdesk } from './helpdesk.js';
import { listenSlackServer } from './slack/server.js';
import { STEPS, type Stage, type Step } from './walkthrough.js';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));

/** Resolves once the product says that it is ready. */
async function started(child: ChildProcess): Promise<void> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('ready at')) resolve();
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('exit', () => reject(new Error(`the product ended at start:\n${output}`)));
  });
}

async function main(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'siesta-demo-'));
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const slack = await listenSlackServer({ delivery: { mode: 'socket' } });
  const helpdesk = await startHelpdesk({ port: 0, apiKey: 'demo-helpdesk-key' });
  const google = await startGoogle({ port: 0, publicUrl });
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      ...(process.env.MONGOD_BINARY ? { MONGOD_BINARY: process.env.MONGOD_BINARY } : {}),
      DATA_DIR: dataDir,
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: publicUrl,
      ENCRYPTION_KEYS: `demo:${randomBytes(32).toString('base64')}`,
      SLACK_BOT_TOKEN: slack.tokens.bot,
      SLACK_APP_TOKEN: slack.tokens.app,
      SLACK_API_URL: slack.apiUrl,
      ADMIN_USER_IDS: 'U0ADA',
      AUDITOR_USER_IDS: 'U0DANA',
      OUTBOUND_ALLOW_PRIVATE: [helpdesk, google].map((service) => new URL(service.origin).host).join(','),
      CONNECTOR_ENDPOINTS: JSON.stringify({
        google: google.origin,
      }),
      LOG_LEVEL: 'warn',
    },
  });
  const stage: Stage = { slack, helpdesk, google, origin: publicUrl, say: print, notes: new Map() };
  let done = 0;
  try {
    await started(child);
    for (const step of STEPS) {
      heading(done + 1, step);
      await step.play(stage);
      done += 1;
    }
  } catch (error) {
    console.error(`\n  Step ${done + 1} failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    child.removeAllListeners('exit');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    await Promise.all([slack.close(), helpdesk.close(), google.close()]);
    await rm(dataDir, { recursive: true, force: true });
  }
  console.log(`\n${done} of ${STEPS.length}`);
}

const bold = (text: string): string => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text);
const dim = (text: string): string => (process.stdout.isTTY ? `\u001b[2m${text}\u001b[0m` : text);

function heading(number: number, step: Step): void {
  console.log(`\n${bold(`${number}. ${step.title}`)}`);
}

/** Who, what, and what was shown, indented. */
function print(who: string, what: string, shown?: string): void {
  console.log(`\n  ${bold(who)} ${what}`);
  for (const line of (shown ?? '').split('\n').slice(0, 40))
    if (line.trim() !== '') console.log(dim(`    │ ${line}`));
}

await main();
