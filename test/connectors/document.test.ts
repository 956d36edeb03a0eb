import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectorsDocument } from '../../scripts/connectors.js';
import { projectFolder } from '../../scripts/project-folder.js';

it('docs/connectors.md says what the catalogue and the contract tests say: run `npm run connectors`', async () => {
  const written = readFileSync(join(projectFolder(), 'docs', 'connectors.md'), 'utf8');
  expect(written).toBe(await connectorsDocument());
});
