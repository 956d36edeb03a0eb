/**
 * `npm run gallery`: writes every message, modal and Home view that the product can draw to `docs/gallery/`, as the
 * exact payload and, where a browser is installed, as the playground's page shows it.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ViewFixture } from '../test/fixtures/views/fixture.js';
import { VIEWS } from '../test/fixtures/views/index.js';
import { findBrowser, launchBrowser } from './browser.js';
import { projectFolder } from './project-folder.js';
import { Stage } from './stage.js';

/** Everything that means by colour is looked at in the dark as well. */
const ALSO_DARK = new Set([
  'approval-card/pending',
  'approval-card/pending-destructive',
  'approval-card/pending-hostile',
  'approval-card/done',
  'approval-card/details',
  'authorization/connect',
  'executions/detail',
  'home/full',
  'connections/detail/ready',
]);
/** There to be held to Slack's limits; nobody looks at fifty rows of the same. */
const isForLimits = (name: string): boolean => name.endsWith('crowded');
const folder = join(projectFolder(), 'docs', 'gallery');

interface Entry {
  /** `approval-card/pending`. */
  readonly name: string;
  readonly fixture: ViewFixture;
}

const entries: readonly Entry[] = Object.entries(VIEWS).flatMap(([group, fixtures]) =>
  Object.entries(fixtures).map(([name, fixture]) => ({ name: `${group}/${name}`, fixture })),
);

function write(name: string, content: string | Uint8Array): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** What belongs to no fixture any more. */
function removeStale(): void {
  const known = new Set(entries.map(({ name }) => name));
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const name = file.replaceAll('\\', '/').replace(/(?:\.end)?(?:\.dark)?\.(?:png|json)$/, '');
    const unwanted = !known.has(name) || (file.endsWith('.png') && isForLimits(name));
    if (/\.(?:png|json)$/.test(file) && unwanted) rmSync(join(folder, file));
  }
}

async function takePictures(executable: string): Promise<number> {
  const browser = await launchBrowser(executable);
  let count = 0;
  try {
    for (const theme of ['light', 'dark'] as const) {
      const page = await browser.newPage();
      const { stage, close } = await Stage.open(page);
      await stage.turn(theme);
      for (const { name, fixture } of entries) {
        if (isForLimits(name) || (theme === 'dark' && !ALSO_DARK.has(name))) continue;
        const pictures = await stage.shoot(fixture);
        for (const [at, picture] of pictures.entries()) {
          write(`${name}${at === 0 ? '' : '.end'}${theme === 'dark' ? '.dark' : ''}.png`, picture);
          count += 1;
        }
      }
      await page.close();
      await close();
    }
  } finally {
    await browser.close();
  }
  return count;
}

/** An index with the pictures that are there. */
function index(): string {
  const files = new Set(
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/')),
  );
  const groups = Object.entries(VIEWS).map(([group, fixtures]) => {
    const views = Object.entries(fixtures).map(([name, { kind }]) => {
      const stem = `${group}/${name}`;
      const pictures = ['', '.end', '.dark', '.end.dark']
        .filter((suffix) => files.has(`${stem}${suffix}.png`))
        .map((suffix) => `<img alt="${name}${suffix.replaceAll('.', ', ')}" src="${stem}${suffix}.png">`);
      return `### ${name}\n\n${kind} · [payload](${stem}.json)\n\n${pictures.join('\n')}`;
    });
    return `## ${group}\n\n${views.join('\n\n')}`;
  });
  return `# Gallery\n\nEverything that the product draws in Slack, made by \`npm run gallery\` from \`test/fixtures/views/\`. The pictures show the playground's page; Slack's own differ in type and colour.\n\n${groups.join('\n\n')}\n`;
}

async function main(): Promise<void> {
  for (const { name, fixture } of entries)
    write(`${name}.json`, `${JSON.stringify(fixture.payload, null, 2)}\n`);
  removeStale();
  const executable = findBrowser(process.env);
  const pictures = executable ? await takePictures(executable) : 0;
  write('README.md', index());
  const about = executable
    ? `${pictures} pictures`
    : 'no pictures: no browser was found (CHROMIUM names one)';
  console.log(`docs/gallery: ${entries.length} payloads, ${about}`);
}

await main();
