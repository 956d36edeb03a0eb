/** Reads an OpenAPI document in a worker thread, with a memory and a time cap. The text comes in; nothing is fetched. */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { AppError } from '../../errors.js';
import type { WorkerAnswer } from './import-worker.js';
import { type ImportResult, LARGEST_DOCUMENT } from './operation.js';

/** GitHub's 13 MB and 1,223 operations take 2–3 s and 170 MB. */
const LONGEST_MS = 20_000;
const MEMORY_MB = 768;

/**
 * @param text the document itself, JSON or YAML, OpenAPI 3.0 or 3.1, at most 20 MB
 * @throws AppError `invalid_arguments` with what is wrong, where, and what to do
 */
export function importOpenApi(
  text: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ImportResult> {
  if (Buffer.byteLength(text) > LARGEST_DOCUMENT) {
    return Promise.reject(
      refusal('The document is larger than 20 MB. Import one that describes only the operations you need.'),
    );
  }
  if (options.signal?.aborted) return Promise.reject(refusal('The import was stopped.'));
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerFile(), {
      workerData: text,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      // Nothing the document could make use of.
      env: {},
      execArgv: [],
      stdin: false,
    });
    const stop = (): void => settle(() => reject(refusal('The import was stopped.')));
    const timer = setTimeout(
      () =>
        settle(() =>
          reject(refusal('The document takes longer than 20 seconds to read. Import a smaller one.')),
        ),
      LONGEST_MS,
    );
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
      void worker.terminate();
      act();
    };
    options.signal?.addEventListener('abort', stop, { once: true });
    worker.once('message', (answer: WorkerAnswer) =>
      settle(() => (answer.ok ? resolve(answer.result) : reject(refusal(answer.problem)))),
    );
    worker.once('error', (error: NodeJS.ErrnoException) =>
      settle(() =>
        reject(
          error.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? refusal('The document takes too much memory to read. Import a smaller one.')
            : error,
        ),
      ),
    );
  });
}

function refusal(message: string): AppError {
  return new AppError('invalid_arguments', message, { path: '/openapi' });
}

/** Under vitest this file is TypeScript, which a worker thread cannot load: the built one stands in `dist`. */
function workerFile(): URL {
  const beside = new URL('./import-worker.js', import.meta.url);
  return existsSync(beside)
    ? beside
    : new URL('../../../dist/src/connectors/rest/import-worker.js', import.meta.url);
}
