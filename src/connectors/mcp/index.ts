/** Any MCP server as an outside system: its tools become functions once an admin has reviewed them. */
import { z } from 'zod';
import { AppError, UpstreamError } from '../../errors.js';
import {
  type AuthMethod,
  type CallContext,
  defineConnector,
  type JsonValue,
  type UpstreamRequest,
} from '../framework.js';
import { compact } from '../json.js';
import { OWN_SIGN_IN } from '../rest/auth.js';
import { baseUrlProblem } from '../rest/base-url.js';
import { isForbiddenHeader, isHeaderName } from '../rest/operation.js';
import { toolFunctions } from './functions.js';
import { promptFunctions, resourceFunctions } from './reading.js';
import { ERAS, type ServerTarget, type Session, withSession } from './session.js';
import {
  askedScopes,
  findSignIn,
  LONGEST_SCOPES,
  register,
  signInProvider,
  storedSignIn,
} from './sign-in.js';
import { leftOutTool, MOST_TOOLS, reviewable, type StoredTool, storedTool } from './tools.js';

export { diffTools, type StoredTool, type ToolDifference, type ToolPart } from './tools.js';

type Values = Readonly<Record<string, JsonValue>>;

const DEFAULT_KEY_HEADER = 'X-API-Key';
/** Names that no tool gets, whether or not the server has resources and prompts. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  'list_resources',
  'read_resource',
  'list_prompts',
  'get_prompt',
]);

const config = z
  .strictObject({
    url: z.exactOptional(
      z.string().refine((text) => addressProblem(text) === undefined, {
        error: (issue) => addressProblem(String(issue.input)) ?? 'is not an address',
      }),
    ),
    command: z.exactOptional(z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'is not a name of MCP_COMMANDS')),
    api_key_name: z.exactOptional(
      z
        .string()
        .refine(isHeaderName, 'is not a name for a header')
        .refine((name) => !isReserved(name), 'is set by the transport itself'),
    ),
    trusted: z.enum(['yes', 'no']).default('no'),
    /** As reviewed. */
    tools: z.array(storedTool).max(MOST_TOOLS).default([]),
    resources: z.boolean().default(false),
    prompts: z.boolean().default(false),
    era: z.exactOptional(z.enum(ERAS)),
    scopes: z.exactOptional(z.string().max(LONGEST_SCOPES)),
    sign_in: z.exactOptional(storedSignIn),
    left_out: z.exactOptional(z.array(leftOutTool).max(50)),
  })
  .refine(
    ({ url, command }) => (url === undefined) !== (command === undefined),
    'name an address or a command',
  )
  .refine(
    ({ tools }) => new Set(tools.map(({ name }) => name)).size === tools.length,
    'a tool stands here twice',
  );

/** As a base URL, but that servers take options in the query. */
function addressProblem(text: string): string | undefined {
  const [address = '', ...queries] = text.trim().split('?');
  const problem = queries.length > 1 ? 'The base URL has two queries.' : baseUrlProblem(address);
  if (problem !== undefined) return problem.replace('The base URL', 'The address');
  return /^[\x21\x22\x24-\x7e]*$/.test(queries[0] ?? '')
    ? undefined
    : 'The query of the address cannot be read.';
}

function isReserved(name: string): boolean {
  const lower = name.toLowerCase();
  if (lower === 'authorization') return false;
  return (
    isForbiddenHeader(lower) || lower === 'accept' || lower.startsWith('mcp-') || lower === 'last-event-id'
  );
}

function targetOf({ url, command, era }: z.infer<typeof config>): ServerTarget {
  return { url: url?.trim(), command, era };
}

/** The library writes header names in lower case; a name must not stand there twice. */
function withHeader(request: UpstreamRequest, name: string, value: string): UpstreamRequest {
  return { ...request, headers: { ...request.headers, [name.toLowerCase()]: value } };
}

/** What the operator starts gets its secrets from the operator. */
function needsAddress(_secret: unknown, { command }: Values): string | undefined {
  return command === undefined
    ? undefined
    : 'A server that the operator starts takes no credential from here.';
}

const auth: readonly AuthMethod[] = [
  {
    id: 'bearer',
    kind: 'secret',
    title: 'Bearer token',
    fields: [{ name: 'token', label: 'Bearer token', kind: 'secret' }],
    check: needsAddress,
    apply: (request, secret) => withHeader(request, 'authorization', `Bearer ${secret.token ?? ''}`),
  },
  {
    id: 'api_key',
    kind: 'secret',
    title: 'API key',
    fields: [{ name: 'api_key', label: 'API key', kind: 'secret' }],
    check: needsAddress,
    apply: (request, secret, { api_key_name: name }) =>
      withHeader(request, typeof name === 'string' ? name : DEFAULT_KEY_HEADER, secret.api_key ?? ''),
  },
  {
    ...OWN_SIGN_IN,
    hint: 'The server says where. Where it lets no app register, the id and secret of one are asked for last.',
    provider: signInProvider,
    configScopes: askedScopes,
    register,
  },
  { id: 'none', kind: 'none', title: 'No sign-in', identities: ['shared'] },
];

