/** The OpenAPI document that a person or an operator names: by its address, or the text itself. */
import { LARGEST_DOCUMENT } from '../connectors/rest/operation.js';
import { AppError, UpstreamError } from '../errors.js';
import type { Outbound } from '../net/safe-fetch.js';

export interface OpenApiDocument {
  readonly text: string;
  /** Where it was read from; relative server addresses in it are relative to this. */
  readonly url: string | null;
}

/**
 * @param source an http(s) address, or a document (JSON or YAML)
 * @throws AppError `invalid_arguments`, path `/openapi`, with what is wrong with the address
 */
export async function readOpenApi(outbound: Outbound, source: string): Promise<OpenApiDocument> {
  const trimmed = source.trim();
  if (!/^https?:\/\/\S+$/i.test(trimmed)) return { text: source, url: null };
  if (!URL.canParse(trimmed)) throw refusal('That is neither an address nor a document.');
  const { href, origin, pathname } = new URL(trimmed);
  try {
    const answer = await outbound.send(
      {
        method: 'GET',
        url: href,
        headers: { accept: 'application/json, application/yaml;q=0.9, */*;q=0.5' },
        maxBytes: LARGEST_DOCUMENT,
      },
      { allow: [{ origin, pathPrefix: pathname }] },
    );
    if (answer.status === 200) return { text: answer.text(), url: href };
    throw refusal(`The address answers with status ${answer.status} instead of a document.`);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    throw refusal(`The document cannot be read from there: ${error.message}`, error);
  }
}

function refusal(message: string, cause?: unknown): AppError {
  return new AppError('invalid_arguments', message, { path: '/openapi', cause });
}
