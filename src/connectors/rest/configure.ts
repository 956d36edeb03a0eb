/** From an import and what somebody picked of it to the config of a REST connection. */
import { AppError } from '../../errors.js';
import type { JsonValue } from '../framework.js';
import type { ImportResult } from './operation.js';

export interface Picked {
  /** What else was said about the connection: `base_url`, `api_key_name` … */
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly imported: ImportResult;
  /** Address of the document, for relative server addresses. */
  readonly documentUrl: string | null;
  /** Names of operations to keep. */
  readonly functions: readonly string[];
  /** The auth method; the document may say where its key goes. */
  readonly auth: string;
}

/** Pure. @throws AppError `invalid_arguments`, path `/base_url`, when neither values nor document name a server */
export function configureRest(picked: Picked): Record<string, JsonValue> {
  const { values, imported, functions, auth } = picked;
  const place = imported.authentication.find((each) => each.method === 'api_key');
  const suggested =
    auth === 'api_key' && place?.name !== undefined
      ? { api_key_in: place.in ?? 'header', api_key_name: place.name }
      : {};
  return {
    ...suggested,
    ...values,
    base_url: baseUrl(picked),
    document_hash: imported.documentHash,
    // Operations are plain JSON by construction: they came out of a worker as such.
    operations: imported.operations
      .filter((operation) => functions.includes(operation.name))
      .map((operation) => JSON.parse(JSON.stringify(operation)) as JsonValue),
  };
}

function baseUrl({ values, imported, documentUrl }: Picked): string {
  const given = values.base_url;
  if (typeof given === 'string' && given.trim() !== '') return given.trim();
  const [first] = imported.servers;
  const server = documentUrl === null ? first : (first ?? '/');
  if (server !== undefined && URL.canParse(server, documentUrl ?? undefined)) {
    return new URL(server, documentUrl ?? undefined).href;
  }
  throw new AppError('invalid_arguments', 'The document names no server. Say the base URL.', {
    path: '/base_url',
  });
}
