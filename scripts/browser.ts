/** The browser that is installed, for scripts that take pictures. Nothing is downloaded. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

export interface BrowserEnvironment {
  /** Names the program, where it is in none of the usual places. */
  readonly CHROMIUM?: string | undefined;
  readonly PATH?: string | undefined;
}

/** Null when there is none. Error: `CHROMIUM` names a file that does not exist. */
export function findBrowser(env: BrowserEnvironment): string | null {
  if (env.CHROMIUM) {
    if (!existsSync(env.CHROMIUM)) throw new Error(`CHROMIUM names ${env.CHROMIUM}, which does not exist.`);
    return env.CHROMIUM;
  }
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const paths = [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), MAC];
  return paths.find((path) => existsSync(path)) ?? null;
}

/** Chromium's sandbox refuses to start as root, which is who a container runs as. */
export function launchBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}
