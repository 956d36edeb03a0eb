/** JSON Schema, of zod or imported, as far as a form has to understand it. Pure. */

export type Node = Readonly<Record<string, unknown>>;

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Resolved {
  readonly node: Node;
  readonly nullable: boolean;
}

/** The definition that a local `$ref` names. */
function referred(root: Node, pointer: string): Node {
  const parts = pointer.split('/').slice(1);
  let at: unknown = root;
  for (const part of parts) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    at = isNode(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return isNode(at) ? at : {};
}

/** A schema without references and without the ways to say "or null". */
export function resolve(given: unknown, root: Node, depth = 0): Resolved {
  if (!isNode(given) || depth > 8) return { node: {}, nullable: true };
  const next = (inner: unknown, rest: Node): Resolved => {
    const found = resolve(inner, root, depth + 1);
    return { ...found, node: { ...found.node, ...rest } };
  };
  const { $ref, allOf, anyOf, oneOf, ...rest } = given;
  if (typeof $ref === 'string' && $ref.startsWith('#/')) return next(referred(root, $ref), rest);
  if (Array.isArray(allOf) && allOf.length === 1) return next(allOf[0], rest);
  const union: unknown = anyOf ?? oneOf;
  if (Array.isArray(union)) {
    const some = union.filter((each) => !(isNode(each) && each.type === 'null'));
    if (some.length === 1) return { ...next(some[0], rest), nullable: some.length < union.length };
    if (some.every((each) => isNode(each) && 'const' in each)) {
      const values = some.map((each) => (each as Node).const);
      return { node: { ...rest, enum: values }, nullable: some.length < union.length };
    }
    return { node: { description: rest.description, title: rest.title }, nullable: false };
  }
  if (Array.isArray(given.type)) {
    const types = given.type.filter((each) => each !== 'null');
    const node = types.length === 1 ? { ...given, type: types[0] } : { ...given, type: undefined };
    return { node, nullable: given.type.includes('null') };
  }
  if ('const' in given) return { node: { ...given, enum: [given.const] }, nullable: false };
  return { node: given, nullable: false };
}
