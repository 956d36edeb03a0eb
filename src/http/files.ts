/** Files of callers: uploaded for a call, or brought back by one (shared/CONTRACT.md, "Files"). */
import type { FastifyInstance, preParsingAsyncHookHandler } from 'fastify';
import { AppError } from '../errors.js';
import { FILE_LIMIT, missingFile } from '../services/files.js';
import type { Services } from '../services/index.js';
import { inTime, RETRY_AFTER_SECONDS, registerCallerScope } from './caller-scope.js';

const METHODS = { '/v1/files': ['POST'], '/v1/files/:id': ['GET', 'HEAD'] };

/** A file is in memory while it arrives: what one caller, and all of them, may send to this process at a time. */
const UPLOADS_AT_ONCE = { caller: 4, all: 8 };

export function registerFiles(server: FastifyInstance, services: Services): void {
  /** The caller of each upload under way. */
  const uploading: string[] = [];
  registerCallerScope(server, services, METHODS, ({ scope, callerOf, deadlineOf }) => {
    // Whatever its type: the bytes are kept as they are.
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: FILE_LIMIT }, (_request, body, done) =>
      done(null, body),
    );

    const takePlace: preParsingAsyncHookHandler = async (request, reply) => {
      const caller = callerOf(request)._id;
      const own = uploading.filter((each) => each === caller);
      if (own.length >= UPLOADS_AT_ONCE.caller || uploading.length >= UPLOADS_AT_ONCE.all) {
        const message = 'Too many files are being uploaded at the same time. Try again in a moment.';
        throw new AppError('rate_limited', message, { retryAfter: RETRY_AFTER_SECONDS });
      }
      uploading.push(caller);
      reply.raw.once('close', () => uploading.splice(uploading.indexOf(caller), 1));
    };

    const options = { bodyLimit: FILE_LIMIT, preParsing: takePlace };
    scope.post('/v1/files', options, async (request, reply) => {
      const bytes = request.body;
      if (!Buffer.isBuffer(bytes) || bytes.byteLength === 0) {
        const message = 'The body of the request is the file itself, and it is empty.';
        throw new AppError('invalid_arguments', message, { path: '' });
      }
      const { file, sha256, size } = await services.files.save(callerOf(request)._id, null, {
        name: fileName(request.headers['content-disposition'] ?? ''),
        type: request.headers['content-type'] ?? '',
        bytes,
      });
      return reply.code(201).send({ file, sha256, size });
    });

    scope.get<{ Params: { id: string } }>('/v1/files/:id', async (request, reply) => {
      const { id } = request.params;
      const file = await inTime(deadlineOf(request), services.files.find(callerOf(request)._id, id));
      if (!file) throw new AppError('not_found', missingFile(id));
      const { bytes } = await services.files.content(file);
      return reply
        .headers({
          'content-type': file.type,
          'content-disposition': `attachment; filename*=UTF-8''${encodeRfc5987(file.name)}`,
          // What an outside system wrote is never shown by a browser as ours.
          'x-content-type-options': 'nosniff',
          'content-security-policy': "sandbox; default-src 'none'",
          'cache-control': 'private, no-store',
          etag: `"${file.sha256}"`,
        })
        .send(bytes);
    });
  });
}

/** The name in a Content-Disposition header (RFC 6266): `filename*` before `filename`. Empty when there is none. */
export function fileName(header: string): string {
  const extended = /(?:^|;)\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(header)?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      // A broken encoding: the plain name may still be there.
    }
  }
  const [, quoted, plain] = /(?:^|;)\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(header) ?? [];
  return quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
}

function encodeRfc5987(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
