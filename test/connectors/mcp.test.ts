import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/connectors/json.js';
import { mcpConnector, toolsOf } from '../../src/connectors/mcp/index.js';
import { functionNamed, MemoryFiles } from './call-context.js';
import { type Config, discovered, failure, run } from './mcp-call.js';
import { serverProgram, startEverything } from './mcp-server.js';

const OWN = ['list_resources', 'read_resource', 'list_prompts', 'get_prompt'];
/** What the reference servers were asked for: `test/contract/verified/mcp.json`. */
const asked = new Set<string>();

const live: typeof run = (config, name, args, options) => {
  asked.add(OWN.includes(name) ? name : 'tools');
  return run(config, name, args, options);
};

describe('the reference server over Streamable HTTP', () => {
  let everything: Awaited<ReturnType<typeof startEverything>>;
  let config: Config;
  beforeAll(async () => {
    everything = await startEverything();
    config = await discovered({ url: everything.url, trusted: 'yes' });
  }, 20_000);
  afterAll(() => everything.stop());

  it('is discovered: tools, resources, prompts, the protocol it speaks', () => {
    expect(config).toMatchObject({ url: everything.url, trusted: 'yes', resources: true, prompts: true });
    expect(config).toMatchObject({ era: 'legacy' });
    expect(toolsOf(config).map(({ name }) => name)).toEqual(expect.arrayContaining(['echo', 'get-sum']));
    const names = mcpConnector.functions(config).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'echo',
        'get_sum',
        'list_resources',
        'read_resource',
        'list_prompts',
        'get_prompt',
      ]),
    );
    expect(config).toEqual(mcpConnector.config.parse(config));
  });

  it('runs a tool with its arguments', async () => {
    expect(await live(config, 'echo', { message: 'Grüße' })).toEqual({
      content: [{ type: 'text', text: 'Echo: Grüße' }],
    });
    expect(await live(config, 'get_sum', { a: 2, b: 40 })).toEqual({
      content: [{ type: 'text', text: 'The sum of 2 and 40 is 42.' }],
    });
  });

  it('checks arguments before anything is sent', () => {
    const { input } = functionNamed(mcpConnector.functions(config), 'get_sum');
    expect(input.parse({ a: '2' })).toEqual({
      ok: false,
      issues: expect.arrayContaining([
        { path: '/b', message: 'is required' },
        { path: '/a', message: 'must be number' },
      ]),
    });
  });

  it('gives structured content as data', async () => {
    const result = await live(config, 'get_structured_content', { location: 'New York' });
    expect(result).toMatchObject({ structured: { temperature: 33, conditions: 'Cloudy', humidity: 82 } });
  });

  it('keeps an image as a file', async () => {
    const files = new MemoryFiles();
    const result = (await live(config, 'get_tiny_image', {}, { files })) as JsonObject;
    expect(result.content).toContainEqual({
      type: 'image',
      file: expect.objectContaining({ name: 'image-1.png', type: 'image/png' }),
    });
    const [kept] = [...files.kept.values()];
    expect(
      Buffer.from(kept?.bytes ?? [])
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  });

  it('lists and reads resources, text and bytes', async () => {
    const files = new MemoryFiles();
    const listed = (await live(config, 'list_resources')) as {
      resources: { uri: string }[];
      templates: { uri_template: string }[];
    };
    expect(listed.templates.map((each) => each.uri_template)).toContain(
      'demo://resource/dynamic/blob/{resourceId}',
    );
    const [first] = listed.resources;
    expect(first).toMatchObject({ uri: expect.any(String), name: expect.any(String) });
    expect(await live(config, 'read_resource', { uri: first?.uri ?? '' })).toMatchObject({
      contents: [{ uri: first?.uri, text: expect.any(String) }],
    });
    const blob = 'demo://resource/dynamic/blob/1';
    expect(await live(config, 'read_resource', { uri: blob }, { files })).toMatchObject({
      contents: [{ uri: blob, file: { size: expect.any(Number) } }],
    });
    expect(files.kept.size).toBe(1);
    const missing = await failure(live(config, 'read_resource', { uri: 'demo://nothing' }));
    expect(missing).toMatchObject({ code: 'upstream_rejected', definite: true });
  });

  it('lists prompts and fills one in', async () => {
    const { prompts } = (await live(config, 'list_prompts')) as { prompts: JsonObject[] };
    expect(prompts).toContainEqual(expect.objectContaining({ name: 'args-prompt' }));
    const filled = await live(config, 'get_prompt', { name: 'args-prompt', arguments: { city: 'Lisbon' } });
    expect(JSON.stringify(filled)).toContain('Lisbon');
  });
});

