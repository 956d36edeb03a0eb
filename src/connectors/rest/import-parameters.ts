/** The parameters of an operation: which of them callers set, under which name, and how they are written. */
import { argumentName } from './names.js';
import { isForbiddenHeader, isHeaderName, isMethodOverride, type ParameterMapping } from './operation.js';
import { follow, isObject, type JsonObject, listOf } from './schema.js';
import { Unsupported } from './unsupported.js';

export function parametersOf(document: JsonObject, item: JsonObject, operation: JsonObject): JsonObject[] {
  const byPlace = new Map<string, JsonObject>();
  for (const value of [...listOf(item.parameters), ...listOf(operation.parameters)]) {
    const parameter = follow(document, value);
    byPlace.set(`${String(parameter.in)}:${String(parameter.name)}`, parameter);
  }
  return [...byPlace.values()];
}

type Unnamed = Omit<ParameterMapping, 'argument'>;

/** Undefined for a parameter that callers never set. @throws Unsupported when it may not be set but must be */
export function mapParameter(parameter: JsonObject, credentials: ReadonlySet<string>): Unnamed | undefined {
  const name = typeof parameter.name === 'string' ? parameter.name : '';
  const place = parameter.in;
  const required = parameter.required === true;
  if (name === '' || name.length > 256) throw new Unsupported('A parameter has no name, or a very long one.');
  // OpenAPI 3.1.1, 4.8.12: parameters of these names are ignored; media type and credential say them.
  if (place === 'header' && ['accept', 'content-type', 'authorization'].includes(name.toLowerCase()))
    return undefined;
  if (credentials.has(`${String(place)}:${name.toLowerCase()}`)) return undefined;
  const refused =
    place === 'cookie' ||
    (place === 'header' && (isForbiddenHeader(name) || !isHeaderName(name))) ||
    (place === 'query' && isMethodOverride(name));
  if (refused) {
    if (!required) return undefined;
    throw new Unsupported(`It needs the ${String(place)} "${name}", which callers may not set.`);
  }
  if (place !== 'path' && place !== 'query' && place !== 'header')
    throw new Unsupported(`"${name}" has no known place.`);
  if (isObject(parameter.content)) {
    if (parameter.content['application/json'] === undefined) {
      throw new Unsupported(`The parameter "${name}" is neither plain nor JSON.`);
    }
    return { name, in: place, style: 'json', explode: false };
  }
  const style = parameter.style ?? (place === 'query' ? 'form' : 'simple');
  const allowed = place === 'query' ? ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'] : ['simple'];
  const known = (['simple', 'form', 'spaceDelimited', 'pipeDelimited', 'deepObject'] as const).find(
    (one) => one === style,
  );
  if (known === undefined || !allowed.includes(known)) {
    throw new Unsupported(
      `The parameter "${name}" is written in the style "${String(style)}", which is not supported.`,
    );
  }
  const explode = typeof parameter.explode === 'boolean' ? parameter.explode : known === 'form';
  return { name, in: place, style: known, explode };
}

export function nameArguments(parameters: readonly Unnamed[]): ParameterMapping[] {
  const taken = new Set<string>();
  return parameters.map((parameter) => {
    const base = argumentName(parameter.name);
    const beside = `${base.slice(0, 57)}_${parameter.in}`;
    let argument = taken.has(base) ? beside : base;
    for (let n = 2; taken.has(argument); n++) argument = `${beside.slice(0, 60)}_${n}`;
    taken.add(argument);
    return { argument, ...parameter };
  });
}
