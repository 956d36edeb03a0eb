/**
 * Files of callers: what they upload for a call, and what a call brings them back. Kept for 24 hours, encrypted, read
 * by the same caller only (shared/CONTRACT.md, "Files").
 */
import { createHash } from 'node:crypto';
import type { FileDocument } from '../../models/types.js';
import type { FileContent, Files, JsonValue, StoredFile } from '../connectors/framework.js';
import { open, seal } from '../credentials/envelope.js';
import { AppError, UpstreamError } from '../errors.js';
import { newId } from '../ids.js';
import type { Dependencies } from './dependencies.js';

/** shared/RELIABILITY.md, G15. */
export const FILE_LIMIT = 25 * 1024 * 1024;
/** What a caller may have at a time, uploaded or brought: forty of the largest, or many small ones. */
export const CALLER_LIMIT = { bytes: 40 * FILE_LIMIT, files: 2_000 } as const;
const LIFETIME_MS = 24 * 3_600_000;
/** MongoDB takes documents of 16 MiB; a sealed chunk is a little larger than its bytes. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** `file_…` as results and arguments hold it. */
export interface FileAnswer extends StoredFile {
  readonly [key: string]: JsonValue;
}

export class FileService {
  constructor(private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'keys' | 'workspaceId'>) {}

  /**
   * @param executionId the execution that it answers; null for an upload
   * @throws AppError `invalid_arguments` above 25 MiB; `rate_limited` once the caller has all it may
   */
  async save(callerId: string, executionId: string | null, content: FileContent): Promise<FileAnswer> {
    const { models, workspaceId, clock } = this.deps;
    const { bytes } = content;
    if (bytes.byteLength > FILE_LIMIT)
      throw new AppError('invalid_arguments', 'A file has at most 25 MiB.', { path: '' });
    const now = clock.now();
    await this.checkRoom(callerId, bytes.byteLength, now);
    const file: FileDocument = {
      _id: newId('file'),
      workspaceId,
      callerId,
      executionId,
      name: plainName(content.name),
      type: plainType(content.type),
      size: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      createdAt: now,
      expiresAt: new Date(now.getTime() + LIFETIME_MS),
    };
    // The chunks first: a file that is there is whole. One by one: 25 MiB are not in memory a second time.
    for (let index = 0; index * CHUNK_BYTES < bytes.byteLength; index += 1) {
      const part = bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
      const record = seal(this.deps.keys, Buffer.from(part), this.context(file, index));
      const { _id: fileId, expiresAt } = file;
      await models.fileChunks.create([{ _id: `${fileId}:${index}`, workspaceId, fileId, record, expiresAt }]);
    }
    await models.files.create([file]);
    return answerOf(file);
  }

  /** Uploads at the same moment may go over it by each other's size. @throws AppError `rate_limited` */
  private async checkRoom(callerId: string, size: number, now: Date): Promise<void> {
    const { models, workspaceId } = this.deps;
    const [kept = { bytes: 0, files: 0 }] = await models.files.aggregate<{ bytes: number; files: number }>([
      { $match: { workspaceId, callerId, expiresAt: { $gt: now } } },
      { $group: { _id: null, bytes: { $sum: '$size' }, files: { $sum: 1 } } },
    ]);
    if (kept.bytes + size <= CALLER_LIMIT.bytes && kept.files < CALLER_LIMIT.files) return;
    const message = `This caller has as many files as it may: ${CALLER_LIMIT.files}, or 1,000 MiB. Each goes after 24 hours.`;
    throw new AppError('rate_limited', message, { retryAfter: 3_600 });
  }

  /** What is known about a file of this caller; null for others', and after 24 hours. */
  async find(callerId: string, reference: string): Promise<FileDocument | null> {
    const { models, workspaceId, clock } = this.deps;
    return models.files
      .findOne({ _id: reference, workspaceId, callerId, expiresAt: { $gt: clock.now() } })
      .lean();
  }

  /** @throws EnvelopeError | Error when a chunk was tampered with or is missing */
  async content(file: FileDocument): Promise<FileContent> {
    const { models, workspaceId, keys } = this.deps;
    const chunks = await models.fileChunks.find({ workspaceId, fileId: file._id }).lean();
    const byId = new Map(chunks.map((chunk) => [chunk._id, chunk.record]));
    const parts = Array.from({ length: Math.ceil(file.size / CHUNK_BYTES) }, (_, index) => {
      const record = byId.get(`${file._id}:${index}`);
      if (!record) throw new Error('a part of the file is missing');
      return open(keys, record, this.context(file, index));
    });
    const { name, type } = file;
    return { name, type, bytes: Buffer.concat(parts) };
  }

  /** The files of one call. What an answer brings is kept for the caller that asked. */
  of(callerId: string, executionId: string): Files {
    return {
      read: async (reference) => {
        const file = await this.find(callerId, reference);
        if (file) return this.content(file);
        throw new UpstreamError('invalid_arguments', missingFile(reference), { definite: true });
      },
      save: (content) =>
        this.save(callerId, executionId, content).catch((error: unknown) => {
          if (!(error instanceof AppError)) throw error;
          const [code, message] =
            error.code === 'rate_limited'
              ? ([error.code, error.message] as const)
              : (['upstream_rejected', 'The answer is larger than 25 MiB, the most that is kept.'] as const);
          // Whatever it answers has happened.
          throw new UpstreamError(code, message, { definite: false });
        }),
    };
  }

  /** The digest is part of it: other bytes under the same id do not open. */
  private context(file: Pick<FileDocument, '_id' | 'sha256' | 'callerId'>, index: number) {
    return {
      workspaceId: this.deps.workspaceId,
      connectionId: file._id,
      subject: file.callerId,
      generation: index,
      field: file.sha256,
    };
  }
}

export function missingFile(reference: string): string {
  return `There is no file ${reference} of this caller. Files are kept for 24 hours; upload it again (POST /v1/files).`;
}

export function answerOf({ _id: file, name, type, size, sha256 }: FileDocument): FileAnswer {
  return { file, name, type, size, sha256 };
}

/** No path and nothing invisible: a name is shown on cards and goes into headers. */
function plainName(name: string): string {
  const plain = [...name.normalize('NFC').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\]+/gu, '_')]
    .slice(0, 255)
    .join('')
    .trim();
  return plain === '' || plain === '.' || plain === '..' ? 'file' : plain;
}

function plainType(type: string): string {
  const plain = type.split(';')[0]?.trim().toLowerCase() ?? '';
  return /^[a-z0-9][\w.+-]{0,126}\/[a-z0-9][\w.+-]{0,126}$/.test(plain) ? plain : 'application/octet-stream';
}
