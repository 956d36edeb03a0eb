/** Resources and prompts, where a server has them (specification 2025-11-25, "Resources", "Prompts"). */
import { z } from 'zod';
import { input, long, oneLine, short } from '../fields.js';
import { defineFunction, type FunctionDefinition, type JsonValue } from '../framework.js';
import { compact, type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { readableLines } from '../lines.js';
import { cleanLine, cleanText } from './clean.js';
import { ContentReader } from './content.js';
import { type ServerTarget, serverName, withSession } from './session.js';

/** In a caller's hand a cursor is base64url: a server may put anything into its own. */
const pageArgument = z.exactOptional(
  z
    .string()
    .min(1)
    .max(8_192)
    .regex(/^[A-Za-z0-9_-]+$/, 'is not a page token'),
);
const listInput = input(z.strictObject({ page_token: pageArgument }));
const resourceInput = input(z.strictObject({ uri: oneLine(2_048).describe('As list_resources names it.') }));
const promptInput = input(
  z.strictObject({
    name: oneLine(200).describe('As list_prompts names it.'),
    arguments: z
      .exactOptional(z.record(oneLine(200), z.string().max(20_000)))
      .describe('Values for the arguments of the prompt.'),
  }),
);

function cursorOf(token: string | undefined): { cursor?: string } {
  return token === undefined ? {} : { cursor: Buffer.from(token, 'base64url').toString('utf8') };
}

function tokenOf(cursor: JsonValue | undefined): string | null {
  const text = textOrNull(cursor);
  return text === null ? null : Buffer.from(text, 'utf8').toString('base64url');
}

function described({ name, title, description, mimeType }: JsonObject) {
  return {
    name: cleanLine(name, 200),
    title: cleanLine(title, 200),
    description: cleanText(description, 2_000),
    media_type: textOrNull(mimeType),
  };
}

const common = { risk: 'read', scopes: [], idempotency: 'natural' } as const;

export function resourceFunctions(target: ServerTarget): FunctionDefinition[] {
  const server = short('Server', serverName(target));
  return [
    defineFunction({
      ...common,
      name: 'list_resources',
      title: 'List resources',
      description: 'List what the server offers to read: files, records, pages.',
      approval: 'auto',
      input: listInput.schema,
      output:
        '{resources: [{uri, name, title, description, media_type, size}], templates: [{uri_template, name, title, description, media_type}], next_page_token}. Templates (RFC 6570) come with the first page: a URI that fits one can be read.',
      card: () => server,
      run: (context, args) =>
        withSession(context, target, async (session) => {
          const { page_token: token } = listInput.read(args);
          const page = await session.read('resources/list', cursorOf(token));
          const templates =
            token === undefined ? await session.readIfKnown('resources/templates/list', {}) : undefined;
          return {
            resources: objectsIn(page.resources).map((resource) => ({
              uri: textOf(resource.uri),
              ...described(resource),
              size: numberOf(resource.size),
            })),
            templates: objectsIn(templates?.resourceTemplates).map((template) => ({
              uri_template: textOf(template.uriTemplate),
              ...described(template),
            })),
            next_page_token: tokenOf(page.nextCursor),
          };
        }),
    }),
    defineFunction({
      ...common,
      name: 'read_resource',
      title: 'Read a resource',
      description: 'Read one resource by its URI.',
      approval: 'ask',
      input: resourceInput.schema,
      output: '{contents: [{uri, media_type, text}]}; binary contents come as {uri, media_type, file}.',
      card: (args) => [...server, ...long('Resource', textOf(args.uri))],
      run: (context, args) =>
        withSession(context, target, async (session) => {
          const { contents } = await session.read('resources/read', { uri: resourceInput.read(args).uri });
          const reader = new ContentReader(context);
          const read: JsonValue[] = [];
          for (const content of objectsIn(contents).slice(0, 100)) read.push(await reader.resource(content));
          return { contents: read };
        }),
    }),
  ];
}

export function promptFunctions(target: ServerTarget): FunctionDefinition[] {
  const server = short('Server', serverName(target));
  return [
    defineFunction({
      ...common,
      name: 'list_prompts',
      title: 'List prompts',
      description: 'List the prompts that the server has ready, and their arguments.',
      approval: 'auto',
      input: listInput.schema,
      output:
        '{prompts: [{name, title, description, arguments: [{name, description, required}]}], next_page_token}.',
      card: () => server,
      run: (context, args) =>
        withSession(context, target, async (session) => {
          const page = await session.read('prompts/list', cursorOf(listInput.read(args).page_token));
          return {
            prompts: objectsIn(page.prompts).map((prompt) => ({
              name: textOf(prompt.name),
              title: cleanLine(prompt.title, 200),
              description: cleanText(prompt.description, 2_000),
              arguments: objectsIn(prompt.arguments).map((argument) => ({
                name: textOf(argument.name),
                description: cleanText(argument.description, 500),
                required: argument.required === true,
              })),
            })),
            next_page_token: tokenOf(page.nextCursor),
          };
        }),
    }),
    defineFunction({
      ...common,
      name: 'get_prompt',
      title: 'Get a prompt',
      description: 'Get the messages of one prompt, filled in with arguments.',
      approval: 'ask',
      input: promptInput.schema,
      output: '{description, messages: [{role, content}]}.',
      card: (args) => {
        const values = readableLines(args.arguments ?? {});
        return [
          ...server,
          ...short('Prompt', args.name),
          ...long('Arguments', args.arguments === undefined ? undefined : values.join('\n')),
        ];
      },
      run: (context, args) =>
        withSession(context, target, async (session) => {
          const prompt = await session.read('prompts/get', compact(promptInput.read(args)));
          const reader = new ContentReader(context);
          const messages: JsonValue[] = [];
          for (const { role, content } of objectsIn(prompt.messages).slice(0, 100)) {
            messages.push({ role: cleanLine(role, 20), content: await reader.part(objectOf(content)) });
          }
          return { description: cleanText(prompt.description, 2_000), messages };
        }),
    }),
  ];
}
