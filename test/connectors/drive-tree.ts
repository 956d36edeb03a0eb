/** A Google Drive in memory, as far as the connector uses it: items in folders, some of them not readable. */
import type {
  CallContext,
  JsonValue,
  UpstreamRequest,
  UpstreamResponse,
} from '../../src/connectors/framework.js';
import { type JsonObject, objectOf, textOf } from '../../src/connectors/json.js';
import { callContext, type MemoryFiles, upstreamResponse } from './call-context.js';

export interface TreeItem {
  readonly id: string;
  readonly name: string;
  readonly parents?: readonly string[];
  readonly driveId?: string;
  readonly mimeType?: string;
  readonly target?: string;
  readonly more?: JsonObject;
}

export interface DriveTree {
  readonly requests: UpstreamRequest[];
  /** What a request is answered with instead; undefined: as usual. */
  answer: (request: UpstreamRequest) => UpstreamResponse | undefined;
  /** Items that answer 404, as what the account may not see does. */
  readonly hidden: Set<string>;
  context(config?: Record<string, JsonValue>, files?: MemoryFiles): CallContext;
  /** Everything but GET. */
  writes(): UpstreamRequest[];
}

export function json(status: number, body: JsonValue): UpstreamResponse {
  return upstreamResponse(
    status,
    { 'content-type': 'application/json; charset=UTF-8' },
    JSON.stringify(body),
  );
}

/** As Drive writes its errors. */
export function refusal(code: number, reason: string, message: string): UpstreamResponse {
  return json(code, { error: { code, message, errors: [{ domain: 'global', reason, message }] } });
}

export function driveTree(items: readonly TreeItem[]): DriveTree {
  const requests: UpstreamRequest[] = [];
  const resource = (item: TreeItem): JsonObject => ({
    id: item.id,
    name: item.name,
    mimeType: item.mimeType ?? 'text/plain',
    ...(item.parents && { parents: [...item.parents] }),
    ...(item.driveId !== undefined && { driveId: item.driveId }),
    ...(item.target !== undefined && { shortcutDetails: { targetId: item.target } }),
    modifiedTime: '2026-08-01T10:00:00.000Z',
    ...item.more,
  });
  const tree: DriveTree = {
    requests,
    answer: () => undefined,
    hidden: new Set(),
    context: (config = {}, files) => ({
      ...callContext({ baseUrl: 'https://drive.test', config, ...(files && { files }) }),
      fetch: async (request) => {
        requests.push(request);
        return tree.answer(request) ?? usual(request);
      },
    }),
    writes: () => requests.filter(({ method }) => method !== 'GET'),
  };

  function usual({ method, url, query, json: sent }: UpstreamRequest): UpstreamResponse {
    const path = new URL(url).pathname.replace(/^(\/upload)?\/drive\/v3\//, '').split('/');
    const [collection, id = '', part] = path;
    if (collection === 'drives') return json(200, { drives: [drive('drive_allowed'), drive('drive_other')] });
    if (id === 'generateIds') return json(200, { ids: ['reserved_id_1'] });
    if (id === '' && method === 'GET') return json(200, { files: items.map(resource) });
    if (id === '') return json(200, { ...objectOf(sent), id: objectOf(sent).id ?? 'given_by_drive' });
    if (id === 'trash') return upstreamResponse(204, {}, '');
    const item = items.find((each) => each.id === id);
    if (!item || tree.hidden.has(id)) return refusal(404, 'notFound', `File not found: ${id}.`);
    if (part === 'copy') return json(200, { ...resource(item), ...objectOf(sent) });
    if (part === 'export' || query?.alt === 'media') {
      return upstreamResponse(200, { 'content-type': 'text/plain' }, `text of ${item.name}`);
    }
    if (part !== undefined) return json(200, { id: 'part_1', type: 'user', role: 'reader' });
    if (method === 'DELETE') return upstreamResponse(204, {}, '');
    return json(200, { ...resource(item), ...objectOf(sent) });
  }

  const drive = (id: string): JsonObject => ({ id, name: `Name of ${id}` });
  return tree;
}

export function namesIn(result: JsonValue | undefined): string[] {
  const { files } = objectOf(result);
  return Array.isArray(files) ? files.map((file) => textOf(objectOf(file).name)) : [];
}
