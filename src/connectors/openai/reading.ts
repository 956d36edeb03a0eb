/** Functions that compute over texts or look something up. */
import { z } from 'zod';
import { input, manyLines } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition, type JsonValue } from '../framework.js';
import { compact, type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { callOpenAi, isoTime } from './api.js';
import { cut, id, type Models, modelField, READ } from './fields.js';

/** More numbers than this come as a file: they are of no use to a reader. */
const MOST_NUMBERS = 8_192;
/** 2,048 vectors of 3,072 numbers in base64 (float32) are 34 MB; of 1,536 numbers 17 MB. */
const LARGEST_EMBEDDINGS = 40 * 1024 * 1024;
/** 8,192 tokens are at least so many characters in no language; the API itself counts exactly. */
const LONGEST_EMBEDDED = 64 * 1_024;
/** Likewise for 300,000 tokens in all. */
const LONGEST_EMBEDDED_IN_ALL = 2_400_000;

const moderation = input(
  z.strictObject({ input: z.array(manyLines()).min(1).max(32).describe('The texts to judge, at most 32.') }),
);
const nothing = input(z.strictObject({}));
const vectorSearch = input(
  z.strictObject({
    vector_store_id: id,
    query: manyLines(4_096),
    max_results: z.int().min(1).max(50).default(10).describe('How many, at most 50.'),
    rewrite_query: z.boolean().default(false).describe('Lets OpenAI put the question into better words.'),
  }),
);

function modelResult(model: JsonObject): JsonObject {
  return { id: textOf(model.id), owned_by: textOf(model.owned_by), created_at: isoTime(model.created) };
}

/** Inline while few, otherwise one after the other as little-endian float32 in a file. */
async function embeddingResult(context: CallContext, answer: JsonObject): Promise<JsonObject> {
  const vectors = objectsIn(answer.data)
    .sort((a, b) => Number(a.index) - Number(b.index))
    .map(({ embedding }) => Buffer.from(textOf(embedding), 'base64'));
  const dimensions = (vectors[0]?.byteLength ?? 0) / 4;
  const about = {
    model: textOf(answer.model),
    count: vectors.length,
    dimensions,
    usage: { total_tokens: numberOf(objectOf(answer.usage).total_tokens) },
  };
  if (vectors.length * dimensions > MOST_NUMBERS) {
    const bytes = Buffer.concat(vectors);
    const file = { name: 'embeddings.f32', type: 'application/octet-stream', bytes };
    return { ...about, file: await context.files.save(file) };
  }
  const numbers = (vector: Buffer): JsonValue[] =>
    Array.from({ length: vector.byteLength / 4 }, (_, at) => vector.readFloatLE(at * 4));
  return { ...about, embeddings: vectors.map(numbers) };
}

export function readingFunctions(models: Models): readonly FunctionDefinition[] {
  const embedding = input(
    z
      .strictObject({
        model: modelField(models),
        input: z
          .array(manyLines(LONGEST_EMBEDDED))
          .min(1)
          .max(2_048)
          .describe('Texts of at most 8,192 tokens each and 300,000 tokens in all.'),
        dimensions: z
          .exactOptional(z.int().min(1).max(3_072))
          .describe('Shorter vectors, where the model can.'),
      })
      .refine(
        (args) => args.input.reduce((sum, text) => sum + text.length, 0) <= LONGEST_EMBEDDED_IN_ALL,
        'the texts are longer than 300,000 tokens in all',
      ),
  );
  const oneModel = input(z.strictObject({ model: modelField(models) }));
  return [
    defineFunction({
      ...READ,
      name: 'create_embedding',
      title: 'Compute embeddings',
      description: 'Turns texts into vectors, by which they can be compared in meaning.',
      input: embedding.schema,
      output:
        '{model, count, dimensions, usage: {total_tokens}, embeddings: [[number]] or, above 8,192 numbers, file: vectors one after the other as little-endian float32}',
      async run(context, args) {
        const json = compact({ ...embedding.read(args), encoding_format: 'base64' });
        const request = { method: 'POST', path: ['embeddings'], json, maxBytes: LARGEST_EMBEDDINGS } as const;
        return embeddingResult(context, await callOpenAi(context, request));
      },
    }),
    defineFunction({
      ...READ,
      name: 'moderate_content',
      title: 'Check texts for harm',
      description: 'Tells whether texts are harmful, and in which way.',
      input: moderation.schema,
      output: '{model, results: [{flagged, categories: {name: boolean}, category_scores: {name: number}}]}',
      async run(context, args) {
        const json = moderation.read(args);
        const answer = await callOpenAi(context, { method: 'POST', path: ['moderations'], json });
        return {
          model: textOf(answer.model),
          results: objectsIn(answer.results).map((result) => ({
            flagged: result.flagged === true,
            categories: objectOf(result.categories),
            category_scores: objectOf(result.category_scores),
          })),
        };
      },
    }),
    defineFunction({
      ...READ,
      name: 'list_models',
      title: 'List models',
      description: 'Lists the models that may be used here.',
      input: nothing.schema,
      output: '{models: [{id, owned_by, created_at}]}',
      async run(context) {
        const answer = await callOpenAi(context, { method: 'GET', path: ['models'] });
        const found = objectsIn(answer.data).map(modelResult);
        return {
          models: found.filter((model) => models.length === 0 || models.includes(textOf(model.id))),
        };
      },
    }),
    defineFunction({
      ...READ,
      name: 'get_model',
      title: 'Show a model',
      description: 'Tells whose a model is and since when there is one of that name.',
      input: oneModel.schema,
      output: '{id, owned_by, created_at}',
      async run(context, args) {
        const path = ['models', oneModel.read(args).model];
        return modelResult(await callOpenAi(context, { method: 'GET', path }));
      },
    }),
    defineFunction({
      ...READ,
      name: 'search_vector_store',
      title: 'Search a vector store',
      description: 'Finds the passages of a vector store that are nearest in meaning to a question.',
      input: vectorSearch.schema,
      output: '{results: [{file_id, filename, score, attributes, text, truncated}], more: boolean}',
      async run(context, args) {
        const { vector_store_id: store, max_results: most, ...json } = vectorSearch.read(args);
        const answer = await callOpenAi(context, {
          method: 'POST',
          path: ['vector_stores', store, 'search'],
          headers: { 'openai-beta': 'assistants=v2' },
          json: { ...json, max_num_results: most },
        });
        return {
          results: objectsIn(answer.data).map((result) => ({
            file_id: textOf(result.file_id),
            filename: textOf(result.filename),
            score: numberOf(result.score),
            attributes: objectOf(result.attributes),
            ...cut(
              objectsIn(result.content)
                .map(({ text }) => textOf(text))
                .join('\n'),
            ),
          })),
          more: textOrNull(answer.next_page) !== null || answer.has_more === true,
        };
      },
    }),
  ];
}
