/** Function and argument names for what a document calls by names of its own. Pure and deterministic. */
import { createHash } from 'node:crypto';

/** shared/CONTRACT.md: key 20 + `__` + 42 ≤ 64. */
const LONGEST_NAME = 42;

/** `listTickets`, `GET /tickets/{id}` → `list_tickets`, `get_tickets_id`. Always a valid function name, at most 42 long. */
export function functionName(text: string): string {
  const snake = text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
  const named = /^[a-z]/.test(snake) ? snake : `op_${snake}`;
  return named.slice(0, LONGEST_NAME).replace(/_+$/, '');
}

/**
 * Gives every operation a name of its own. Names that would meet get a suffix from method and path, so that the
 * order of the document does not matter and a later import of the same document gives the same names.
 */
export function distinctNames(
  operations: readonly { readonly wanted: string; readonly identity: string }[],
  taken: ReadonlySet<string>,
): string[] {
  const count = new Map<string, number>();
  for (const { wanted } of operations) count.set(wanted, (count.get(wanted) ?? 0) + 1);
  const used = new Set(taken);
  for (const [name, times] of count) if (times === 1) used.add(name);
  return operations.map(({ wanted, identity }) => {
    if (count.get(wanted) === 1 && !taken.has(wanted)) return wanted;
    const hash = createHash('sha256').update(identity).digest('hex');
    for (let length = 4; ; length += 4) {
      const suffix = `_${hash.slice(0, length)}`;
      const name = wanted.slice(0, LONGEST_NAME - suffix.length) + suffix;
      if (used.has(name)) continue;
      used.add(name);
      return name;
    }
  });
}

/** Model providers accept `[a-zA-Z0-9_.-]{1,64}` as a property name; `filter[name]` becomes `filter_name`. */
export function argumentName(name: string): string {
  const cleaned = name
    .replace(/[^A-Za-z0-9_.-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 64);
  return cleaned === '' || cleaned === '__proto__' ? 'value' : cleaned;
}
