import { describe, expect, it } from 'vitest';
import type {
  Arguments,
  JsonValue,
  UpstreamRequest,
  UpstreamResponse,
} from '../../src/connectors/framework.js';
import { openaiConnector } from '../../src/connectors/openai/index.js';
import {
  call,
  callContext,
  functionNamed,
  MemoryFiles,
  upstreamResponse,
  withSecret,
} from './call-context.js';

const BASE_URL = 'https://api.openai.com/v1';
const functions = openaiConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);
const ASK = { model: 'gpt-5-mini', input: 'Hello' };

function json(value: JsonValue, status = 200, headers: Record<string, string> = {}): UpstreamResponse {
  return upstreamResponse(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value));
}

function world(answer: UpstreamResponse) {
  const asked: UpstreamRequest[] = [];
  const files = new MemoryFiles();
  const fetch = async (request: UpstreamRequest): Promise<UpstreamResponse> => {
    asked.push(request);
    return answer;
  };
  return { asked, files, context: { ...callContext({ baseUrl: BASE_URL, files }), fetch } };
}

/** The Response object of the API reference, as a model with reasoning gives it. */
const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_777_888_000,
  status: 'completed',
  model: 'gpt-5-mini-2025-08-07',
  error: null,
  incomplete_details: null,
  output: [
    { type: 'reasoning', id: 'rs_1', summary: [] },
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      content: [
        { type: 'output_text', text: 'Good ', annotations: [] },
        { type: 'output_text', text: 'day.', annotations: [] },
      ],
    },
  ],
  usage: { input_tokens: 8, output_tokens: 12, total_tokens: 20 },
};

