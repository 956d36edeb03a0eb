/**
 * How long the product takes to be there, and what it weighs: importing the services alone, then with every connector
 * of the catalogue loaded, which a workspace that uses them all comes to. Run after `npm run build`.
 *
 *   node bench/cold-start.mjs
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist/src', import.meta.url));
const ROUNDS = 7;

const parts = {
  'node alone': '',
  'the app, no connector': `await import('${dist}/app.js');`,
  'the app and one connector (Gmail)': `await import('${dist}/app.js'); const { loadConnector } = await import('${dist}/connectors/catalogue.js'); (await loadConnector('gmail')).functions({});`,
  'the app and all connectors': `await import('${dist}/app.js'); const { catalogue } = await import('${dist}/connectors/catalogue.js'); await Promise.all(catalogue.map(({ load }) => load()));`,
};

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

let baseline;
console.log('what                                 time      ratio   memory (RSS)');
for (const [name, code] of Object.entries(parts)) {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const started = performance.now();
    const program = `${code}\nprocess.stdout.write(String(process.memoryUsage.rss())); process.exit(0);`;
    const done = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(done.stderr);
    return { ms: performance.now() - started, rss: Number(done.stdout) };
  });
  const ms = median(rounds.map((round) => round.ms));
  baseline ??= ms;
  const mb = median(rounds.map((round) => round.rss)) / 1024 / 1024;
  console.log(
    `${name.padEnd(36)} ${`${ms.toFixed(0)} ms`.padStart(7)} ${`${(ms / baseline).toFixed(1)} ×`.padStart(9)} ${`${mb.toFixed(0)} MB`.padStart(9)}`,
  );
}
