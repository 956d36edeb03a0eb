/** MongoDB's error code for a unique index that would be violated. */
export const DUPLICATE_KEY = 11000;

/** Somebody else inserted it first. */
export function isDuplicateKey(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === DUPLICATE_KEY;
}
