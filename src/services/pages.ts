import type { QueryFilter } from 'mongoose';

/** So many are looked at together. */
export const PAGE = 500;

/**
 * All that a sorted query finds, however many, a page at a time; each page is a query of its own.
 * @param read at most `PAGE` of those that fit `rest` besides, in their order
 * @param after what comes behind the last of a page in that order
 */
export async function* pages<T>(
  read: (rest: QueryFilter<T>) => PromiseLike<readonly T[]>,
  after: (last: T) => QueryFilter<T>,
): AsyncGenerator<readonly T[], void> {
  let rest: QueryFilter<T> = {};
  for (;;) {
    const page = await read(rest);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    rest = after(last);
  }
}
