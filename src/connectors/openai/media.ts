/** Functions that make images and speech, and write down what was said. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, manyLines, oneLine, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition, fileReference } from '../framework.js';
import { compact, type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { formBody } from '../multipart.js';
import { callOpenAi, sendOpenAi } from './api.js';
import { cut, type Models, modelField, SPEND, spendCard } from './fields.js';

/** Ten images of up to 4 MB, in base64. */
const LARGEST_IMAGES = 64 * 1024 * 1024;
const LARGEST_SPEECH = 25 * 1024 * 1024;
const LARGEST_AUDIO = 25 * 1024 * 1024;

/** Characters of a prompt: openai 6.49, `ImageGenerateParams.prompt`. */
function longestPrompt(model: string): number {
  if (model.startsWith('dall-e-2')) return 1_000;
  return model.startsWith('dall-e') ? 4_000 : 32_000;
}

const imageOptions = {
  prompt: manyLines(32_000).describe('At most 32,000 characters; 4,000 for dall-e-3, 1,000 for dall-e-2.'),
  n: z.int().min(1).max(10).default(1).describe('How many images.'),
  size: z.exactOptional(z.string().regex(/^(?:auto|\d{2,4}x\d{2,4})$/, 'must be auto or like 1024x1024')),
  quality: z.exactOptional(z.enum(['auto', 'low', 'medium', 'high', 'standard', 'hd'])),
  background: z.exactOptional(z.enum(['auto', 'transparent', 'opaque'])).describe('GPT image models only.'),
  output_format: z.exactOptional(z.enum(['png', 'jpeg', 'webp'])).describe('GPT image models only.'),
};

interface ImageArguments {
  readonly model: string;
  readonly prompt: string;
  readonly n: number;
  readonly size?: string | undefined;
  readonly quality?: string | undefined;
  readonly background?: string | undefined;
  readonly output_format?: string | undefined;
}

function promptFits(args: { model: string; prompt: string }): boolean {
  return args.prompt.length <= longestPrompt(args.model);
}
const PROMPT_TOO_LONG = { message: 'is longer than this model takes', path: ['prompt'] };

/** GPT image models always answer with the image itself and refuse to be told so. */
function responseFormat(model: string): string | undefined {
  return model.startsWith('dall-e') ? 'b64_json' : undefined;
}

function imageCard(args: ImageArguments) {
  return spendCard(
    args,
    [['Prompt', args.prompt]],
    [
      ...short('Images', String(args.n)),
      ...short('Size', args.size),
      ...short('Quality', args.quality),
      ...short('Background', args.background),
      ...short('Format', args.output_format),
    ],
  );
}

async function imageResult(
  context: CallContext,
  answer: JsonObject,
  args: { output_format?: string | undefined },
): Promise<JsonObject> {
  const format = textOrNull(answer.output_format) ?? args.output_format ?? 'png';
  const images: JsonObject[] = [];
  for (const [index, image] of objectsIn(answer.data).entries()) {
    const bytes = Buffer.from(textOf(image.b64_json), 'base64');
    const saved = await context.files.save({
      name: `image-${index + 1}.${format}`,
      type: `image/${format}`,
      bytes,
    });
    images.push({ ...saved, revised_prompt: textOrNull(image.revised_prompt) });
  }
  return { images, usage: { total_tokens: numberOf(objectOf(answer.usage).total_tokens) } };
}

const IMAGES = '{images: [{file, name, type, size, sha256, revised_prompt}], usage: {total_tokens}}';
const SPEECH_TYPES = {
  mp3: 'audio/mpeg',
  opus: 'audio/ogg',
  aac: 'audio/aac',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pcm: 'application/octet-stream',
} as const;

