/** The same call through the vendor's own client (openai 6.49) and through us: what both put on the wire. */
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { openaiConnector } from '../../src/connectors/openai/index.js';
import { call, callContext, functionNamed, MemoryFiles, withSecret } from '../connectors/call-context.js';
import { essence, type Recorded, type Recorder, startRecorder } from './recorder.js';
import verified from './verified/openai.json' with { type: 'json' };

const CONFIG = { organization: 'org-fake', project: 'proj_fake' };
const KEY = 'fake-secret-canary-1';
const functions = openaiConnector.functions(CONFIG);
const files = new MemoryFiles();
const checked: string[] = [];
let recorder: Recorder;
let client: OpenAI;

beforeAll(async () => {
  recorder = await startRecorder();
  recorder.answer = () => ({ body: { data: [], output: [] } });
  client = new OpenAI({ ...CONFIG, apiKey: KEY, baseURL: `${recorder.origin}/v1`, maxRetries: 0 });
});
afterAll(() => recorder.close());

function ours(name: string, args: Arguments): Promise<JsonValue> {
  const [method] = openaiConnector.auth;
  if (!method) throw new Error('no auth');
  const context = callContext({
    config: CONFIG,
    baseUrl: `${recorder.origin}/v1`,
    files,
    authorize: withSecret(method, { api_key: KEY }, CONFIG),
  });
  return call(functionNamed(functions, name), context, args);
}

/** Every part with its file name, type and bytes; parts have no order. */
async function formOf(request: Recorded | undefined): Promise<unknown> {
  const type = request?.headers['content-type'] ?? '';
  if (!request || !type.startsWith('multipart/form-data')) return null;
  const form = await new Response(new Uint8Array(request.body), {
    headers: { 'content-type': type },
  }).formData();
  const parts = await Promise.all(
    [...form].map(async ([name, value]) =>
      typeof value === 'string'
        ? [name, value]
        : [name, value.name, value.type, Buffer.from(await value.arrayBuffer()).toString('base64')],
    ),
  );
  return parts.sort((a, b) => (a.join() < b.join() ? -1 : 1));
}

const png = { name: 'a "b" ä.png', type: 'image/png', bytes: Buffer.from([137, 80, 78, 71]) };
const wav = { name: 'hello.wav', type: 'audio/wav', bytes: Buffer.from('RIFF') };
const pngFile = files.add(png);
const maskFile = files.add({ ...png, name: 'mask.png' });
const wavFile = files.add(wav);
const upload = ({ name, type, bytes }: typeof png) => toFile(bytes, name, { type });
const schema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
};

interface Case {
  readonly name: string;
  readonly args: Arguments;
  readonly theirs: () => Promise<unknown>;
}

