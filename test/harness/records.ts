/** An outside system of small records: with entity tags that a write can be made conditional on, or without. */
import { type Answer, json, listen, type ReceivedRequest } from '../../playground/loopback.js';

export interface StoredRecord {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  /** Kept by the system itself. */
  readonly views?: number;
  readonly last_opened?: string;
}

export interface Write {
  readonly id: string;
  readonly method: string;
  /** What the record was just before; whoever approved a change of something else sees it here. */
  readonly over: StoredRecord;
  readonly ifMatch: string | null;
}

export type Records = Awaited<ReturnType<typeof startRecords>>;

export async function startRecords(tags: boolean) {
  const records = new Map<string, StoredRecord>();
  const versions = new Map<string, number>();
  /** Writes that took effect. */
  const writes: Write[] = [];
  const requests: ReceivedRequest[] = [];
  /** When each was received, on the monotonic clock. */
  const times: { readonly id: string; readonly method: string; readonly at: number }[] = [];
  const faults = { delay: 0, fail: undefined };
  /** Runs between the reading of a record and whatever comes next: somebody else is faster. */
  let afterRead: ((id: string) => void) | null = null;
  /** The answer to a write instead of the ordinary one; the write takes effect or not as it says. */
  let answerWrite: ((write: () => Answer) => Answer) | null = null;

  const tagOf = (id: string): string => `"v${versions.get(id) ?? 0}"`;
  const put = (record: StoredRecord): void => {
    records.set(record.id, record);
    versions.set(record.id, (versions.get(record.id) ?? 0) + 1);
  };

  /** Somebody looks at it: no other version, by what the system says. */
  const open = (id: string): void => {
    const record = records.get(id);
    if (!record) return;
    const views = (record.views ?? 0) + 1;
    records.set(id, { ...record, views, last_opened: `for the time no. ${views}` });
  };

  function answer(request: ReceivedRequest): Answer {
    requests.push(request);
    const id = decodeURIComponent(request.url.split('/')[2] ?? '');
    times.push({ id, method: request.method, at: performance.now() });
    const record = records.get(id);
    if (!record) return json(404, { message: 'There is no such record.' });
    if (request.method === 'GET') {
      const read = json(200, record);
      afterRead?.(id);
      return tags ? { ...read, headers: { ...read.headers, etag: tagOf(id) } } : read;
    }
    const write = (): Answer => {
      const ifMatch = request.headers['if-match'] ?? null;
      if (tags && ifMatch !== null && ifMatch !== tagOf(id))
        return json(412, { message: 'It was changed since.' });
      writes.push({ id, method: request.method, over: record, ifMatch });
      if (request.method === 'DELETE') records.delete(id);
      else put({ ...record, ...JSON.parse(request.body) });
      return json(200, records.get(id) ?? { deleted: id });
    };
    return answerWrite ? answerWrite(write) : write();
  }

  const server = await listen(0, answer, faults, () => true);
  return {
    origin: server.origin,
    faults,
    requests,
    times,
    writes,
    put,
    open,
    get: (id: string) => records.get(id),
    between: (work: typeof afterRead) => {
      afterRead = work;
    },
    answering: (work: typeof answerWrite) => {
      answerWrite = work;
    },
    close: () => server.close(),
  };
}

const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const ok = { responses: { 200: { description: 'The record.' } } };
const body = {
  required: true,
  content: {
    'application/json': {
      schema: {
        type: 'object',
        additionalProperties: false,
        properties: { title: { type: 'string' }, state: { type: 'string' } },
      },
    },
  },
};

export const RECORDS_DOCUMENT = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Records', version: '1' },
  servers: [{ url: 'https://records.example.com' }],
  paths: {
    '/records/{id}': {
      parameters: [id],
      get: { operationId: 'getRecord', summary: 'Get a record', ...ok },
      patch: { operationId: 'changeRecord', summary: 'Change a record', requestBody: body, ...ok },
      delete: { operationId: 'deleteRecord', summary: 'Delete a record', ...ok },
    },
  },
});
