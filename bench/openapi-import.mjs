/**
 * Importing GitHub's OpenAPI document (13 MB, 1,200 operations) against reading it with JSON.parse and no more:
 * time, memory, and for how long the process that imports cannot answer anybody else meanwhile.
 * `npm run build && node bench/openapi-import.mjs [runs]`. Each measurement is a process of its own.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const DOCUMENT = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
const READERS = {
  'JSON.parse': async (text) => Object.keys(JSON.parse(text).paths).length,
  import: async (text) => {
    const { importOpenApi } = await import('../dist/src/connectors/rest/index.js');
    return (await importOpenApi(text)).operations.length;
  },
};

const [first = '5'] = process.argv.slice(2);
if (first in READERS) await measure(first);
else compare(Math.max(1, Number(first)));

/** Prints what one reader took, as JSON. */
async function measure(name) {
  const text = readFileSync(DOCUMENT, 'utf8');
  // The modules are loaded once in the life of a process; their time is not the document's.
  if (name === 'import') await import('../dist/src/connectors/rest/index.js');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await pause();
  const started = performance.now();
  const found = await READERS[name](text);
  const milliseconds = performance.now() - started;
  await pause();
  const megabytes = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ milliseconds, megabytes, blocked: delay.max / 1e6, found }));
}

/** So that the monitor of the event loop looks before and after. */
function pause() {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

function compare(runs) {
  const script = fileURLToPath(import.meta.url);
  const results = Object.fromEntries(Object.keys(READERS).map((name) => [name, []]));
  // In turns, so that whatever else the machine does meets both.
  for (let run = 0; run < runs; run++) {
    for (const [name, all] of Object.entries(results)) {
      all.push(JSON.parse(execFileSync(process.execPath, [script, name], { encoding: 'utf8' })));
    }
  }
  const of = (name, key) => median(results[name].map((each) => each[key]));
  for (const name of Object.keys(READERS)) {
    const figures = [
      `${Math.round(of(name, 'milliseconds'))} ms`,
      `peak ${Math.round(of(name, 'megabytes'))} MB`,
      `blocked ${Math.round(of(name, 'blocked'))} ms`,
    ];
    console.log(`${name.padEnd(12)}${figures.map((text) => text.padStart(16)).join('')}`);
  }
  const ratio = (key) => (of('import', key) / of('JSON.parse', key)).toFixed(2);
  console.log(
    `import ÷ JSON.parse: time ${ratio('milliseconds')}, memory ${ratio('megabytes')}, blocked ${ratio('blocked')} (median of ${runs}; ${of('import', 'found')} operations)`,
  );
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
