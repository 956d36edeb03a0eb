/** Files of the project, the same from the sources and from `dist/`: below the folder that has the package. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

const folder = projectFolder();

export function projectFile(...path: readonly string[]): string {
  return join(folder, ...path);
}
