/**
 * `npm run cards`: pictures of approval cards for `docs/cards.md`, each drawn from what a connector makes of a call's
 * arguments. With names, only those are taken anew: `npm run cards -- mail event`.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadReportPicture } from '../blocks/load-report-picture.js';
import { renderPng } from '../src/slack/picture.js';
import { CARDS, fixtures } from '../test/fixtures/views/cards.js';
import { week } from '../test/fixtures/views/load-report.js';
import { findBrowser, launchBrowser } from './browser.js';
import { projectFolder } from './project-folder.js';
import { Stage } from './stage.js';

const docs = join(projectFolder(), 'docs');
const picture = (name: string): string => join('cards', `${name}.png`);

async function takePictures(executable: string, names: readonly string[]): Promise<void> {
  const browser = await launchBrowser(executable);
  try {
    const page = await browser.newPage({ deviceScaleFactor: 2 });
    const { stage, close } = await Stage.open(page);
    await stage.turn('light');
    for (const name of names) {
      const fixture = fixtures[name];
      if (!fixture) throw new Error(`There is no card “${name}”: ${Object.keys(fixtures).join(', ')}`);
      const [shot] = await stage.shoot(fixture);
      if (!shot) throw new Error(`${name} was not drawn`);
      writeFileSync(join(docs, picture(name)), shot);
      console.log(`docs/${picture(name)}  ${Math.round(shot.length / 1_000)} kB`);
    }
    await close();
  } finally {
    await browser.close();
  }
}

const INTRODUCTION = `# Approval cards

What an approver sees, made by \`npm run cards\` from \`test/fixtures/views/cards.ts\`: the layout of each card is the
connector's own. The pictures show the playground's page; Slack's own differ in type and colour.

Every value stands as it is and nothing in it is parsed; what cannot be seen is written out (\`⟦U+202E⟧\`). A line that
begins with \`↳\` is a remark of the product about the value above it: where a link in it leads that reads otherwise, that
it is outside the company's domains, that no write through this connection that somebody approved and that got through
ever had it (the newest 200 are compared; of amounts, only one larger than all before is remarked), or in which read of
the same caller, within the hour before, it stood (the newest 40 are looked at, and the card says where there were more).
Remarks are plain matching, allow nothing and refuse nothing; where they could not be made in time the card says so.
`;

const LOAD_REPORT = `## The load report

Its picture (\`/connections report\`, and weekly to admins who want it) comes behind the same in words.

![Approval requests of seven days, and the functions that were asked about most](cards/load-report.png)
`;

function page(): string {
  const sections = Object.entries(CARDS).map(([name, { title }]) => {
    const shown = existsSync(join(docs, picture(name))) ? `![${title}](${picture(name)})` : '';
    return `## ${title}\n\n${shown}`.trimEnd();
  });
  return `${INTRODUCTION}\n${sections.join('\n\n')}\n\n${LOAD_REPORT}`;
}

async function main(): Promise<void> {
  mkdirSync(join(docs, 'cards'), { recursive: true });
  const given = process.argv.slice(2);
  const executable = findBrowser(process.env);
  if (executable) await takePictures(executable, given.length > 0 ? given : Object.keys(CARDS));
  else console.log('No pictures: no browser was found (CHROMIUM names one).');
  // As Slack gets it; it needs no browser.
  writeFileSync(join(docs, picture('load-report')), await renderPng(loadReportPicture(week)));
  writeFileSync(join(docs, 'cards.md'), page());
  console.log('docs/cards.md');
}

await main();
