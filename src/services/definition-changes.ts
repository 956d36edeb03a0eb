/** What became of functions when the outside system was read again. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { definitionHash } from '../connectors/definition-hash.js';
import type { FunctionDefinition, Risk } from '../connectors/framework.js';

export interface ReviewedFunction {
  readonly name: string;
  readonly title: string;
  readonly risk: Risk;
}

/** One that is there no more, or is another one under the old name. */
export interface AffectedFunction extends ReviewedFunction {
  /** It was on until now. */
  readonly enabled: boolean;
  /** What changed, a few words each; empty for one that is gone. */
  readonly what: readonly string[];
}

export interface DefinitionChanges {
  readonly changed: readonly AffectedFunction[];
  readonly removed: readonly AffectedFunction[];
  /** Names of those that are as they were. */
  readonly unchanged: readonly string[];
  readonly added: readonly ReviewedFunction[];
}

/** Functions are the same when their `definitionHash` is: a new wording changes nothing. */
export function definitionChanges(
  before: readonly FunctionDefinition[],
  after: readonly FunctionDefinition[],
  enabled: readonly string[],
): DefinitionChanges {
  const now = new Map(after.map((fn) => [fn.name, fn]));
  const known = new Set(before.map(({ name }) => name));
  const affected = (fn: FunctionDefinition, what: readonly string[]): AffectedFunction => ({
    ...reviewed(fn),
    enabled: enabled.includes(fn.name),
    what,
  });
  const changed: AffectedFunction[] = [];
  const removed: AffectedFunction[] = [];
  const unchanged: string[] = [];
  for (const old of before) {
    const next = now.get(old.name);
    if (next === undefined) removed.push(affected(old, []));
    else if (definitionHash(old) === definitionHash(next)) unchanged.push(old.name);
    else changed.push({ ...affected(next, differences(old, next)), enabled: enabled.includes(old.name) });
  }
  return { changed, removed, unchanged, added: after.filter(({ name }) => !known.has(name)).map(reviewed) };
}

function reviewed({ name, title, risk }: FunctionDefinition): ReviewedFunction {
  return { name, title, risk };
}

function differences(before: FunctionDefinition, after: FunctionDefinition): string[] {
  const was = addressOf(before);
  const is = addressOf(after);
  const found = [
    ...turned('method', was.method, is.method),
    ...turned('path', was.path, is.path),
    ...turned('risk', before.risk, after.risk),
    ...turned('approval', before.approval, after.approval),
    ...inputDifferences(before.input.jsonSchema, after.input.jsonSchema),
  ];
  if (found.length > 0) return found;
  // What a server says about a tool is what an agent goes by, so it counts there.
  return [was.method === '' ? 'what the system says about it' : 'how its arguments are sent'];
}

function turned(what: string, before: string, after: string): string[] {
  return before === after ? [] : [`${what}: ${before || 'none'} → ${after || 'none'}`];
}

/** A signature that begins with a method and an address (`GET https://…/tickets`), as those of HTTP functions do. */
function addressOf({ signature = '' }: FunctionDefinition): { method: string; path: string } {
  const [, method = '', address = ''] = /^([A-Z]+|\*) (\S+)/.exec(signature) ?? [];
  return { method, path: URL.canParse(address) ? decodeURI(new URL(address).pathname) : address };
}

type Schema = FunctionDefinition['input']['jsonSchema'];

function inputDifferences(before: Schema, after: Schema): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  const was = propertiesOf(before);
  const is = propertiesOf(after);
  const required = new Set(requiredOf(before));
  const names = (list: readonly string[]): string =>
    list.slice(0, 5).join(', ') + (list.length > 5 ? ` and ${list.length - 5} more` : '');
  const told = (label: string, list: readonly string[]): string[] =>
    list.length === 0 ? [] : [`${label}: ${names(list)}`];
  const found = [
    ...told(
      'new inputs',
      Object.keys(is).filter((name) => !(name in was)),
    ),
    ...told(
      'inputs gone',
      Object.keys(was).filter((name) => !(name in is)),
    ),
    ...told(
      'changed inputs',
      Object.keys(is).filter((name) => name in was && !isDeepStrictEqual(was[name], is[name])),
    ),
    ...told(
      'required now',
      requiredOf(after).filter((name) => name in was && !required.has(name)),
    ),
  ];
  return found.length > 0 ? found : ['rules for its inputs'];
}

function propertiesOf({ properties }: Schema): Record<string, unknown> {
  return typeof properties === 'object' && properties !== null ? { ...properties } : {};
}

function requiredOf({ required }: Schema): string[] {
  return Array.isArray(required) ? required.map(String) : [];
}
