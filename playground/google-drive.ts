/**
 * Google Drive as the stand-in has it, with what it takes and forgets: searches, changes other than of the name and the
 * folder, and that `drive.file` alone opens only what the app created itself. Ids that were reserved are not kept: what
 * is created gets one of its own.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { lacking, notAuthorizedToFile, notFound } from './google-answers.js';
import { type DriveItem, driveItem, matchesAll } from './google-drive-search.js';
import type { Grant } from './google-grants.js';
import { type ApiCall, DRIVE, nameOf } from './google-routes.js';
import { changesAllFiles, seesAllFiles } from './google-scopes.js';
import type { Forward } from './google-stand-in.js';
import { type Answer, bodyOf, json, type ReceivedRequest } from './loopback.js';

const listed = z.object({ files: z.array(driveItem) });

export class Drive {
  /** Ids of what came in through this front. */
  private readonly created = new Set<string>();

  constructor(private readonly forward: Forward) {}

  async answer(call: ApiCall, request: ReceivedRequest, grant: Grant): Promise<Answer> {
    const [collection = '', given = ''] = call.path.split('/');
    const id = decodeURIComponent(given);
    if (collection === 'about') return json(200, { user: { emailAddress: grant.email } });
    if (id === 'generateIds') return json(200, { ids: newIds(Number(call.query.get('count') ?? 10)) });
    if (id !== '') return this.one(call, request, grant, id);
    return call.method === 'GET' ? this.search(call, request, grant) : this.create(call, request);
  }

  private async one(call: ApiCall, request: ReceivedRequest, grant: Grant, id: string): Promise<Answer> {
    const isOwn = this.created.has(id);
    if (!isOwn && !seesAllFiles(grant.scopes)) return notFound(`File: ${id}`);
    if (call.method === 'GET') return this.forward(request);
    if (!isOwn && !changesAllFiles(grant.scopes)) return notAuthorizedToFile(id);
    const dropped = Object.keys(bodyOf(request)).find((field) => field !== 'name');
    if (dropped !== undefined) return lacking(`\`${nameOf(call)}\` with \`${dropped}\``);
    return this.forward(request);
  }

  private async create(call: ApiCall, request: ReceivedRequest): Promise<Answer> {
    const isWhole = /^multipart\/related\b/i.test(request.headers['content-type'] ?? '');
    if (call.isUpload && !isWhole) return lacking(`\`${nameOf(call)}\` but with \`uploadType=multipart\``);
    const answered = await this.forward(request);
    if (answered.status === 200) this.created.add(driveItem.parse(JSON.parse(answered.body ?? '')).id);
    return answered;
  }

  /** `files.list`: the stand-in looks at the folder and the type only. */
  private async search(call: ApiCall, request: ReceivedRequest, grant: Grant): Promise<Answer> {
    const fetched = await this.forward({ ...request, url: `${DRIVE}files?pageSize=1000` });
    if (fetched.status !== 200) return fetched;
    const all = listed.parse(JSON.parse(fetched.body ?? '')).files;
    const visible = seesAllFiles(grant.scopes) ? all : all.filter(({ id }) => this.created.has(id));
    const found = await matchesAll(call.query.get('q') ?? '', visible, (item) => this.textOf(request, item));
    if (typeof found === 'string') return lacking(`search for \`${found}\``);
    const files = inOrder(found, call.query.get('orderBy') ?? '');
    const from = Number(call.query.get('pageToken') ?? 0);
    const until = from + Number(call.query.get('pageSize') ?? 100);
    const nextPageToken = until < files.length ? { nextPageToken: String(until) } : {};
    return json(200, { kind: 'drive#fileList', files: files.slice(from, until), ...nextPageToken });
  }

  private async textOf(request: ReceivedRequest, { id, mimeType }: DriveItem): Promise<string> {
    if (!mimeType.startsWith('text/')) return '';
    return (await this.forward({ ...request, url: `${DRIVE}files/${id}?alt=media` })).body ?? '';
  }
}

function newIds(count: number): string[] {
  return Array.from({ length: Math.min(Math.max(count, 1), 1_000) }, () =>
    randomBytes(18).toString('base64url'),
  );
}

/** The first key of `orderBy` that counts here; without one, the newest first. */
function inOrder(files: readonly DriveItem[], orderBy: string): DriveItem[] {
  const newestFirst = (a: DriveItem, b: DriveItem): number => b.modifiedTime.localeCompare(a.modifiedTime);
  if (/\bname/.test(orderBy)) return files.toSorted((a, b) => a.name.localeCompare(b.name));
  return orderBy === 'modifiedTime' ? files.toSorted(newestFirst).reverse() : files.toSorted(newestFirst);
}