describe('what models answer', () => {
  it('the text of a response, without the thinking', async () => {
    const { context, asked } = world(json(RESPONSE));
    expect(await call(fn('create_response'), context, ASK)).toEqual({
      id: 'resp_1',
      model: 'gpt-5-mini-2025-08-07',
      status: 'completed',
      text: 'Good day.',
      truncated: false,
      refusal: null,
      incomplete_reason: null,
      error: null,
      created_at: '2026-05-04T09:46:40.000Z',
      usage: { input_tokens: 8, output_tokens: 12, total_tokens: 20 },
    });
    expect(asked[0]?.json).toEqual({ ...ASK, max_output_tokens: 4_096, store: false });
  });

  it('a refusal, and an answer that was cut', async () => {
    const refused = {
      ...RESPONSE,
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'I cannot.' }] }],
    };
    expect(await call(fn('create_response'), world(json(refused)).context, ASK)).toMatchObject({
      text: '',
      refusal: 'I cannot.',
      incomplete_reason: 'max_output_tokens',
    });
  });

  it('the next message of a conversation', async () => {
    const answer = {
      id: 'chatcmpl-1',
      created: 1_777_888_000,
      model: 'gpt-5-mini',
      choices: [
        { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hi', refusal: null } },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
    };
    const { context, asked } = world(json(answer));
    const args = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Hello' }] };
    expect(await call(fn('create_chat_completion'), context, args)).toMatchObject({
      text: 'Hi',
      finish_reason: 'stop',
      usage: { input_tokens: 3, output_tokens: 1, total_tokens: 4 },
    });
    expect(asked[0]?.json).toMatchObject({ store: false, max_completion_tokens: 4_096 });
  });

  it('few embeddings as numbers, in order; many as a file', async () => {
    const vector = (...numbers: number[]) =>
      Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
    const few = world(
      json({
        model: 'm',
        data: [
          { index: 1, embedding: vector(0.5, -1) },
          { index: 0, embedding: vector(0.25, 2) },
        ],
        usage: { prompt_tokens: 2, total_tokens: 2 },
      }),
    );
    const args = { model: 'm', input: ['a', 'b'] };
    expect(await call(fn('create_embedding'), few.context, args)).toEqual({
      model: 'm',
      count: 2,
      dimensions: 2,
      usage: { total_tokens: 2 },
      embeddings: [
        [0.25, 2],
        [0.5, -1],
      ],
    });
    const long = vector(...Array.from({ length: 5_000 }, (_, at) => at));
    const many = world(json({ data: [0, 1].map((index) => ({ index, embedding: long })) }));
    expect(await call(fn('create_embedding'), many.context, args)).toMatchObject({
      count: 2,
      dimensions: 5_000,
      file: { name: 'embeddings.f32', size: 40_000 },
    });
    const [kept] = many.files.kept.values();
    expect(Buffer.from(kept?.bytes ?? []).readFloatLE(20_000 + 4 * 7)).toBe(7);
  });

  it('images and speech as files', async () => {
    const picture = Buffer.from('fake picture');
    const drawn = world(json({ output_format: 'webp', data: [{ b64_json: picture.toString('base64') }] }));
    expect(
      await call(fn('generate_image'), drawn.context, { model: 'gpt-image-1', prompt: 'A fox' }),
    ).toMatchObject({
      images: [{ name: 'image-1.webp', type: 'image/webp', size: 12, revised_prompt: null }],
    });
    expect([...drawn.files.kept.values()][0]?.bytes).toEqual(picture);
    const spoken = world(upstreamResponse(200, { 'content-type': 'audio/mpeg' }, 'fake sound'));
    const args = { model: 'tts-1', input: 'Hello' };
    expect(await call(fn('create_speech'), spoken.context, args)).toMatchObject({
      name: 'speech.mp3',
      type: 'audio/mpeg',
      size: 10,
    });
  });

  it('a transcript', async () => {
    const { context, files } = world(json({ text: 'Hello', usage: { type: 'duration', seconds: 3 } }));
    const file = files.add({ name: 'a.wav', type: 'audio/wav', bytes: Buffer.from('RIFF') });
    expect(await call(fn('transcribe_audio'), context, { model: 'whisper-1', file })).toEqual({
      text: 'Hello',
      truncated: false,
      usage: { total_tokens: null, seconds: 3 },
    });
    const large = files.add({
      name: 'b.wav',
      type: 'audio/wav',
      bytes: new Uint8Array(25 * 1024 * 1024 + 1),
    });
    await expect(
      call(fn('transcribe_audio'), context, { model: 'whisper-1', file: large }),
    ).rejects.toMatchObject({ code: 'invalid_arguments', definite: true });
  });

  it('passages of a vector store, files and moderations in our own shape', async () => {
    const found = {
      file_id: 'file-1',
      filename: 'a.md',
      score: 0.9,
      attributes: null,
      content: [{ type: 'text', text: 'x' }],
    };
    expect(
      await call(
        fn('search_vector_store'),
        world(json({ data: [found], has_more: true, next_page: 'p2' })).context,
        { vector_store_id: 'vs_1', query: 'x' },
      ),
    ).toEqual({
      results: [
        { file_id: 'file-1', filename: 'a.md', score: 0.9, attributes: {}, text: 'x', truncated: false },
      ],
      more: true,
    });
    const file = {
      id: 'file-1',
      filename: 'a.md',
      bytes: 5,
      created_at: 1_777_888_000,
      purpose: 'user_data',
    };
    expect(await call(fn('list_files'), world(json({ data: [file], has_more: true })).context, {})).toEqual({
      files: [
        {
          id: 'file-1',
          filename: 'a.md',
          purpose: 'user_data',
          size: 5,
          created_at: '2026-05-04T09:46:40.000Z',
          expires_at: null,
        },
      ],
      next_page_token: 'file-1',
    });
    const judged = {
      flagged: true,
      categories: { violence: true },
      category_scores: { violence: 0.9 },
      extra: 1,
    };
    expect(
      await call(fn('moderate_content'), world(json({ model: 'm', results: [judged] })).context, {
        input: ['x'],
      }),
    ).toEqual({
      model: 'm',
      results: [{ flagged: true, categories: { violence: true }, category_scores: { violence: 0.9 } }],
    });
  });
});

