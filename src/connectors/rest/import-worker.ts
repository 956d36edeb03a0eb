/** Entry of the worker thread that reads one OpenAPI document: seconds of CPU that must not stop the process. */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { importOperations } from './import-operations.js';
import type { ImportResult } from './operation.js';
import { checkDocument, DocumentProblem, parseText } from './parse-document.js';

export type WorkerAnswer = { ok: true; result: ImportResult } | { ok: false; problem: string };

async function answer(text: string): Promise<WorkerAnswer> {
  try {
    const document = parseText(text);
    const warnings = await checkDocument(document);
    const documentHash = createHash('sha256').update(text).digest('hex');
    return { ok: true, result: { ...importOperations(document), documentHash, warnings } };
  } catch (error) {
    if (error instanceof DocumentProblem) return { ok: false, problem: error.message };
    if (error instanceof RangeError)
      return { ok: false, problem: 'The document is nested too deeply to be read.' };
    throw error;
  }
}

parentPort?.postMessage(await answer(String(workerData)));
