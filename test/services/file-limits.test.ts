/** What one caller may keep: much, and no more (G15). */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { newId } from '../../src/ids.js';
import { CALLER_LIMIT, FILE_LIMIT } from '../../src/services/files.js';
import { type PagesApp, startPagesApp } from '../http/pages-app.js';

let app: PagesApp;
beforeAll(async () => {
  app = await startPagesApp();
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => app.close());

const CONTENT = { name: 'note.txt', type: 'text/plain', bytes: Buffer.from('a note') };

/** Files that somebody has kept before, without their bytes. */
async function kept(callerId: string, sizes: readonly number[], hours = 24): Promise<void> {
  const expiresAt = new Date(Date.now() + hours * 3_600_000);
  const common = { workspaceId: 'T0TEST', callerId, executionId: null, name: 'x', type: 'text/plain' };
  const rest = { sha256: '0'.repeat(64), createdAt: new Date(), expiresAt };
  await app.models.files.insertMany(sizes.map((size) => ({ _id: newId('file'), ...common, ...rest, size })));
}

const save = (callerId: string) => app.services.files.save(callerId, null, CONTENT);

describe('the files of a caller', () => {
  it('end at so many bytes', async () => {
    await kept('cal_full', [CALLER_LIMIT.bytes - 5]);
    await expect(save('cal_full')).rejects.toMatchObject({ code: 'rate_limited', retryAfter: 3_600 });
    expect(await app.models.fileChunks.countDocuments({ workspaceId: 'T0TEST' })).toBe(0);
  });

  it('and at so many files, however small', async () => {
    await kept('cal_many', new Array<number>(CALLER_LIMIT.files).fill(1));
    await expect(save('cal_many')).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('do not count for another caller, nor once they are over', async () => {
    await kept('cal_was', [CALLER_LIMIT.bytes], -1);
    expect(await save('cal_was')).toMatchObject({ size: 6 });
    expect(await save('cal_other')).toMatchObject({ size: 6 });
  });

  it('count too where a call brought them, and a call that brings one more says so', async () => {
    await kept('cal_reads', [CALLER_LIMIT.bytes]);
    const saving = app.services.files.of('cal_reads', 'ex_1').save(CONTENT);
    await expect(saving).rejects.toMatchObject({ code: 'rate_limited', definite: false });
  });
});

it('one part after the other: a file is not in memory a second time while it is stored', async () => {
  const { fileChunks } = app.models;
  const create = fileChunks.create.bind(fileChunks);
  const sealed: number[] = [];
  const seal = vi.spyOn(app.deps.keys, 'wrap');
  vi.spyOn(fileChunks, 'create').mockImplementation((async (documents: Parameters<typeof create>[0]) => {
    sealed.push(seal.mock.calls.length);
    return create(documents);
  }) as never);
  await app.services.files.save('cal_large', null, { ...CONTENT, bytes: Buffer.alloc(FILE_LIMIT) });
  expect(sealed).toEqual([1, 2, 3, 4, 5, 6, 7]);
});