describe('what OpenAI refuses', () => {
  const error = (code: string, message: string): JsonValue => ({
    error: { code, message, type: 'x', param: null },
  });

  it.each<[string, UpstreamResponse, object, RegExp]>([
    [
      'a wrong key',
      json(error('invalid_api_key', 'Incorrect API key provided: fake-sec***y-1'), 401),
      { code: 'needs_reauth', definite: true },
      /^(?!.*fake-sec)/,
    ],
    [
      'a key without that right',
      json(error('', 'Missing scopes: model.request'), 403),
      { code: 'forbidden_upstream', definite: true },
      /Missing scopes/,
    ],
    [
      'an unknown model',
      json(error('model_not_found', 'The model `x` does not exist'), 404),
      { code: 'upstream_rejected', definite: true },
      /does not exist/,
    ],
    [
      'too many calls',
      json(error('rate_limit_exceeded', 'Slow down'), 429, { 'retry-after': '7' }),
      { code: 'rate_limited', definite: true, retryAfter: 7 },
      /Slow down/,
    ],
    [
      'no credit',
      json(error('insufficient_quota', 'You exceeded your quota'), 429),
      { code: 'forbidden_upstream', definite: true },
      /no credit/,
    ],
    [
      'a broken server',
      json(error('', 'The server had an error'), 500),
      { code: 'upstream_unavailable', definite: false },
      /had an error/,
    ],
    [
      'a proxy in between',
      upstreamResponse(429, { 'content-type': 'text/html' }, '<html>'),
      { code: 'rate_limited' },
      /fewer calls/,
    ],
  ])('%s', async (_, answer, expected, message) => {
    const failed = await call(fn('create_response'), world(answer).context, ASK).catch(
      (thrown: unknown) => thrown,
    );
    expect(failed).toMatchObject({ ...expected, message: expect.stringMatching(message) });
  });
});

describe('what is refused before anything is sent', () => {
  it.each<[string, string, Arguments, string]>([
    ['200 KB and one', 'create_response', { ...ASK, input: 'x'.repeat(200 * 1_024 + 1) }, '/input'],
    ['200 KB in letters of two bytes', 'create_response', { ...ASK, input: 'ä'.repeat(110 * 1_024) }, ''],
    ['an answer too long', 'create_response', { ...ASK, max_output_tokens: 8_193 }, '/max_output_tokens'],
    ['a tool', 'create_response', { ...ASK, tools: [] }, ''],
    ['keeping the answer', 'create_response', { ...ASK, store: true }, ''],
    [
      '101 messages',
      'create_chat_completion',
      { model: 'm', messages: Array(101).fill({ role: 'user', content: 'x' }) },
      '/messages',
    ],
    [
      'a message of a tool',
      'create_chat_completion',
      { model: 'm', messages: [{ role: 'tool', content: 'x' }] },
      '/messages/0/role',
    ],
    ['2,049 texts', 'create_embedding', { model: 'm', input: Array(2_049).fill('x') }, '/input'],
    ['a text of nothing', 'create_embedding', { model: 'm', input: [''] }, '/input/0'],
    [
      'a long prompt for dall-e-3',
      'generate_image',
      { model: 'dall-e-3', prompt: 'x'.repeat(4_001) },
      '/prompt',
    ],
    [
      'a long prompt for dall-e-2',
      'generate_image',
      { model: 'dall-e-2', prompt: 'x'.repeat(1_001) },
      '/prompt',
    ],
    ['eleven images', 'generate_image', { model: 'gpt-image-1', prompt: 'x', n: 11 }, '/n'],
    ['a long speech', 'create_speech', { model: 'tts-1', input: 'x'.repeat(4_097) }, '/input'],
    ['an id that is a path', 'get_file', { file_id: '../models' }, '/file_id'],
    ['a model that is a path', 'get_model', { model: '..' }, '/model'],
    ['a file of the disk', 'upload_file', { file: '/etc/passwd' }, '/file'],
  ])('%s', (_, name, args, path) => {
    const parsed = fn(name).input.parse(args);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.issues[0]?.path).toBe(path);
  });

  it('a model that the admin did not allow; those allowed stand in the schema', async () => {
    const limited = openaiConnector.functions({ models: 'gpt-5-mini, text-embedding-3-small' });
    const withModel = limited.filter(({ input }) => JSON.stringify(input.jsonSchema).includes('"model"'));
    expect(withModel.map(({ name }) => name)).toEqual([
      'create_response',
      'create_chat_completion',
      'create_embedding',
      'get_model',
      'generate_image',
      'edit_image',
      'transcribe_audio',
      'create_speech',
    ]);
    for (const { input } of withModel) {
      expect(input.jsonSchema).toMatchObject({
        properties: { model: { enum: ['gpt-5-mini', 'text-embedding-3-small'] } },
      });
    }
    const ask = functionNamed(limited, 'create_response');
    expect(ask.input.parse(ASK).ok).toBe(true);
    expect(ask.input.parse({ ...ASK, model: 'gpt-5' })).toMatchObject({
      ok: false,
      issues: [{ path: '/model' }],
    });
    const models = [{ id: 'gpt-5' }, { id: 'gpt-5-mini', owned_by: 'system', created: 1_777_888_000 }];
    expect(
      await call(functionNamed(limited, 'list_models'), world(json({ data: models })).context, {}),
    ).toEqual({
      models: [{ id: 'gpt-5-mini', owned_by: 'system', created_at: '2026-05-04T09:46:40.000Z' }],
    });
  });
});