const cases: Case[] = [
  {
    name: 'create_response',
    args: {
      model: 'gpt-5-mini',
      input: 'Hello',
      instructions: 'Be brief.',
      max_output_tokens: 100,
      temperature: 0.5,
      json_schema: { name: 'answer', schema },
    },
    theirs: () =>
      client.responses.create({
        model: 'gpt-5-mini',
        input: 'Hello',
        instructions: 'Be brief.',
        max_output_tokens: 100,
        temperature: 0.5,
        text: { format: { type: 'json_schema', name: 'answer', schema, strict: true } },
        store: false,
      }),
  },
  {
    name: 'create_chat_completion',
    args: {
      model: 'gpt-5-mini',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      json_schema: { name: 'answer', schema, strict: false },
    },
    theirs: () =>
      client.chat.completions.create({
        model: 'gpt-5-mini',
        messages: [
          { role: 'developer', content: 'Be brief.' },
          { role: 'user', content: 'Hello' },
        ],
        max_completion_tokens: 4_096,
        response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: false } },
        store: false,
      }),
  },
  {
    name: 'create_embedding',
    args: { model: 'text-embedding-3-small', input: ['a', 'b'], dimensions: 256 },
    theirs: () =>
      client.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'], dimensions: 256 }),
  },
  {
    name: 'moderate_content',
    args: { input: ['a', 'b'] },
    theirs: () => client.moderations.create({ input: ['a', 'b'] }),
  },
  {
    name: 'generate_image',
    args: {
      model: 'gpt-image-1',
      prompt: 'A fox',
      n: 2,
      size: '1024x1536',
      quality: 'low',
      output_format: 'webp',
    },
    theirs: () =>
      client.images.generate({
        model: 'gpt-image-1',
        prompt: 'A fox',
        n: 2,
        size: '1024x1536',
        quality: 'low',
        output_format: 'webp',
      }),
  },
  {
    name: 'generate_image',
    args: { model: 'dall-e-3', prompt: 'A fox', quality: 'hd' },
    theirs: () =>
      client.images.generate({
        model: 'dall-e-3',
        prompt: 'A fox',
        n: 1,
        quality: 'hd',
        response_format: 'b64_json',
      }),
  },
  {
    name: 'edit_image',
    args: {
      model: 'gpt-image-1',
      prompt: 'A hat',
      images: [pngFile, maskFile],
      mask: maskFile,
      background: 'opaque',
    },
    theirs: async () =>
      client.images.edit({
        model: 'gpt-image-1',
        prompt: 'A hat',
        image: [await upload(png), await upload({ ...png, name: 'mask.png' })],
        mask: await upload({ ...png, name: 'mask.png' }),
        background: 'opaque',
        n: 1,
      }),
  },
  {
    name: 'edit_image',
    args: { model: 'dall-e-2', prompt: 'A hat', images: [pngFile], size: '512x512' },
    theirs: async () =>
      client.images.edit({
        model: 'dall-e-2',
        prompt: 'A hat',
        image: await upload(png),
        n: 1,
        size: '512x512',
        response_format: 'b64_json',
      }),
  },
  {
    name: 'transcribe_audio',
    args: { model: 'gpt-4o-transcribe', file: wavFile, language: 'en', prompt: 'Siesta', temperature: 0 },
    theirs: async () =>
      client.audio.transcriptions.create({
        model: 'gpt-4o-transcribe',
        file: await upload(wav),
        language: 'en',
        prompt: 'Siesta',
        temperature: 0,
        response_format: 'json',
      }),
  },
  {
    name: 'create_speech',
    args: { model: 'gpt-4o-mini-tts', input: 'Hello', voice: 'coral', instructions: 'Softly', speed: 1.25 },
    theirs: () =>
      client.audio.speech.create({
        model: 'gpt-4o-mini-tts',
        input: 'Hello',
        voice: 'coral',
        instructions: 'Softly',
        response_format: 'mp3',
        speed: 1.25,
      }),
  },
  { name: 'list_models', args: {}, theirs: () => client.models.list() },
  {
    name: 'get_model',
    args: { model: 'ft:gpt-4o-mini:acme::id1' },
    theirs: () => client.models.retrieve('ft:gpt-4o-mini:acme::id1'),
  },
  {
    name: 'search_vector_store',
    args: { vector_store_id: 'vs_1', query: 'refunds', max_results: 5 },
    theirs: () =>
      client.vectorStores.search('vs_1', { query: 'refunds', max_num_results: 5, rewrite_query: false }),
  },
  {
    name: 'list_files',
    args: { purpose: 'batch', max_results: 7, page_token: 'file-1' },
    theirs: () => client.files.list({ purpose: 'batch', limit: 7, after: 'file-1', order: 'desc' }),
  },
  { name: 'get_file', args: { file_id: 'file-1' }, theirs: () => client.files.retrieve('file-1') },
  {
    name: 'upload_file',
    args: { file: pngFile, purpose: 'vision', expires_after_days: 2 },
    theirs: async () =>
      client.files.create({
        file: await upload(png),
        purpose: 'vision',
        expires_after: { anchor: 'created_at', seconds: 172_800 },
      }),
  },
  {
    name: 'get_response',
    args: { response_id: 'resp_1' },
    theirs: () => client.responses.retrieve('resp_1'),
  },
  { name: 'delete_file', args: { file_id: 'file-1' }, theirs: () => client.files.delete('file-1') },
  {
    name: 'delete_response',
    args: { response_id: 'resp_1' },
    theirs: () => client.responses.delete('resp_1'),
  },
];

describe('as the vendor’s own client sends it', () => {
  it.each(cases)('$name', async ({ name, args, theirs }) => {
    const [expected] = await recorder.during(theirs);
    const [sent] = await recorder.during(() => ours(name, args));
    const form = await formOf(expected);
    expect(await formOf(sent)).toEqual(form);
    const headers = ['authorization', 'openai-organization', 'openai-project', 'openai-beta'];
    const comparison = form === null ? { headers } : { headers, body: () => 'compared above' };
    expect(essence(sent, comparison)).toEqual(essence(expected, comparison));
    if (form === null && expected?.method === 'POST') {
      expect(sent?.headers['content-type']).toBe(expected.headers['content-type']);
    }
    checked.push(name);
  });
});

describe('the list of what is verified', () => {
  it('says what was compared here, and names every function', () => {
    expect([...new Set(checked)].sort()).toEqual([...verified.checked].sort());
    const named = [...verified.checked, ...Object.keys(verified.unchecked)].sort();
    expect(named).toEqual(functions.map(({ name }) => name).sort());
  });
});
