/** Everything around the product: an outside system of records, and the people of a workspace. */
import { z } from 'zod';
import type { ExecutionDocument } from '../../../models/types.js';
import {
  type Arguments,
  type CallContext,
  type ConnectorDefinition,
  defineConnector,
  type UpstreamResponse,
  zodInput,
} from '../../../src/connectors/framework.js';
import type { Clock } from '../../../src/database/clock.js';
import { UpstreamError } from '../../../src/errors.js';
import { upstreamResponse } from '../../../src/net/response.js';
import type { Outbound, OutboundRequest } from '../../../src/net/safe-fetch.js';
import { type Directory, DirectoryUnavailable, type Person } from '../../../src/services/directory.js';
import type { Life, Stage } from './stage.js';

const BASE_URL = 'https://records.example.com';
const EXECUTION = 'x-execution';

/** How the outside system meets the next write. */
export type Mood = 'answers' | 'refuses' | 'loses the answer' | 'loses the request' | 'is not there';
export const MOODS: readonly Mood[] = [
  'answers',
  'refuses',
  'loses the answer',
  'loses the request',
  'is not there',
];

/** A write as the outside system received it. */
export interface Write {
  readonly executionId: string;
  readonly args: Arguments;
  readonly secret: string;
  /** The record of the call at that moment, before the write was looked at. */
  readonly record: ExecutionDocument | null;
  /** It took effect. */
  readonly applied: boolean;
  readonly ifMatch: string | undefined;
  /** What this execution read of the target last, and when. */
  readonly lastRead: { readonly version: string; readonly at: Date } | undefined;
}

export class Outside {
  mood: Mood = 'answers';
  readonly writes: Write[] = [];
  private readonly versions = new Map<string, number>();
  private readonly reads = new Map<string, NonNullable<Write['lastRead']>>();

  /** @param received called at each write, before it is looked at: its record, as it stands in the database */
  constructor(
    private readonly clock: Clock,
    private readonly received: (executionId: string) => Promise<ExecutionDocument | null>,
  ) {}

  /** Somebody else changes a record. */
  change(id: string): void {
    this.versions.set(id, (this.versions.get(id) ?? 1) + 1);
  }

  /** The only way out of one process. */
  reachedFrom(stage: Stage, life: Life): Outbound {
    return {
      send: (request) => stage.move(life, () => this.answer(request)),
      mayBePrivate: () => false,
      close: async () => {},
    };
  }

  private versionOf(id: string): string {
    return `"v${this.versions.get(id) ?? 1}"`;
  }

  private async answer(request: OutboundRequest): Promise<UpstreamResponse> {
    const id = request.url.split('/').at(-1) ?? '';
    const { [EXECUTION]: executionId = '', authorization = '', 'if-match': ifMatch } = request.headers ?? {};
    if (request.method === 'GET') {
      this.reads.set(executionId, { version: this.versionOf(id), at: this.clock.now() });
      return answered(200, this.versionOf(id));
    }
    if (this.mood === 'is not there') {
      throw new UpstreamError('upstream_unavailable', 'No connection was made.', { definite: true });
    }
    request.onBeforeSend?.();
    const record = await this.received(executionId);
    const holds = ifMatch === undefined || ifMatch === this.versionOf(id);
    const applied = holds && (this.mood === 'answers' || this.mood === 'loses the answer');
    const lastRead = this.reads.get(executionId);
    const args = request.json as Arguments;
    this.writes.push({ executionId, args, secret: authorization, record, applied, ifMatch, lastRead });
    if (applied) this.change(id);
    request.onSent?.();
    if (this.mood === 'loses the answer' || this.mood === 'loses the request') {
      throw new UpstreamError('upstream_unavailable', 'The connection was lost.', { definite: false });
    }
    return answered(this.mood === 'refuses' ? 400 : holds ? 200 : 412);
  }
}

function answered(status: number, etag = ''): UpstreamResponse {
  return upstreamResponse(status, { etag }, Buffer.from('{}'));
}

const input = zodInput(z.strictObject({ id: z.string(), title: z.string() }));

async function reach(
  context: CallContext,
  method: 'GET' | 'PATCH',
  args: Arguments,
  headers: Record<string, string> = {},
): Promise<UpstreamResponse> {
  const response = await context.fetch({
    method,
    url: `${context.baseUrl}/records/${args.id}`,
    headers: { ...headers, [EXECUTION]: context.executionId },
    ...(method === 'PATCH' ? { json: args } : {}),
  });
  if (response.status < 400) return response;
  throw new UpstreamError('upstream_rejected', `It answered ${response.status}.`, {
    definite: true,
    status: response.status,
  });
}

/** @param conditional whether the system takes `If-Match`, or the target can only be read again */
export function recordsConnector(conditional: boolean): ConnectorDefinition {
  const read = async (context: CallContext, args: Arguments) => {
    const version = (await reach(context, 'GET', args)).headers.etag ?? '';
    return { fields: [], version, ...(conditional ? { condition: version } : {}) };
  };
  return defineConnector({
    id: 'records',
    title: 'Records',
    description: 'Small records.',
    identities: ['shared'],
    auth: [
      {
        id: 'key',
        kind: 'secret',
        title: 'Key',
        fields: [{ name: 'key', label: 'Key', kind: 'secret' }],
        apply: (request, { key = '' }) => ({
          ...request,
          headers: { ...request.headers, authorization: key },
        }),
      },
    ],
    fields: [],
    baseUrl: BASE_URL,
    config: z.record(z.string(), z.json()),
    egress: () => [{ origin: BASE_URL, pathPrefix: '/' }],
    proposedName: () => 'Records',
    functions: () => [
      {
        name: 'change_record',
        title: 'Change a record',
        description: 'Gives a record another title.',
        risk: 'write',
        approval: 'ask',
        scopes: [],
        idempotency: 'none',
        input,
        output: 'nothing',
        card: () => [],
        observe: { read, condition: conditional ? 'If-Match' : null },
        run: async (context, args) => {
          const { condition } = context;
          await reach(context, 'PATCH', args, condition === undefined ? {} : { 'if-match': condition });
          return { done: true };
        },
      },
    ],
  });
}

/** Ada owns the connection and the caller; Ben, Cleo and Dana decide, Ben with a second account besides. */
const MAILBOXES: Readonly<Record<string, string>> = {
  U0ADA: 'ada@corp.example',
  U0BEN: 'ben@corp.example',
  U0BENNY: 'ben+phone@corp.example',
  U0CLEO: 'cleo@corp.example',
  U0DANA: 'dana@corp.example',
  U0EVE: 'eve@corp.example',
  U0MIA: 'mia@corp.example',
};

export const mailboxOf = (userId: string): string => (MAILBOXES[userId] ?? userId).replace(/\+[^@]*/, '');

export class People implements Directory {
  /** Slack does not answer. */
  silent = false;
  readonly left = new Set<string>();

  async person(id: string): Promise<Person | null> {
    if (this.silent) throw new DirectoryUnavailable(id);
    const email = MAILBOXES[id];
    if (email === undefined) return null;
    const plain = { timeZone: 'Europe/Madrid', outsider: false, isBot: false, isWorkspaceOwner: false };
    return { ...plain, id, name: id, email, active: !this.left.has(id) };
  }

  async personByEmail(email: string): Promise<Person | null> {
    const [id = ''] = Object.entries(MAILBOXES).find(([, mailbox]) => mailbox === email) ?? [];
    return this.person(id);
  }

  async groupMembers(): Promise<readonly string[]> {
    return [];
  }

  async managerOf(): Promise<string | null> {
    return null;
  }
}