describe('what an approver sees', () => {
  it('the model, the texts whole, the limits', () => {
    expect(fn('create_response').card({ ...ASK, instructions: 'Be brief.', temperature: 0 })).toEqual([
      { label: 'Model', value: 'gpt-5-mini', kind: 'short' },
      { label: 'Instructions', value: 'Be brief.', kind: 'long' },
      { label: 'Input', value: 'Hello', kind: 'long' },
      { label: 'Most tokens', value: '4096', kind: 'short' },
      { label: 'Temperature', value: '0', kind: 'short' },
    ]);
    expect(fn('generate_image').card({ model: 'gpt-image-1', prompt: 'A fox', n: 3 })).toEqual([
      { label: 'Model', value: 'gpt-image-1', kind: 'short' },
      { label: 'Prompt', value: 'A fox', kind: 'long' },
      { label: 'Images', value: '3', kind: 'short' },
    ]);
    const look = { background: 'transparent', output_format: 'webp' };
    expect(
      fn('generate_image')
        .card({ model: 'gpt-image-1', prompt: 'A fox', ...look })
        .slice(-2),
    ).toEqual([
      { label: 'Background', value: 'transparent', kind: 'short' },
      { label: 'Format', value: 'webp', kind: 'short' },
    ]);
    expect(fn('create_speech').card({ model: 'tts-1', input: 'Hi', speed: 2 }).at(-1)).toEqual({
      label: 'Speed',
      value: '2',
      kind: 'short',
    });
  });

  it('which files go out', () => {
    const args = { model: 'm', prompt: 'x', images: ['file_1234567890'], mask: 'file_1234567891' };
    expect(fn('edit_image').files?.(args)).toEqual(['file_1234567890', 'file_1234567891']);
    expect(fn('transcribe_audio').files?.({ model: 'm', file: 'file_1234567890' })).toEqual([
      'file_1234567890',
    ]);
    expect(fn('upload_file').files?.({ file: 'file_1234567890' })).toEqual(['file_1234567890']);
  });

  it('what is deleted', async () => {
    const observed = async (name: string, answer: JsonValue, args: Arguments) => {
      const { observe } = fn(name);
      if (!observe || 'none' in observe) throw new Error('not observed');
      return (await observe.read(world(json(answer)).context, args)).fields;
    };
    const file = {
      id: 'file-1',
      filename: 'a.md',
      bytes: 5,
      created_at: 1_777_888_000,
      purpose: 'user_data',
    };
    expect(await observed('delete_file', file, { file_id: 'file-1' })).toEqual([
      { label: 'Name', value: 'a.md', kind: 'short' },
      { label: 'Size', value: '5 bytes', kind: 'short' },
      { label: 'Purpose', value: 'user_data', kind: 'short' },
      { label: 'Uploaded', value: '2026-05-04T09:46:40.000Z', kind: 'short' },
    ]);
    expect(await observed('delete_response', RESPONSE, { response_id: 'resp_1' })).toContainEqual({
      label: 'Text',
      value: 'Good day.',
      kind: 'long',
    });
  });
});

