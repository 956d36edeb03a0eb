/** A caller's request for an execution, asked for again under its key where it is told to try again. */
import { type Answer, call } from './app-process.js';

const TRIES = 20;
const PAUSE_MS = 300;

/** A busy machine makes "The database does not answer in time" likely: nothing was executed, and whoever asks knows. */
export async function submit(origin: string, token: string, request: object, key: string): Promise<Answer> {
  for (let left = TRIES; ; left -= 1) {
    const answer = await call(origin, token, '/v1/executions', request, { 'idempotency-key': key });
    if (answer.status !== 503 || left === 0) return answer;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
