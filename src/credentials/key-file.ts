import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newKeyText } from './key-ring.js';

/**
 * The playground's key ring: made under the data folder on first start, readable by this user only. A real workspace
 * names its keys in `ENCRYPTION_KEYS` instead.
 */
export async function loadOrCreateKeyText(dataDir: string): Promise<string> {
  const file = join(dataDir, 'encryption-keys');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  try {
    // `wx`: of two first starts at once, one writes and both read the same.
    await writeFile(file, `${newKeyText()}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(file, 'utf8')).trim();
}