describe('the connector', () => {
  it('ships as the catalogue says', () => {
    expect(functions.map(({ name, risk, approval }) => `${name} ${risk} ${approval}`)).toEqual([
      'create_response write auto',
      'create_chat_completion write auto',
      'get_response read auto',
      'delete_response destructive ask',
      'create_embedding read auto',
      'moderate_content read auto',
      'list_models read auto',
      'get_model read auto',
      'search_vector_store read auto',
      'generate_image write ask',
      'edit_image write ask',
      'transcribe_audio write ask',
      'create_speech write ask',
      'list_files read auto',
      'get_file read auto',
      'upload_file write ask',
      'delete_file destructive ask',
    ]);
    expect(functions.filter(({ budgetPerHour }) => budgetPerHour === 60).map(({ name }) => name)).toEqual([
      'create_response',
      'create_chat_completion',
    ]);
    expect(functions.filter(({ risk, observe }) => risk !== 'read' && !observe)).toEqual([]);
  });

  it('reaches the API and nothing else', () => {
    expect(openaiConnector.egress({}, BASE_URL)).toEqual([
      { origin: 'https://api.openai.com', pathPrefix: '/v1/' },
    ]);
    const { baseUrl } = openaiConnector;
    if (typeof baseUrl !== 'function') throw new Error('not a function');
    expect(baseUrl({}, 'api_key')).toBe(BASE_URL);
    expect(baseUrl({ base_url: 'https://eu.api.openai.com/v1/' }, 'api_key')).toBe(
      'https://eu.api.openai.com/v1',
    );
  });

  it.each<[Record<string, JsonValue>, boolean]>([
    [{}, true],
    [{ models: 'gpt-5, ft:gpt-4o-mini:acme::id1', organization: 'org-fake', project: 'proj_fake' }, true],
    [{ models: 'gpt 5' }, false],
    [{ models: ' , ' }, false],
    [{ organization: 'acme' }, false],
    [{ project: 'proj_x\r\nx: y' }, false],
    [{ base_url: 'https://user@gateway.example/v1' }, false],
    [{ base_url: 'https://gateway.example/v1?x=y' }, false],
    [{ key: 'x' }, false],
  ])('takes %j as settings: %s', (values, taken) => {
    expect(openaiConnector.config.safeParse(values).success).toBe(taken);
  });

  it('puts the key and the bill on the request', async () => {
    const [method] = openaiConnector.auth;
    if (method?.kind !== 'secret') throw new Error('not a secret');
    const apply = withSecret(method, { api_key: 'fake-secret-canary-1' }, { project: 'proj_fake' });
    expect(apply({ method: 'GET', url: BASE_URL }).headers).toEqual({
      authorization: 'Bearer fake-secret-canary-1',
      'openai-project': 'proj_fake',
    });
    expect(method.check?.({ api_key: 'fake secret' }, {})).toMatch(/no spaces/);
    expect(method.check?.({ api_key: 'fake-secret-canary-1' }, {})).toBeUndefined();
    const { context } = world(json({ data: [] }));
    expect(await openaiConnector.account?.({ ...context, config: { project: 'proj_fake' } })).toBe(
      'proj_fake',
    );
  });
});
