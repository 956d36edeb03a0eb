/** Reading the OpenAPI document of a REST connection, wherever it is: fetched through the guard, or pasted. */
import type { JsonValue } from '../connectors/framework.js';
import {
  type ImportedOperation,
  type ImportResult,
  importOpenApi,
  missingSetting,
  parseBaseUrl,
  type SuggestedAuthentication,
} from '../connectors/rest/index.js';
import { LARGEST_DOCUMENT } from '../connectors/rest/operation.js';
import { AppError, UpstreamError } from '../errors.js';
import type { Dependencies } from './dependencies.js';

/** The most that a connection keeps; `/config` says the same. */
export const MOST_OPERATIONS = 500;

/** `/config` says the same. */
const LONGEST_SCOPES = 2_000;

export interface RestImport {
  /** What the document calls the API. */
  readonly title: string;
  readonly operations: readonly ImportedOperation[];
  /** Base URL and what the document says about signing in, for the connection's config. */
  readonly config: Record<string, JsonValue>;
  /** What the import could not use. */
  readonly notes: readonly string[];
  /** What an admin should know about signing in. */
  readonly remarks: readonly string[];
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
    const suggested = suggestedSettings(imported, auth, url?.href ?? base_url);
    const config = { ...suggested.settings, ...settings };
    await this.checkEndpoints(auth, config);
    const signsIn = auth === 'oauth' || auth === 'client_credentials';
    return {
      title: imported.title,
      // Scopes are of use only where somebody is asked for them.
      operations: signsIn ? imported.operations : imported.operations.map(({ scopes: ___, ...rest }) => rest),
      config: {
        ...config,
        base_url,
        operations: [],
        document_hash: imported.documentHash,
        ...(url && { document_url: url.href }),
      },
      notes: notesOf(imported),
      remarks: [...authenticationRemark(imported, auth), ...suggested.remarks],
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
    await this.checkReachable(baseUrl, '/base_url');
    return baseUrl;
  }

  /** What the sign-in needs is there, and the guard lets it through. @throws AppError `invalid_arguments` */
  async checkEndpoints(auth: string, config: Readonly<Record<string, JsonValue>>): Promise<void> {
    const missing = missingSetting(auth, config);
    if (missing) throw refusal(missing.message, `/${missing.name}`);
    for (const name of ['authorize_url', 'token_url', 'revoke_url']) {
      const url = config[name];
      if (typeof url !== 'string') continue;
      if (!URL.canParse(url))
        throw refusal('This is not a complete address such as https://login.example.com.', `/${name}`);
      await this.checkReachable(url, `/${name}`);
    }
  }

  private async checkReachable(url: string, path: string): Promise<void> {
    const request = { method: 'HEAD', url, signal: AbortSignal.abort() } as const;
    const policy = { allow: [{ origin: new URL(url).origin, pathPrefix: '/' }] };
    await this.deps.outbound.send(request, policy).catch((error: unknown) => {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.code === 'forbidden_upstream') throw refusal(error.message, path);
    });
  }
}

interface Suggested {
  readonly settings: Record<string, JsonValue>;
  readonly remarks: readonly string[];
}

/** What the document says about the chosen way to sign in; what an admin typed wins over it. */
function suggestedSettings(imported: ImportResult, auth: string, from: string): Suggested {
  const way = imported.authentication.find(({ method }) => method === auth);
  if (!way) return { settings: {}, remarks: [] };
  const address = (text: string | undefined): string | undefined =>
    text !== undefined && URL.canParse(text, from) ? new URL(text, from).href : undefined;
  const authorize = address(way.authorizeUrl);
  const token = address(way.tokenUrl);
  const scopes = allScopes(imported, way);
  return {
    settings: {
      ...(way.in && { api_key_in: way.in }),
      ...(way.name && { api_key_name: way.name }),
      ...(authorize && { authorize_url: authorize }),
      ...(token && { token_url: token }),
      ...(scopes && { scopes }),
    },
    remarks: scopes
      ? [
          `The document does not say which operation needs which scope, so all that it names are asked for: ${scopes}. Take away what is not needed (Edit).`,
        ]
      : [],
  };
}

/** Only where the operations do not name their own: those are asked for as they are picked. */
function allScopes({ operations }: ImportResult, { scopes = [] }: SuggestedAuthentication): string {
  if (operations.some((operation) => operation.scopes !== undefined)) return '';
  const text = scopes.join(' ');
  return text.length <= LONGEST_SCOPES ? text : '';
}

const METHOD_WORDS: Record<SuggestedAuthentication['method'], string> = {
  api_key: 'an API key',
  bearer: 'a bearer token',
  basic: 'user name and password',
  oauth: 'OAuth 2, by a person',
  client_credentials: 'OAuth 2 client credentials',
};

/** An access token is a bearer token, so one that is typed fits every way of OAuth. */
function authenticationRemark({ authentication }: ImportResult, auth: string): string[] {
  const methods = [...new Set(authentication.map(({ method }) => method))];
  const isOAuth = methods.includes('oauth') || methods.includes('client_credentials');
  if (methods.length === 0 || methods.some((method) => method === auth) || (auth === 'bearer' && isOAuth))
    return [];
  const ways = methods.map((method) => METHOD_WORDS[method]).join(' or ');
  return [`The document says that callers sign in with ${ways}, which is not what you chose.`];
}

function notesOf({ unsupported, warnings }: ImportResult): string[] {
  return [...unsupported.map(({ method, path, reason }) => `${method} ${path}: ${reason}`), ...warnings];
}

function refusal(message: string, path: string): AppError {
  return new AppError('invalid_arguments', message, { path });
}
