/** MongoDB's error code for a unique index that would be violated. */
export const DUPLICATE_KEY = 11000;

/** Somebody else inserted it first. */
export function isDuplicateKey(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === DUPLICATE_KEY;
}

/**
 * An upsert that means "there is one from now on". Of several at the same moment MongoDB may let all but one fail with
 * a duplicate key (it tries again by itself only where the filter is the unique index and nothing else, and ours name
 * the workspace too): the document is there by then, and the same write finds it.
 * https://www.mongodb.com/docs/manual/reference/method/db.collection.updateOne/#upsert-with-duplicate-values
 */
export async function upserting<T>(write: () => PromiseLike<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return await write();
  }
}
