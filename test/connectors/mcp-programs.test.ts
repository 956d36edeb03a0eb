import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discovered, failure, type Options, run } from './mcp-call.js';
import { ScriptedServer } from './mcp-server.js';

describe('a program of the operator', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'siesta-mcp-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A server of a few lines; `body` answers `tools/call`. */
  function program(body: string): Record<string, readonly string[]> {
    const code = `
      const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
      const tool = { name: 'act', description: 'Acts.', inputSchema: { type: 'object' } };
      process.stdout.write('A banner that is no message\\n');
      require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const { id, method } = JSON.parse(line);
        if (method === 'initialize') say({ id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } } });
        if (method === 'tools/list') say({ id, result: { tools: [tool] } });
        if (method === 'tools/call') { ${body} }
      });`;
    return { own: [process.execPath, '-e', code] };
  }
  const text = (expression: string) =>
    `say({ id, result: { content: [{ type: 'text', text: ${expression} }] } });`;
  const act = async (body: string, options: Options = {}) => {
    const commands = program(body);
    const config = await discovered({ command: 'own' }, { commands });
    return run(config, 'act', {}, { commands, ...options });
  };

  it('sees PATH and HOME of our environment and nothing else, in a folder that is not ours', async () => {
    process.env.FAKE_CANARY = 'fake-secret-canary-1';
    try {
      const said = await act(text('JSON.stringify({ names: Object.keys(process.env), cwd: process.cwd() })'));
      const [part] = (said as { content: { text: string }[] }).content;
      const { names, cwd } = JSON.parse(part?.text ?? '') as { names: string[]; cwd: string };
      expect(names.filter((name) => name !== 'PATH' && name !== 'HOME')).toEqual([]);
      expect(cwd).toBe(await realpath(tmpdir()));
    } finally {
      delete process.env.FAKE_CANARY;
    }
  });

  it('is gone after the call, and so is what it started, even if they will not go', async () => {
    const held = await ScriptedServer.start();
    try {
      const { port } = new URL(held.origin);
      const stubborn = `process.on('SIGTERM', () => {}); require('net').connect(${port}, '127.0.0.1', () => console.error('up')).on('error', () => {});`;
      const child = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { stdio: ['ignore', 'ignore', 'pipe'] })`;
      // Both hold a connection to us: as long as it is open, its process lives.
      await act(`${stubborn} ${child}.stderr.once('data', () => { ${text("'up'")} });`);
      await expect.poll(() => held.connections).toBe(2);
      await expect.poll(() => held.open).toBe(0);
    } finally {
      await held.stop();
    }
  });

  it('that dies during the call leaves the outcome open', async () => {
    const error = await failure(act('process.exit(1);'));
    expect(error).toMatchObject({ code: 'upstream_unavailable', definite: false });
  });

  it('that does not answer is given up, and ended', async () => {
    const marker = join(folder, 'pid');
    const write = `require('fs').writeFileSync(${JSON.stringify(marker)}, String(process.pid));`;
    const error = await failure(act(write, { signal: AbortSignal.timeout(1_500) }));
    expect(error).toMatchObject({ code: 'upstream_unavailable', definite: false });
    expect(isAlive(Number(await readFile(marker, 'utf8')))).toBe(false);
  });

  it('that speaks only the newer protocol is found out, and spoken to in it', async () => {
    const info = `resultType: 'complete', ttlMs: 0, cacheScope: 'private'`;
    const code = `
      const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
      require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const { id, method } = JSON.parse(line);
        if (method === 'initialize') process.exit(1);
        if (method === 'server/discover') say({ id, result: { ${info}, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } } });
        if (method === 'tools/list') say({ id, result: { ${info}, tools: [{ name: 'act', inputSchema: { type: 'object' } }] } });
        if (method === 'tools/call') say({ id, result: { resultType: 'complete', content: [{ type: 'text', text: 'new' }] } });
      });`;
    const commands = { own: [process.execPath, '-e', code] };
    const config = await discovered({ command: 'own' }, { commands });
    expect(config.era).toBe('modern');
    expect(await run(config, 'act', {}, { commands })).toEqual({ content: [{ type: 'text', text: 'new' }] });
  });

  it('that never says a word is given up, in either protocol', async () => {
    const commands = { own: [process.execPath, '-e', 'process.stdin.resume()'] };
    for (const era of ['legacy', 'modern']) {
      const tools = [
        {
          name: 'act',
          title: 'Act',
          description: '',
          input_schema: {},
          annotations: {},
          hash: '0'.repeat(64),
        },
      ];
      const signal = AbortSignal.timeout(300);
      const error = await failure(run({ command: 'own', era, tools }, 'act', {}, { commands, signal }));
      expect(error).toMatchObject({ code: 'upstream_unavailable', definite: true });
    }
  });

  it('that cannot be started is the operator’s to mend', async () => {
    for (const own of [['/nowhere/program'], []]) {
      const error = await failure(discovered({ command: 'own' }, { commands: { own } }));
      expect(error).toMatchObject({ code: 'not_ready', definite: true });
      expect(error.message).toContain('MCP_COMMANDS');
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
