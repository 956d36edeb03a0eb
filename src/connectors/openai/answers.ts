/** Functions that let a model answer. */
import { z } from 'zod';
import { input, long, manyLines, short } from '../fields.js';
import { type Arguments, defineFunction, type FunctionDefinition } from '../framework.js';
import { compact, type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { callOpenAi, isoTime } from './api.js';
import {
  cut,
  fitsInput,
  id,
  jsonSchema,
  jsonSchemaCard,
  type Models,
  maxOutputTokens,
  modelField,
  READ,
  SPEND,
  spendCard,
  TOO_LONG,
  temperature,
} from './fields.js';

const message = z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: manyLines(200 * 1_024),
});
const oneResponse = input(z.strictObject({ response_id: id }));

/** "auto with budget" of the catalogue: its default. */
const CALLS_AN_HOUR = 60;

/** `{id, model, status, text, truncated, refusal, incomplete_reason, created_at, usage}` of a Response object. */
function responseResult(answer: JsonObject): JsonObject {
  const parts = objectsIn(answer.output)
    .filter(({ type }) => type === 'message')
    .flatMap(({ content }) => objectsIn(content));
  const joined = (type: string, member: string): string =>
    parts
      .filter((part) => part.type === type)
      .map((part) => textOf(part[member]))
      .join('');
  const usage = objectOf(answer.usage);
  return {
    id: textOf(answer.id),
    model: textOf(answer.model),
    status: textOf(answer.status),
    ...cut(joined('output_text', 'text')),
    refusal: textOrNull(joined('refusal', 'refusal')),
    incomplete_reason: textOrNull(objectOf(answer.incomplete_details).reason),
    error: textOrNull(objectOf(answer.error).message),
    created_at: isoTime(answer.created_at),
    usage: {
      input_tokens: numberOf(usage.input_tokens),
      output_tokens: numberOf(usage.output_tokens),
      total_tokens: numberOf(usage.total_tokens),
    },
  };
}

function completionResult(answer: JsonObject): JsonObject {
  const [choice = {}] = objectsIn(answer.choices);
  const said = objectOf(choice.message);
  const usage = objectOf(answer.usage);
  return {
    id: textOf(answer.id),
    model: textOf(answer.model),
    ...cut(textOf(said.content)),
    refusal: textOrNull(said.refusal),
    finish_reason: textOrNull(choice.finish_reason),
    created_at: isoTime(answer.created),
    usage: {
      input_tokens: numberOf(usage.prompt_tokens),
      output_tokens: numberOf(usage.completion_tokens),
      total_tokens: numberOf(usage.total_tokens),
    },
  };
}

function limits(args: { max_output_tokens: number; temperature?: number | undefined }) {
  return [
    ...short('Most tokens', String(args.max_output_tokens)),
    ...short('Temperature', args.temperature === undefined ? undefined : String(args.temperature)),
  ];
}

export function answerFunctions(models: Models): readonly FunctionDefinition[] {
  const response = input(
    z
      .strictObject({
        model: modelField(models),
        input: manyLines(200 * 1_024).describe('What the model is asked, at most 200 KB.'),
        instructions: z.exactOptional(manyLines()).describe('How it is to answer.'),
        max_output_tokens: maxOutputTokens,
        temperature,
        json_schema: jsonSchema,
      })
      .refine((args) => fitsInput(args.input, args.instructions), TOO_LONG),
  );
  const completion = input(
    z
      .strictObject({
        model: modelField(models),
        messages: z.array(message).min(1).max(100),
        max_output_tokens: maxOutputTokens,
        temperature,
        json_schema: jsonSchema,
      })
      .refine((args) => fitsInput(...args.messages.map(({ content }) => content)), TOO_LONG),
  );
  return [
    defineFunction({
      ...SPEND,
      name: 'create_response',
      title: 'Ask a model',
      description:
        'Lets a model answer a text. Nothing is kept at OpenAI, and the model has no tools. Each call costs money.',
      approval: 'auto',
      budgetPerHour: CALLS_AN_HOUR,
      input: response.schema,
      output:
        '{id, model, status, text, truncated, refusal, incomplete_reason, error, created_at, usage: {input_tokens, output_tokens, total_tokens}}',
      card(args) {
        const given = response.read(args);
        const texts = [['Instructions', given.instructions] as const, ['Input', given.input] as const];
        return spendCard(given, texts, [...limits(given), ...jsonSchemaCard(given.json_schema)]);
      },
      async run(context, args) {
        const { json_schema: schema, ...given } = response.read(args);
        const format = schema && { type: 'json_schema', ...schema };
        const json = compact({ ...given, text: format && { format }, store: false });
        return responseResult(await callOpenAi(context, { method: 'POST', path: ['responses'], json }));
      },
    }),
    defineFunction({
      ...SPEND,
      name: 'create_chat_completion',
      title: 'Continue a conversation',
      description:
        'Lets a model write the next message of a conversation. Nothing is kept at OpenAI. Each call costs money.',
      approval: 'auto',
      budgetPerHour: CALLS_AN_HOUR,
      input: completion.schema,
      output:
        '{id, model, text, truncated, refusal, finish_reason, created_at, usage: {input_tokens, output_tokens, total_tokens}}',
      card(args) {
        const given = completion.read(args);
        const texts = given.messages.map(({ role, content }) => [role, content] as const);
        return spendCard(given, texts, [...limits(given), ...jsonSchemaCard(given.json_schema)]);
      },
      async run(context, args) {
        const { json_schema: schema, max_output_tokens: most, ...given } = completion.read(args);
        const json = compact({
          ...given,
          max_completion_tokens: most,
          response_format: schema && { type: 'json_schema', json_schema: schema },
          store: false,
        });
        const answer = await callOpenAi(context, { method: 'POST', path: ['chat', 'completions'], json });
        return completionResult(answer);
      },
    }),
    defineFunction({
      ...READ,
      name: 'get_response',
      title: 'Show an answer',
      description: 'Reads an answer that was kept at OpenAI.',
      input: oneResponse.schema,
      output: 'as create_response',
      async run(context, args) {
        const path = ['responses', oneResponse.read(args).response_id];
        return responseResult(await callOpenAi(context, { method: 'GET', path }));
      },
    }),
    defineFunction({
      name: 'delete_response',
      title: 'Delete an answer',
      description: 'Deletes an answer that was kept at OpenAI, for good.',
      risk: 'destructive',
      approval: 'ask',
      askEveryTime: true,
      scopes: [],
      idempotency: 'natural',
      input: oneResponse.schema,
      output: '{deleted}: the id',
      card: (args: Arguments) => short('Answer', oneResponse.read(args).response_id),
      observe: {
        condition: null,
        async read(context, args) {
          const path = ['responses', oneResponse.read(args).response_id];
          const {
            model,
            text,
            created_at: created,
          } = responseResult(await callOpenAi(context, { method: 'GET', path }));
          return {
            fields: [...short('Model', model), ...short('Created', created), ...long('Text', textOf(text))],
            version: '',
          };
        },
      },
      async run(context, args) {
        const { response_id: responseId } = oneResponse.read(args);
        await callOpenAi(context, { method: 'DELETE', path: ['responses', responseId] });
        return { deleted: responseId };
      },
    }),
  ];
}