describe('the reference file server over stdio', () => {
  let folder: string;
  let config: Config;
  const commands: Record<string, readonly string[]> = {};
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'siesta-mcp-')));
    commands.files = [process.execPath, serverProgram('server-filesystem'), folder];
    await writeFile(join(folder, 'note.txt'), 'written before');
    config = await discovered({ command: 'files', trusted: 'no' }, { commands });
  }, 20_000);
  afterAll(() => rm(folder, { recursive: true }));

  it('is discovered and called, a process each time', async () => {
    expect(config).toMatchObject({ command: 'files', era: 'legacy', resources: false, prompts: false });
    const read = await live(config, 'read_text_file', { path: join(folder, 'note.txt') }, { commands });
    expect(read).toMatchObject({ content: [{ type: 'text', text: 'written before' }] });
    const path = join(folder, 'new.txt');
    await live(config, 'write_file', { path, content: 'by a tool' }, { commands });
    expect(await readFile(path, 'utf8')).toBe('by a tool');
  });

  it('says what the tool says went wrong', async () => {
    const error = await failure(live(config, 'read_text_file', { path: '/outside.txt' }, { commands }));
    expect(error).toMatchObject({ code: 'upstream_rejected', definite: true });
    expect(error.message).toMatch(/^read_text_file failed: Access denied/);
  });

  it('exists only while the operator offers it', async () => {
    const error = await failure(live(config, 'list_directory', { path: folder }));
    expect(error).toMatchObject({ code: 'not_ready', definite: true });
    for (const command of ['toString', 'constructor', 'hasOwnProperty']) {
      expect((await failure(discovered({ command }, { commands }))).code).toBe('not_ready');
    }
  });
});

describe('the config', () => {
  const accepts = (values: Config) => mcpConnector.config.safeParse(values).success;

  it('names one server', () => {
    expect(accepts({ url: 'https://mcp.example.com/mcp?read_only=true' })).toBe(true);
    expect(accepts({ command: 'files' })).toBe(true);
    expect(accepts({})).toBe(false);
    expect(accepts({ url: 'https://mcp.example.com/mcp', command: 'files' })).toBe(false);
  });

  it.each([
    'ftp://mcp.example.com',
    'https://user:pass@mcp.example.com/mcp',
    'https://mcp.example.com/a/../b',
    'https://mcp.example.com/mcp#x',
    'https://mcp.example.com/mcp?a=1#x',
    'https://mcp.example.com/mcp?a=1?b=2',
    'mcp.example.com',
  ])('refuses %s', (url) => {
    expect(accepts({ url })).toBe(false);
  });

  it.each(['Host', 'mcp-session-id', 'Accept', 'Content-Type', 'X-Forwarded-For', 'a b'])(
    'refuses a key in the header %s',
    (name) => {
      expect(accepts({ url: 'https://mcp.example.com', api_key_name: name })).toBe(false);
    },
  );
});

it('what ran against the reference servers is written down', async () => {
  const path = new URL('../contract/verified/mcp.json', import.meta.url);
  const verified = JSON.parse(await readFile(path, 'utf8'));
  expect([...asked].sort()).toEqual([...verified.live.functions].sort());
  expect([...verified.live.functions].sort()).toEqual([...OWN, 'tools'].sort());
});