export const mcpConnector = defineConnector({
  id: 'mcp',
  title: 'MCP server',
  description: 'Any server that speaks MCP. An admin reviews its tools, and again when they change.',
  identities: ['shared', 'private'],
  auth,
  notice:
    'What a server says about its tools is not checked by anybody but you. Every tool asks until you trust the server.',
  fields: [
    {
      name: 'url',
      label: 'Address',
      kind: 'url',
      optional: true,
      hint: 'Of a server that speaks Streamable HTTP.',
      placeholder: 'https://mcp.example.com/mcp',
    },
    {
      name: 'command',
      label: 'Or a server that the operator starts',
      kind: 'text',
      optional: true,
      hint: 'Its name in MCP_COMMANDS.',
    },
    {
      name: 'api_key_name',
      label: 'Name of the API key header',
      kind: 'text',
      optional: true,
      placeholder: DEFAULT_KEY_HEADER,
    },
    {
      name: 'scopes',
      label: 'Scopes',
      kind: 'text',
      optional: true,
      auth: ['oauth'],
      hint: 'Left empty: those that the server asks for.',
    },
    {
      name: 'trusted',
      label: 'Is the server trusted?',
      kind: 'select',
      initial: 'no',
      hint: 'A trusted server’s tools run without asking where it says that they only read.',
      options: [
        { value: 'no', label: 'No: every tool asks' },
        { value: 'yes', label: 'Yes: believe what it says about its tools' },
      ],
    },
  ],
  baseUrl: ({ url }) => (typeof url === 'string' ? url.trim() : ''),
  config,
  egress({ url }) {
    if (typeof url !== 'string') return [];
    const { origin, pathname } = new URL(url.trim());
    return [{ origin, pathPrefix: pathname.replace(/\/+$/, '') || '/' }];
  },
  functions(values) {
    const parsed = config.parse(values);
    const target = targetOf(parsed);
    return [
      ...toolFunctions(parsed.tools, target, parsed.trusted === 'yes', OWN_NAMES),
      ...(parsed.resources ? resourceFunctions(target) : []),
      ...(parsed.prompts ? promptFunctions(target) : []),
    ];
  },
  discover,
  async findSignIn(values, send) {
    const { url, ...kept } = config.parse(values);
    if (url === undefined) {
      const message = 'Give the address of the server: one that the operator starts has no sign-in.';
      throw new AppError('invalid_arguments', message, { path: '/config/url' });
    }
    return { ...kept, url, sign_in: await findSignIn(url.trim(), send) };
  },
  proposedName(values) {
    const { url, command } = values;
    if (typeof url === 'string' && URL.canParse(url)) return `${new URL(url).host} MCP`;
    return typeof command === 'string' ? `${command} MCP` : 'MCP server';
  },
});

/** The reviewed tools of a connection's config. @throws Error for a config of another connector */
export function toolsOf(values: Values): readonly StoredTool[] {
  return config.parse(values).tools;
}

/** What was known before is looked up again, the era too. */
async function discover(context: CallContext): Promise<Record<string, JsonValue>> {
  const { tools: _tools, left_out: _leftOut, era: _era, ...kept } = config.parse(context.config);
  const target: ServerTarget = { url: kept.url?.trim(), command: kept.command };
  const look = async (session: Session): Promise<Record<string, JsonValue>> => {
    const said: unknown[] = [];
    for await (const tool of session.tools()) {
      said.push(tool);
      if (said.length > MOST_TOOLS) break;
    }
    const { tools, leftOut } = reviewable(said);
    const { era } = session;
    return compact({
      ...kept,
      tools,
      resources: session.offers('resources'),
      prompts: session.offers('prompts'),
      era,
      ...(leftOut.length > 0 && { left_out: leftOut }),
    });
  };
  try {
    return await withSession(context, target, look);
  } catch (error) {
    // A program that speaks only the newer protocol does not know the older handshake.
    const refused = error instanceof UpstreamError && error.code !== 'not_ready' && !context.signal.aborted;
    if (!refused || target.command === undefined) throw error;
    return withSession(context, { ...target, era: 'modern' }, look);
  }
}
