/** Text → a checked OpenAPI 3.0/3.1 document, or a problem that says where it is and what to do. Runs in the worker. */
import { compileErrors, type ValidationResult, validate } from '@readme/openapi-parser';
import { parseDocument } from 'yaml';
import { isObject, type JsonObject } from './schema.js';

/** yaml's guard against a small text that unfolds into gigabytes. */
const MOST_ALIASES = 100;

/** What is wrong with the document, for the person who imports it. */
export class DocumentProblem extends Error {}

/** @throws DocumentProblem */
export function parseText(text: string): JsonObject {
  const start = text.replace(/^\uFEFF/, '').trimStart();
  if (start === '')
    throw new DocumentProblem('The document is empty. Paste an OpenAPI document or give its address.');
  if (/^<(!doctype|html|\?xml)/i.test(start)) {
    throw new DocumentProblem(
      'This is a web page, not an OpenAPI document. Look for the address that ends in .json or .yaml.',
    );
  }
  const value = start.startsWith('{') || start.startsWith('[') ? parseJson(start) : parseYaml(start, 'YAML');
  if (!isObject(value)) {
    throw new DocumentProblem(
      'This is neither a JSON nor a YAML object. An OpenAPI document begins with "openapi: 3.…".',
    );
  }
  return value;
}

/** JSON.parse does not say where it failed; YAML, of which JSON is a part, does, and forgives a comma too many. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parseYaml(text, 'JSON');
  }
}

function parseYaml(text: string, kind: 'JSON' | 'YAML'): unknown {
  try {
    const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true });
    const problem = document.errors[0];
    if (problem !== undefined) {
      const where = firstLine(problem.message);
      throw new DocumentProblem(`The ${kind} is broken: ${where} Correct it there and import again.`);
    }
    return document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    if (error instanceof DocumentProblem) throw error;
    if (error instanceof ReferenceError) {
      throw new DocumentProblem(
        'The YAML refers to its own parts too often (anchors and aliases). Import a document that is written out.',
      );
    }
    throw new DocumentProblem(`The ${kind} cannot be read. Check it with another tool and import it again.`);
  }
}

function firstLine(message: string): string {
  const line = message.split('\n', 1)[0] ?? message;
  return /[.:]$/.test(line) ? `${line.slice(0, -1)}.` : `${line}.`;
}

/**
 * Checks version, self-containedness and the specification's own rules. Nothing outside the document is read.
 * @returns warnings
 * @throws DocumentProblem
 */
export async function checkDocument(document: JsonObject): Promise<string[]> {
  checkVersion(document);
  if (!isObject(document.paths) || Object.keys(document.paths).length === 0) {
    throw new DocumentProblem(
      'The document has no "paths", so there is nothing to call. Is it the right document?',
    );
  }
  const outside = externalReference(document);
  if (outside !== undefined) {
    throw new DocumentProblem(
      `At ${outside.at} the document refers to another file, "${outside.reference}". Bundle it into one document first (for example with "redocly bundle").`,
    );
  }
  const result = await validated(document);
  if (!result.valid)
    throw new DocumentProblem(`The document breaks the OpenAPI specification. ${summary(result)}`);
  return result.warnings.map(({ message }) => message).slice(0, 50);
}

function checkVersion(document: JsonObject): void {
  if (document.swagger !== undefined) {
    throw new DocumentProblem(
      'This is a Swagger 2.0 document. Convert it to OpenAPI 3 (for example at converter.swagger.io) and import that.',
    );
  }
  const version = document.openapi;
  if (typeof version !== 'string') {
    throw new DocumentProblem(
      'The document does not say "openapi: 3.…" at its top. Is it an OpenAPI document?',
    );
  }
  if (!/^3\.[01]\.\d+(-.+)?$/.test(version)) {
    throw new DocumentProblem(
      `The document says OpenAPI ${version.slice(0, 20)}. Versions 3.0 and 3.1 can be imported.`,
    );
  }
}

/** What these hold is data of the API, in which `$ref` is a word like another. */
const DATA = new Set(['example', 'examples', 'default', 'enum', 'const']);

function externalReference(root: JsonObject): { at: string; reference: string } | undefined {
  const pending: { value: unknown; at: string }[] = [{ value: root, at: '#' }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    for (const [key, value] of Object.entries(next.value)) {
      if (key === '$ref' && typeof value === 'string' && !value.startsWith('#')) {
        return { at: next.at, reference: value.slice(0, 200) };
      }
      const data =
        !Array.isArray(next.value) &&
        (key.startsWith('x-') || DATA.has(key)) &&
        !next.at.endsWith('/properties');
      if (!data) pending.push({ value, at: `${next.at}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}` });
    }
  }
  return undefined;
}

type ApiDocument = Exclude<Parameters<typeof validate>[0], string>;

/** What `checkVersion` has made sure of, in the validator's own type. */
function isApiDocument(document: object): document is ApiDocument {
  return 'openapi' in document;
}

async function validated(document: JsonObject): Promise<ValidationResult> {
  // A copy: validation resolves references in place.
  const copy: object = structuredClone(document);
  if (!isApiDocument(copy))
    throw new DocumentProblem('The document does not say which OpenAPI version it is.');
  try {
    return await validate(copy, {
      resolve: { external: false, file: false },
      validate: {
        rules: {
          openapi: {
            // Real documents have these, and none of them keeps an operation from being called.
            'array-without-items': 'warning',
            'duplicate-operation-id': 'warning',
            'invalid-security-scheme-properties': 'warning',
            'path-parameters-not-in-path': 'warning',
          },
        },
      },
    });
  } catch (error) {
    throw new DocumentProblem(
      `The document breaks the OpenAPI specification. ${error instanceof Error ? error.message.slice(0, 500) : ''}`.trim(),
    );
  }
}

function summary(result: ValidationResult): string {
  const told = compileErrors(result)
    .replace(/^OpenAPI schema validation failed\.\s*/, '')
    .trim();
  return told.length > 1_500 ? `${told.slice(0, 1_499)}…` : told;
}
