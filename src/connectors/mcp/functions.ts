/** The functions of a connection to an MCP server: one per reviewed tool. */
import { UpstreamError } from '../../errors.js';
import { long, short } from '../fields.js';
import {
  type Arguments,
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  type InputSchema,
  type JsonValue,
} from '../framework.js';
import { objectsIn, textOf } from '../json.js';
import { readableLines } from '../lines.js';
import { schemaIssues } from '../rest/check.js';
import { distinctNames, functionName } from '../rest/names.js';
import { isObject, type JsonObject } from '../rest/schema.js';
import { cleanText } from './clean.js';
import { ContentReader } from './content.js';
import { isToolRefusal } from './failures.js';
import { type ServerTarget, type Session, serverName, withSession } from './session.js';
import { type StoredTool, toolHash, toolRisk } from './tools.js';

const NO_TARGET = 'Only the server knows what the tool changes.';

/** @param taken names that the connector's own functions have */
export function toolFunctions(
  tools: readonly StoredTool[],
  target: ServerTarget,
  trusted: boolean,
  taken: ReadonlySet<string>,
): FunctionDefinition[] {
  const wanted = tools.map(({ name }) => ({ wanted: functionName(name), identity: name }));
  const names = distinctNames(wanted, taken);
  return tools.map((tool, index) => toolFunction(names[index] ?? '', tool, target, trusted));
}

function toolFunction(
  name: string,
  tool: StoredTool,
  target: ServerTarget,
  trusted: boolean,
): FunctionDefinition {
  const risk = toolRisk(tool, trusted);
  return defineFunction({
    name,
    title: tool.title,
    description: tool.description || tool.title,
    risk,
    approval: risk === 'read' ? 'auto' : 'ask',
    scopes: [],
    idempotency: trusted && tool.annotations.idempotentHint === true ? 'natural' : 'none',
    input: toolInput(tool),
    output:
      '{content, structured?}: what the tool answered, as a list of parts (text, file, resource), and as data if it has any.',
    signature: `${target.url ?? target.command} ${tool.hash}`,
    card: (args) => [
      ...short('Server', serverName(target)),
      ...short('Tool', tool.name),
      ...long('Arguments', Object.keys(args).length > 0 ? readableLines(args).join('\n') : undefined),
    ],
    observe: { none: NO_TARGET },
    run: (context, args) => callReviewed(context, tool, target, args),
  });
}

function toolInput(tool: StoredTool): InputSchema {
  return {
    jsonSchema: tool.input_schema,
    parse(value) {
      const issues = schemaIssues(tool.input_schema, value);
      return issues.length > 0 ? { ok: false, issues } : { ok: true, value: value as Arguments };
    },
  };
}

/** Calls the tool if it still is the one that was reviewed. */
async function callReviewed(
  context: CallContext,
  tool: StoredTool,
  target: ServerTarget,
  args: Arguments,
): Promise<JsonValue> {
  return withSession(context, target, async (session) => {
    const said = await findTool(session, tool.name);
    if (said === undefined || toolHash(said) !== tool.hash) {
      const what = said === undefined ? 'no longer offers' : 'changed';
      const message = `${serverName(target)} ${what} the tool "${tool.name}" since it was reviewed, so it was not called. An admin has to look at it: /connections.`;
      throw new UpstreamError('not_ready', message, { definite: true });
    }
    return resultOf(context, tool, await session.callTool(said, args));
  });
}

/** The first of that name, as in the review. */
async function findTool(session: Session, name: string): Promise<JsonObject | undefined> {
  for await (const said of session.tools()) if (isObject(said) && said.name === name) return said;
  return undefined;
}

/**
 * @throws UpstreamError `upstream_rejected` when the tool itself says that it failed; definite where it says that it only
 * reads, or was not begun
 */
async function resultOf(context: CallContext, tool: StoredTool, answer: JsonObject): Promise<JsonValue> {
  if (answer.isError === true) {
    const said = objectsIn(answer.content)
      .map((part) => textOf(part.text))
      .join('\n');
    const why = cleanText(said, 1_000) || 'It does not say why.';
    const definite = tool.annotations.readOnlyHint === true || isToolRefusal(said);
    throw new UpstreamError('upstream_rejected', `${tool.name} failed: ${why}`, { definite });
  }
  const reader = new ContentReader(context);
  const { structuredContent } = answer;
  return {
    ...(await reader.parts(answer.content)),
    ...(structuredContent !== undefined && (await reader.structured(structuredContent))),
  };
}
