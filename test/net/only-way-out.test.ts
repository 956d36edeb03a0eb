import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** What can open a connection, and the only places under src/ (besides src/net) that may use it, with the reason. */
const WAYS_OUT: readonly {
  name: string;
  pattern: RegExp;
  allowed: readonly { path: RegExp; reason: string }[];
}[] = [
  { name: 'undici', pattern: importOf('undici'), allowed: [] },
  {
    name: 'node:http',
    pattern: importOf('(?:node:)?https?'),
    allowed: [
      { path: /^http\//, reason: 'the server for callers and browsers' },
      { path: /^slack\//, reason: 'the server for Slack events' },
    ],
  },
  {
    name: 'node:net',
    pattern: importOf('(?:node:)?net'),
    allowed: [{ path: /^database\//, reason: 'looks whether a mongod listens' }],
  },
  { name: 'node:tls', pattern: importOf('(?:node:)?tls'), allowed: [] },
  { name: 'node:http2', pattern: importOf('(?:node:)?http2'), allowed: [] },
  { name: 'node:dgram', pattern: importOf('(?:node:)?dgram'), allowed: [] },
  {
    name: 'global fetch',
    pattern: /(?<![\w$.])fetch\s*\(|(?<!typeof )globalThis\.fetch|globalThis\[/,
    allowed: [],
  },
  { name: 'WebSocket', pattern: /new (?:WebSocket|EventSource)\s*\(/, allowed: [] },
  {
    name: 'a Slack client',
    pattern: importOf('@slack/(?:web-api|bolt|socket-mode)'),
    allowed: [
      { path: /^slack\//, reason: 'talks to the Slack API server of the configuration only' },
      { path: /^app\.ts$/, reason: 'the composition root: makes the Bolt app with that server’s address' },
    ],
  },
  {
    name: 'another HTTP client',
    pattern: importOf(
      '(?:axios|got|node-fetch|ky|superagent|needle|openai|@azure/.*|googleapis|@googleapis/.*|nodemailer)',
    ),
    allowed: [],
  },
  {
    name: 'an MCP client',
    pattern: importOf('@modelcontextprotocol/(?:client|sdk)(?:/.*)?'),
    allowed: [
      { path: /^connectors\/mcp\/http\.ts$/, reason: 'gives its transport the guarded way out as `fetch`' },
      {
        path: /^connectors\/mcp\/session\.ts$/,
        reason: 'speaks over that transport, or to a started program',
      },
      {
        path: /^connectors\/mcp\/sign-in\.ts$/,
        reason: 'gives each of its look-ups the guarded way out as `fetch`',
      },
      { path: /^connectors\/mcp\/failures\.ts$/, reason: 'knows its errors' },
      { path: /^connectors\/mcp\/stdio\.ts$/, reason: 'reads and writes its lines' },
    ],
  },
  {
    name: 'a program',
    pattern: importOf('(?:node:)?child_process'),
    allowed: [
      { path: /^database\//, reason: 'starts the embedded mongod and looks after it' },
      {
        path: /^connectors\/mcp\/stdio\.ts$/,
        reason:
          'starts MCP servers that the operator named in MCP_COMMANDS, without a shell and without our environment',
      },
    ],
  },
];

/** Static and dynamic imports and require, but not `import type`, which leaves nothing at run time. */
function importOf(module: string): RegExp {
  return new RegExp(
    `(?:^|\\n)\\s*(?:import|export)\\s(?!type\\s)[^;]*?from\\s+['"]${module}['"]|(?:import|require)\\(\\s*['"]${module}['"]|import\\s+['"]${module}['"]`,
  );
}

const root = new URL('../../src/', import.meta.url);
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('net/'))
  .map((path) => ({ path, code: withoutComments(readFileSync(new URL(path, root), 'utf8')) }));

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

describe('src/net is the only way out', () => {
  it.each(WAYS_OUT)('$name', ({ pattern, allowed }) => {
    const users = sources.filter(({ code }) => pattern.test(code)).map(({ path }) => path);
    expect(users.filter((path) => !allowed.some((exception) => exception.path.test(path)))).toEqual([]);
  });

  it('and this test would see another', () => {
    const seen = (code: string) =>
      WAYS_OUT.filter(({ pattern }) => pattern.test(withoutComments(code))).map(({ name }) => name);
    expect(seen("import { request } from 'undici';")).toEqual(['undici']);
    expect(seen("import {\n  request,\n} from 'node:https';")).toEqual(['node:http']);
    expect(seen("const { connect } = await import('node:net');")).toEqual(['node:net']);
    expect(seen("require('tls')")).toEqual(['node:tls']);
    expect(seen("import { spawn } from 'node:child_process';")).toEqual(['a program']);
    expect(seen("import { Client } from '@modelcontextprotocol/client';")).toEqual(['an MCP client']);
    expect(seen('return await fetch(url)')).toEqual(['global fetch']);
    expect(seen('const f = globalThis.fetch;')).toEqual(['global fetch']);
    expect(seen("import { WebClient } from '@slack/web-api';")).toEqual(['a Slack client']);
    expect(
      seen("import type { Dispatcher } from 'undici';\n// fetch(url)\ncontext.fetch(request); prefetch();"),
    ).toEqual([]);
  });
});
