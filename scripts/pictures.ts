/** `npm run pictures`: the README's pictures, taken of the running product while a newcomer takes the first steps. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { findBrowser, launchBrowser } from './browser.js';
import { startProduct } from './product.js';
import { projectFolder } from './project-folder.js';
import { Tour } from './tour.js';

const MOST_BYTES = 300_000;
const folder = join(projectFolder(), 'docs', 'pictures');

function write(name: string, picture: Uint8Array): void {
  const path = join(folder, `${name}.png`);
  writeFileSync(path, picture);
  const { size } = statSync(path);
  if (size > MOST_BYTES)
    throw new Error(`${name}.png is ${size} bytes; a README wants less than ${MOST_BYTES}`);
  console.log(`docs/pictures/${name}.png  ${Math.round(size / 1_000)} kB`);
}

/** The same moment in both themes. */
async function inBothThemes(page: Page, name: string, shoot: () => Promise<Uint8Array>): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    write(`${name}-${theme}`, await shoot());
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Without what floats around it: the card fills the picture. */
async function cardPicture(page: Page, card: Locator): Promise<Uint8Array> {
  await card.scrollIntoViewIfNeeded();
  const box = await card.boundingBox();
  if (!box) throw new Error('the card is not on the page');
  return page.screenshot({ clip: { ...box, width: Math.min(box.width, 724) } });
}

async function takePictures(page: Page, tour: Tour): Promise<void> {
  await tour.addHelpdesk();
  await tour.registerCaller();
  await tour.ask('list_tickets');
  await tour.ask('create_ticket');

  await tour.go('U0BEN', 'C0APPROVALS');
  const card = await tour.card();
  await page.mouse.move(0, 0);
  await page.locator('#agent > summary').evaluate((summary) => summary.scrollIntoView());
  await inBothThemes(page, 'playground', () => page.screenshot({ scale: 'css' }));
  await page.setViewportSize({ width: 1_040, height: 1_000 });
  await inBothThemes(page, 'card', () => cardPicture(page, card));

  await card.getByRole('button', { name: 'Details' }).click();
  const details = await tour.modal('board meeting');
  write('details', await details.screenshot());
  await tour.closeModal();

  await page.setViewportSize({ width: 1_040, height: 780 });
  await tour.go('U0ADA', 'home');
  await page.locator('.home-blocks').filter({ hasText: 'List tickets' }).waitFor();
  write('home', await page.locator('.pane').screenshot());
}

async function main(): Promise<void> {
  const executable = findBrowser(process.env);
  if (executable === null)
    throw new Error('No browser was found: install Chromium, or name one in CHROMIUM.');
  mkdirSync(folder, { recursive: true });
  const product = await startProduct(process.env);
  const browser = await launchBrowser(executable);
  try {
    const context = await browser.newContext({
      viewport: { width: 1_440, height: 900 },
      deviceScaleFactor: 2,
      // A transition between the themes would be in the picture.
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    await takePictures(page, new Tour(page, context, product.origin));
  } finally {
    await browser.close();
    await product.stop();
  }
}

await main();
