/**
 * `npm test`, and with its own configuration `npm run test:browser`: every test, and a file that did not pass once more,
 * alone.
 *
 * Hundreds of files share a machine with the servers and processes that they start. Where one does not pass because the
 * machine was busy, or because its worker died (vitest 4 then gives the file no result and does not say what it died of;
 * vitest 5 does, and needs Node 22), it passes the second time, and is named at the end: a test to mend. A test that
 * fails fails twice. `npx vitest run` is `npm test` without the second time.
 */
import path from 'node:path';
import { createVitest, type TestRunResult, type TestSpecification } from 'vitest/node';

/** If more did not pass, it was no accident. */
const AGAIN_LIMIT = 5;
/** What a random seed found is found, even if the next one does not find it. */
const NEVER_AGAIN = /\binterleavings\.test\.ts$/;

// As its command line does.
process.env.NODE_ENV ??= 'test';
const vitest = await createVitest('test', { watch: false, config: process.argv[2] });
const result = await vitest.start();

const missed = (await vitest.globTestSpecifications()).filter((file) => !hasPassed(file, result));
const isWorthwhile =
  missed.length <= AGAIN_LIMIT && !missed.some(({ moduleId }) => NEVER_AGAIN.test(moduleId));
let failed = otherErrors(result) || !isWorthwhile;
const unstable: string[] = [];
if (!failed) {
  for (const file of missed) {
    const again = await vitest.runTestSpecifications([file]);
    if (hasPassed(file, again) && again.unhandledErrors.length === 0)
      unstable.push(path.relative('.', file.moduleId));
    else failed = true;
  }
}
await vitest.close();

if (unstable.length > 0) console.warn(`Passed only the second time, alone: ${unstable.join(', ')}\n`);
process.exit(failed ? 1 : 0);

function hasPassed(file: TestSpecification, { testModules }: TestRunResult): boolean {
  const module = testModules.find(
    ({ moduleId, project }) => moduleId === file.moduleId && project.name === file.project.name,
  );
  // Skipped: every test of it is, on this machine. A file whose worker died is still queued or pending.
  return module?.state() === 'passed' || module?.state() === 'skipped';
}

/** Errors that belong to no file: they cannot be run again. */
function otherErrors({ unhandledErrors }: TestRunResult): boolean {
  return unhandledErrors.some(
    (error) => !String((error as Error).message).startsWith('[vitest-pool]: Worker'),
  );
}
