/** `npm run manifest [-- --http https://…]`: prints the manifest to paste into Slack's “From a manifest”. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AppManifest, httpManifest } from '../src/slack/manifest.js';
import { projectFolder } from './project-folder.js';

try {
  const { values } = parseArgs({ options: { http: { type: 'string' } } });
  const manifest: AppManifest = JSON.parse(readFileSync(join(projectFolder(), 'manifest.json'), 'utf8'));
  console.log(
    JSON.stringify(values.http === undefined ? manifest : httpManifest(manifest, values.http), null, 2),
  );
} catch (error) {
  console.error(
    `${(error as Error).message}\n\nnpm run manifest [-- --http https://connections.example.com]`,
  );
  process.exitCode = 1;
}
