/** One process starts at a time: each start keeps a core busy, and what tests that run side by side measure is not it. */
let last: Promise<unknown> = Promise.resolve();

/** Runs it when those asked for before have ended; resolves and rejects as it does. */
export function inTurn<T>(start: () => Promise<T>): Promise<T> {
  const started = last.then(start);
  last = started.catch(() => undefined);
  return started;
}