export function mediaFunctions(models: Models): readonly FunctionDefinition[] {
  const model = modelField(models);
  const generation = input(z.strictObject({ model, ...imageOptions }).refine(promptFits, PROMPT_TOO_LONG));
  const edit = input(
    z
      .strictObject({
        model,
        images: z.array(fileReference).min(1).max(16).describe('Uploaded PNG, WebP or JPEG files.'),
        mask: z
          .exactOptional(fileReference)
          .describe('A PNG; only where it is transparent the image changes.'),
        ...imageOptions,
      })
      .refine(promptFits, PROMPT_TOO_LONG),
  );
  const transcription = input(
    z.strictObject({
      model,
      file: fileReference.describe(
        'An uploaded recording, at most 25 MB: mp3, mp4, m4a, wav, webm, flac or ogg.',
      ),
      language: z.exactOptional(z.string().regex(/^[a-z]{2,3}$/, 'must be an ISO 639 code such as en')),
      prompt: z.exactOptional(manyLines(4_096)).describe('Names and words that occur in it.'),
      temperature: z.exactOptional(z.number().min(0).max(1)),
    }),
  );
  const speech = input(
    z.strictObject({
      model,
      input: manyLines(4_096).describe('What is said, at most 4,096 characters.'),
      voice: oneLine(64).default('alloy'),
      instructions: z.exactOptional(manyLines(4_096)).describe('How it is said; not with tts-1.'),
      response_format: z.enum(['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']).default('mp3'),
      speed: z.exactOptional(z.number().min(0.25).max(4)),
    }),
  );
  return [
    defineFunction({
      ...SPEND,
      name: 'generate_image',
      title: 'Make images',
      description: 'Makes images of what a text describes. Each image costs money.',
      approval: 'ask',
      input: generation.schema,
      output: IMAGES,
      card: (args) => imageCard(generation.read(args)),
      async run(context, args) {
        const given = generation.read(args);
        const json = compact({ ...given, response_format: responseFormat(given.model) });
        const path = ['images', 'generations'];
        const answer = await callOpenAi(context, { method: 'POST', path, json, maxBytes: LARGEST_IMAGES });
        return imageResult(context, answer, given);
      },
    }),
    defineFunction({
      ...SPEND,
      name: 'edit_image',
      title: 'Change images',
      description: 'Makes images out of uploaded ones, changed as a text says. Each image costs money.',
      approval: 'ask',
      input: edit.schema,
      output: IMAGES,
      files(args) {
        const given = edit.read(args);
        return [...given.images, given.mask ?? []].flat();
      },
      card(args) {
        const given = edit.read(args);
        return [...imageCard(given), ...short('From', given.images), ...short('Mask', given.mask)];
      },
      async run(context, args) {
        const { images, mask, ...given } = edit.read(args);
        const sources = await Promise.all(images.map((image) => context.files.read(image)));
        const form = await formBody([
          ...sources.map((source) => [sources.length > 1 ? 'image[]' : 'image', source] as const),
          ['mask', mask === undefined ? undefined : await context.files.read(mask)],
          ...Object.entries(given),
          ['response_format', responseFormat(given.model)],
        ]);
        const path = ['images', 'edits'];
        const answer = await callOpenAi(context, { method: 'POST', path, ...form, maxBytes: LARGEST_IMAGES });
        return imageResult(context, answer, given);
      },
    }),
    defineFunction({
      ...SPEND,
      name: 'transcribe_audio',
      title: 'Write down a recording',
      description: 'Writes down what is said in an uploaded recording. Each minute costs money.',
      approval: 'ask',
      input: transcription.schema,
      output: '{text, truncated, usage: {total_tokens, seconds}}',
      files: (args) => [transcription.read(args).file],
      card(args) {
        const given = transcription.read(args);
        return spendCard(
          given,
          [['Prompt', given.prompt]],
          [
            ...short('Recording', given.file),
            ...short('Language', given.language),
            ...short('Temperature', given.temperature),
          ],
        );
      },
      async run(context, args) {
        const { file, ...given } = transcription.read(args);
        const recording = await context.files.read(file);
        if (recording.bytes.byteLength > LARGEST_AUDIO) {
          throw new UpstreamError('invalid_arguments', 'The recording is larger than 25 MB.', {
            definite: true,
            path: '/arguments/file',
          });
        }
        const form = await formBody([
          ['file', recording],
          ...Object.entries(given),
          ['response_format', 'json'],
        ]);
        const path = ['audio', 'transcriptions'];
        const answer = await callOpenAi(context, { method: 'POST', path, ...form });
        const { total_tokens: tokens, seconds } = objectOf(answer.usage);
        return {
          ...cut(textOf(answer.text)),
          usage: { total_tokens: numberOf(tokens), seconds: numberOf(seconds) },
        };
      },
    }),
    defineFunction({
      ...SPEND,
      name: 'create_speech',
      title: 'Speak a text',
      description: 'Makes a recording of a spoken text. Each character costs money.',
      approval: 'ask',
      input: speech.schema,
      output: '{file, name, type, size, sha256}',
      card(args) {
        const given = speech.read(args);
        return spendCard(
          given,
          [
            ['Text', given.input],
            ['Instructions', given.instructions],
          ],
          [
            ...short('Voice', given.voice),
            ...short('Format', given.response_format),
            ...short('Speed', given.speed),
          ],
        );
      },
      async run(context, args) {
        const json = compact(speech.read(args));
        const response = await sendOpenAi(context, {
          method: 'POST',
          path: ['audio', 'speech'],
          headers: { accept: 'application/octet-stream' },
          json,
          maxBytes: LARGEST_SPEECH,
        });
        const format = speech.read(args).response_format;
        const type = SPEECH_TYPES[format];
        return context.files.save({ name: `speech.${format}`, type, bytes: response.body });
      },
    }),
  ];
}
