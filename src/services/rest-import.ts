/** Reading the OpenAPI document of a REST connection, wherever it is: fetched through the guard, or pasted. */
import type { JsonValue } from '../connectors/framework.js';
import {
  type ImportedOperation,
  type ImportResult,
  importOpenApi,
  parseBaseUrl,
} from '../connectors/rest/index.js';
import { LARGEST_DOCUMENT } from '../connectors/rest/operation.js';
import { AppError, UpstreamError } from '../errors.js';
import type { Dependencies } from './dependencies.js';

/** The most that a connection keeps; `/config` says the same. */
export const MOST_OPERATIONS = 500;

export interface RestImport {
  /** What the document calls the API. */
  readonly title: string;
  readonly operations: readonly ImportedOperation[];
  /** Base URL and what the document says about signing in, for the connection's config. */
  readonly config: Record<string, JsonValue>;
  readonly notes: readonly string[];
}

/** A document's address stands alone on its line; anything else is the document itself. */
export function documentUrl(given: string): URL | null {
  const text = given.trim().replace(/^<(.*)>$/, '$1');
  return /^https?:\/\/\S+$/i.test(text) && URL.canParse(text) ? new URL(text) : null;
}

export class RestImportService {
  constructor(private readonly deps: Pick<Dependencies, 'outbound'>) {}

  /**
   * @param given an address, or the document (JSON or YAML)
   * @param typed what the form's other fields say; an empty base URL is the document's first server
   * @throws AppError `invalid_arguments` with the path of the field; UpstreamError for an address that does not answer
   */
  async read(given: string, auth: string, typed: Readonly<Record<string, JsonValue>>): Promise<RestImport> {
    const url = documentUrl(given);
    const imported = await importOpenApi(url ? await this.download(url) : given);
    if (imported.operations.length === 0) {
      throw refusal('The document describes no operation that can be called.', '/openapi');
    }
    const base_url = await this.baseUrl(typed.base_url, imported, url);
    const { openapi: _, base_url: __, ...settings } = typed;
    return {
      title: imported.title,
      operations: imported.operations,
      config: {
        ...suggestedKeyPlace(imported, auth),
        ...settings,
        base_url,
        operations: [],
        document_hash: imported.documentHash,
      },
      notes: notesOf(imported),
    };
  }

  private async download(url: URL): Promise<string> {
    if (url.username !== '' || url.password !== '') {
      throw refusal('The address must not carry a user name or password.', '/openapi');
    }
    url.hash = '';
    const policy = { allow: [{ origin: url.origin, pathPrefix: '/' }] };
    const request = { method: 'GET', url: url.href, maxBytes: LARGEST_DOCUMENT } as const;
    const answer = await this.deps.outbound.send(request, policy).catch((error: unknown) => {
      if (error instanceof UpstreamError)
        throw refusal(`The document could not be read: ${error.message}`, '/openapi');
      throw error;
    });
    if (answer.status >= 300 && answer.status < 400) {
      throw refusal(
        'That address sends readers on to another one. Give the address where the document is.',
        '/openapi',
      );
    }
    if (answer.status !== 200) {
      const hint =
        answer.status === 401 || answer.status === 403
          ? ' It asks for a sign-in; paste the document instead.'
          : '';
      throw refusal(`That address answered ${answer.status} instead of a document.${hint}`, '/openapi');
    }
    return answer.text();
  }

  private async baseUrl(
    typed: JsonValue | undefined,
    imported: ImportResult,
    from: URL | null,
  ): Promise<string> {
    const given =
      typeof typed === 'string' && typed.trim() !== '' ? typed.trim() : (imported.servers[0] ?? '/');
    const relative = !URL.canParse(given) && from !== null && URL.canParse(given, from.href);
    if (!URL.canParse(given) && !relative) {
      throw refusal('The document does not say where the API is. Fill in the base URL.', '/base_url');
    }
    return this.checkBaseUrl(relative ? new URL(given, from.href).href : given);
  }

  /**
   * The base URL in its plain form, if the guard lets calls to it through. The guard is asked with a request that is
   * over before anything is sent, so its verdict is the one that calls will meet.
   * @throws AppError `invalid_arguments`
   */
  async checkBaseUrl(text: string): Promise<string> {
    const baseUrl = parseBaseUrl(text, () => true);
    const { origin } = new URL(baseUrl);
    const request = { method: 'HEAD', url: baseUrl, signal: AbortSignal.abort() } as const;
    await this.deps.outbound
      .send(request, { allow: [{ origin, pathPrefix: '/' }] })
      .catch((error: unknown) => {
        if (!(error instanceof UpstreamError)) throw error;
        if (error.code === 'forbidden_upstream') throw refusal(error.message, '/base_url');
      });
    return baseUrl;
  }
}

/** Where the document wants the key; what an admin typed wins over it. */
function suggestedKeyPlace(imported: ImportResult, auth: string): Record<string, JsonValue> {
  if (auth !== 'api_key') return {};
  const suggested = imported.authentication.find(({ method }) => method === 'api_key');
  return {
    ...(suggested?.in ? { api_key_in: suggested.in } : {}),
    ...(suggested?.name ? { api_key_name: suggested.name } : {}),
  };
}

function notesOf({ unsupported, warnings }: ImportResult): string[] {
  return [...unsupported.map(({ method, path, reason }) => `${method} ${path}: ${reason}`), ...warnings];
}

function refusal(message: string, path: string): AppError {
  return new AppError('invalid_arguments', message, { path });
}
