/** Arguments and card lines that several functions share. Limits: shared/CONNECTORS.md, 4.12, and openai 6.49. */
import { z } from 'zod';
import { long, plainCard, short } from '../fields.js';
import type { CardField, FunctionDefinition } from '../framework.js';

const MODEL = /^\w[\w.:-]{0,127}$/;

/** The models that an admin allows; any where the list is empty. */
export type Models = readonly string[];

/** @returns null when one of them is no model name */
export function parseModels(text: string): string[] | null {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length <= 100 && names.every((name) => MODEL.test(name)) ? [...new Set(names)] : null;
}

/** A model's name; one of the admin's where there is a list, so that a caller's schema shows it. */
export function modelField(models: Models): z.ZodType<string> {
  return models.length > 0 ? z.enum([...models]) : z.string().regex(MODEL, 'is not the name of a model');
}

/** Ids of files, responses and vector stores. */
export const id = z.string().regex(/^[\w-]{1,512}$/, 'is not an OpenAI id');

const MOST_INPUT_BYTES = 200 * 1_024;
export function fitsInput(...texts: readonly (string | undefined)[]): boolean {
  return texts.reduce((sum, text = '') => sum + Buffer.byteLength(text), 0) <= MOST_INPUT_BYTES;
}
export const TOO_LONG = 'the texts are longer than 200 KB in all';

export const temperature = z.exactOptional(z.number().min(0).max(2));
export const maxOutputTokens = z
  .int()
  .min(16)
  .max(8_192)
  .default(4_096)
  .describe('The answer ends after so many tokens, thinking included.');

export const jsonSchema = z
  .exactOptional(
    z.strictObject({
      name: z.string().regex(/^[\w-]{1,64}$/, 'must be letters, digits, _ and -'),
      schema: z
        .record(z.string(), z.json())
        .refine((schema) => JSON.stringify(schema).length <= 32 * 1_024, 'must be 32 KB at most'),
      strict: z.boolean().default(true),
    }),
  )
  .describe('The answer is JSON of this schema.');

/** What an approver reads of any call that spends: the model, then the text whole, then the limits. */
export function spendCard(
  args: { model: string },
  texts: readonly (readonly [string, string | undefined])[],
  more: readonly CardField[] = [],
): CardField[] {
  return [...short('Model', args.model), ...texts.flatMap(([label, text]) => long(label, text)), ...more];
}

export function jsonSchemaCard(schema: z.infer<typeof jsonSchema> | undefined): CardField[] {
  return schema === undefined ? [] : long('JSON schema', JSON.stringify(schema.schema));
}

export const READ = {
  risk: 'read',
  approval: 'auto',
  scopes: [],
  idempotency: 'natural',
  card: plainCard,
} as const satisfies Partial<FunctionDefinition>;

/** The API knows no idempotency key: what was sent is paid for, and a repeat is paid for again. */
export const SPEND = {
  risk: 'write',
  scopes: [],
  idempotency: 'none',
  observe: { none: 'It makes something new and changes nothing that is there.' },
} as const satisfies Partial<FunctionDefinition>;

const LONGEST_TEXT = 100_000;

/** A text as results carry it. */
export function cut(text: string): { text: string; truncated: boolean } {
  return { text: text.slice(0, LONGEST_TEXT), truncated: text.length > LONGEST_TEXT };
}
