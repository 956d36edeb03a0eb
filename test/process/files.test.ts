/** `/v1/files` as shared/CONTRACT.md has it: by reference, the same caller, 24 hours, encrypted at rest. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Api, createApi } from '../harness/http-api.js';

let api: Api;
beforeAll(async () => {
  api = await createApi(inject('mongoUri'));
});
afterAll(async () => api.close());

const authorized = (token = api.tokens.agent) => ({ authorization: `Bearer ${token}` });

async function upload(
  body: Uint8Array<ArrayBuffer> | string,
  headers: Record<string, string> = {},
  token?: string,
) {
  const response = await fetch(`${api.apps[0].origin}/v1/files`, {
    method: 'POST',
    headers: { ...authorized(token), ...headers },
    body,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const download = (reference: unknown, token?: string, via: 0 | 1 = 1) =>
  fetch(`${api.apps[via].origin}/v1/files/${String(reference)}`, { headers: authorized(token) });

describe('POST /v1/files and GET /v1/files/{id}', () => {
  it('keeps the bytes, from one process to the other', async () => {
    const bytes = new Uint8Array(randomBytes(9 * 1024 * 1024));
    const { status, body } = await upload(bytes, {
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename="plain.pdf"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.pdf`,
    });
    expect(status).toBe(201);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(body).toEqual({ file: expect.stringMatching(/^file_[a-z0-9]+$/), sha256, size: bytes.byteLength });
    const response = await download(body.file);
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    expect(response.headers.get('content-type')).toBe('application/pdf');
    expect(response.headers.get('content-disposition')).toBe(
      "attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe.pdf",
    );
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is another caller’s nothing, and needs a token', async () => {
    const { body } = await upload('for me alone', { 'content-type': 'text/plain' });
    expect((await download(body.file, api.tokens.stranger)).status).toBe(404);
    expect((await fetch(`${api.apps[0].origin}/v1/files/${String(body.file)}`)).status).toBe(401);
    expect((await upload('x', {}, 'no-such-token')).status).toBe(401);
  });

  it('is not in the database in plain', async () => {
    await upload('fake-secret-canary-file', { 'content-type': 'text/plain' });
    const chunks = await api.connected.deps.models.fileChunks.find({ workspaceId: { $exists: true } }).lean();
    const whole = JSON.stringify(chunks);
    for (const form of [
      'fake-secret-canary-file',
      Buffer.from('fake-secret-canary-file').toString('base64'),
    ]) {
      expect(whole).not.toContain(form);
    }
  });

  it('refuses what is empty, too large, tampered with or over', async () => {
    expect((await upload('')).status).toBe(400);
    const large = await upload(new Uint8Array(25 * 1024 * 1024 + 1)).catch(() => ({ status: 413 }));
    expect(large.status).toBe(413);
    const { models } = api.connected.deps;
    const { body } = await upload('soon over');
    await models.files.updateOne({ _id: String(body.file) }, { $set: { expiresAt: new Date(0) } });
    expect((await download(body.file)).status).toBe(404);
    const other = (await upload('forged')).body;
    await models.files.updateOne({ _id: String(other.file) }, { $set: { sha256: '0'.repeat(64) } });
    expect((await download(other.file)).status).toBe(500);
  });

  it('takes no name as a path or a header', async () => {
    const { body } = await upload('x', { 'content-disposition': 'attachment; filename="../../etc/passwd"' });
    const response = await download(body.file);
    expect(response.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''.._.._etc_passwd");
  });
});
