/** `/connections simulate KEY FUNCTION {json}`: what would become of a call, with nothing recorded and nothing sent. */
import { simulationMessage } from '../../../../blocks/simulation.js';
import type { CallerDocument, ConnectionDocument } from '../../../../models/types.js';
import type { JsonValue } from '../../../connectors/framework.js';
import { AppError } from '../../../errors.js';
import { hasAccess } from '../../../services/recheck.js';
import { parseStrictJson } from '../../../strict-json.js';
import type { SlackEdge } from '../../edge.js';

const USAGE =
  'Write it like this: /connections simulate KEY FUNCTION {"argument": "value"}, with caller:NAME and for:@member before the braces where they are needed.';
const wrong = (message: string): AppError => new AppError('invalid_arguments', message);

interface Typed {
  readonly key: string;
  readonly fn: string;
  readonly caller: string | null;
  readonly member: string | null;
  readonly args: Record<string, JsonValue>;
}

/** @throws AppError `invalid_arguments` with a sentence that says how it is written */
export function parseSimulation(text: string): Typed {
  const brace = text.indexOf('{');
  const head = (brace < 0 ? text : text.slice(0, brace)).trim();
  const member = /\bfor:<?@?([UW][A-Z0-9]{1,20})(?:\|[^>]*)?>?/.exec(head)?.[1] ?? null;
  const words = head.replace(/\bfor:\S+/, '').trim();
  const [, key = '', fn = '', callerName] = /^(\S+)\s+(\S+)(?:\s+caller:(.+))?$/.exec(words) ?? [];
  if (key === '' || fn === '') throw wrong(USAGE);
  return {
    key: key.toLowerCase(),
    fn,
    caller: callerName?.trim() ?? null,
    member,
    args: brace < 0 ? {} : argumentsIn(text.slice(brace)),
  };
}

/** Slack's composer makes typographic quotes of straight ones. */
function argumentsIn(json: string): Record<string, JsonValue> {
  try {
    const parsed = parseStrictJson(Buffer.from(json.replace(/[“”„]/g, '"')));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, JsonValue>;
  } catch {
    // Said below, the same for everything that is no object.
  }
  throw wrong(`The arguments are not a JSON object. ${USAGE}`);
}

/** For admins and the connection's owner. @throws AppError */
export async function simulate(edge: SlackEdge, userId: string, text: string) {
  const typed = parseSimulation(text);
  const connection = await edge.services.connections.managed(userId, typed.key, true);
  const caller = await callerFor(edge, connection, typed);
  const simulated = await edge.services.simulation.simulate(caller, {
    connection: connection._id,
    function: typed.fn,
    arguments: typed.args,
    onBehalfOf: typed.member,
    reason: null,
  });
  return simulationMessage({
    ...simulated,
    functionName: typed.fn,
    connectionName: connection.name,
    callerName: caller.name,
  });
}

/** The one that is named, or the only one that has access. */
async function callerFor(
  edge: SlackEdge,
  connection: ConnectionDocument,
  typed: Typed,
): Promise<CallerDocument> {
  const callers = (await edge.services.callers.list()).filter(
    ({ _id, status }) => status === 'active' && hasAccess(connection, _id, typed.fn),
  );
  const named = typed.caller?.toLowerCase();
  const fitting = named === undefined ? callers : callers.filter(({ name }) => name.toLowerCase() === named);
  const [only] = fitting;
  if (only && fitting.length === 1) return only;
  if (callers.length === 0) throw wrong('No caller may use this function.');
  const names = callers.slice(0, 10).map(({ name }) => `caller:${name}`);
  throw wrong(`Say for which caller: ${names.join(', ')}. It stands before the braces.`);
}
