/** A browser for one test file: it remembers every complaint of every page, and can show what it sees. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { findBrowser, launchBrowser } from '../../scripts/browser.js';
import { projectFolder } from '../../scripts/project-folder.js';

const PATIENCE_MS = 10_000;
const PICTURES = join(projectFolder(), 'test-output');

export class WatchedBrowser {
  /** Console errors and warnings (a violated content security policy is one) and uncaught errors, with their place. */
  readonly complaints: string[] = [];

  private constructor(
    private readonly browser: Browser,
    readonly context: BrowserContext,
  ) {
    context.on('console', (message) => {
      const type = message.type();
      if (type !== 'error' && type !== 'warning') return;
      this.complaints.push(`${type} at ${message.location().url}: ${message.text()}`);
    });
    context.on('weberror', (error) => {
      this.complaints.push(`uncaught at ${error.page()?.url()}: ${error.error().message}`);
    });
  }

  /** Error: no browser is installed; these tests download none. */
  static async launch(): Promise<WatchedBrowser> {
    const executable = findBrowser(process.env);
    if (executable === null) throw new Error('No browser: install Chromium, or name one in CHROMIUM.');
    const browser = await launchBrowser(executable);
    const context = await browser.newContext({
      viewport: { width: 1_440, height: 900 },
      colorScheme: 'light',
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(PATIENCE_MS);
    return new WatchedBrowser(browser, context);
  }

  /** Saves a picture of every open page to `test-output/`. */
  async picture(name: string): Promise<void> {
    await mkdir(PICTURES, { recursive: true });
    const slug = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    await Promise.all(
      this.context
        .pages()
        .map((page, index) => page.screenshot({ path: join(PICTURES, `${slug}-${index + 1}.png`) })),
    );
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}
