/** An answer that cannot be kept whole is no reason to say that a write did not happen, or that nobody knows. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Risk } from '../../models/types.js';
import { loadConnector } from '../../src/connectors/catalogue.js';
import type { FunctionDefinition } from '../../src/connectors/framework.js';
import { FILE_LIMIT } from '../../src/services/files.js';
import type { Lease } from '../../src/services/lease.js';
import { type PagesApp, startPagesApp } from '../http/pages-app.js';
import { connection, execution, fn } from './documents.js';

let app: PagesApp;
beforeAll(async () => {
  app = await startPagesApp();
  await loadConnector('rest');
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => app.close());

const lease: Pick<Lease, 'assertMaySend'> = { assertMaySend: () => {} };

function outcomeOf(risk: Risk, run: FunctionDefinition['run']) {
  const call = execution({ risk, callerId: 'cal_1', workspaceId: 'T0TEST' });
  const target = connection({ auth: 'none', config: { base_url: 'https://helpdesk.example.com' } });
  return app.services.calls.run(call, target, fn({ risk, run }), {}, null, lease as Lease);
}

const LARGE = { text: 'x'.repeat(300 * 1024) };
const away = () => new Error('Timed out while checking out a connection from connection pool');

describe('a write that is done', () => {
  it('has not failed because it brought more than is kept', async () => {
    const bytes = Buffer.alloc(FILE_LIMIT + 1);
    const outcome = await outcomeOf('write', (context) => {
      context.aboutToSend();
      return context.files.save({ name: 'speech.wav', type: 'audio/wav', bytes });
    });
    expect(outcome.status).toBe('outcome_unknown');
  });

  it('has succeeded although the whole of its answer could not be kept beside', async () => {
    vi.spyOn(app.models.fileChunks, 'create').mockRejectedValue(away());
    const outcome = await outcomeOf('write', async (context) => {
      context.aboutToSend();
      return LARGE;
    });
    expect(outcome).toMatchObject({ status: 'succeeded', truncated: true });
    expect(JSON.stringify(outcome)).not.toContain('file_');
  });
});

describe('a read', () => {
  it('of more than is kept fails, and says why', async () => {
    const bytes = Buffer.alloc(FILE_LIMIT + 1);
    const outcome = await outcomeOf('read', (context) =>
      context.files.save({ name: 'film.mp4', type: 'video/mp4', bytes }),
    );
    expect(outcome).toMatchObject({ status: 'failed', code: 'upstream_rejected' });
    expect(JSON.stringify(outcome)).toContain('25 MiB');
  });

  it('of a long answer comes with the whole as a file', async () => {
    const outcome = await outcomeOf('read', async () => LARGE);
    expect(outcome).toMatchObject({ status: 'succeeded', value: { file: { file: expect.any(String) } } });
  });
});

describe('a file that a call brings', () => {
  const SECRET = 'fake-canary-token-8812';
  const binary = Buffer.from(Array.from({ length: 1_024 }, (_, index) => index % 256));

  async function keptOf(bytes: Buffer): Promise<{ bytes: Buffer; name: string }> {
    const { credentials, calls, files } = app.services;
    const credential = await credentials.store({
      connectionId: 'con_1',
      subject: 'shared',
      kind: 'secret',
      fields: { token: SECRET },
      createdBy: 'U0ADA',
    });
    const call = execution({ risk: 'read', callerId: 'cal_1', workspaceId: 'T0TEST' });
    const target = connection({ auth: 'bearer', config: { base_url: 'https://helpdesk.example.com' } });
    const save = fn({
      run: async (context) => (await context.files.save({ name: `${SECRET}.bin`, type: 'a/b', bytes })).file,
    });
    const outcome = await calls.run(call, target, save, {}, credential, lease as Lease);
    const found = await files.find('cal_1', outcome.status === 'succeeded' ? String(outcome.value) : '');
    if (!found) throw new Error(JSON.stringify(outcome));
    return { bytes: Buffer.from((await files.content(found)).bytes), name: found.name };
  }

  it('does not say the credential back', async () => {
    const said = Buffer.concat([binary, Buffer.from(`authorization: Bearer ${SECRET}`), binary]);
    const { bytes, name } = await keptOf(said);
    expect(bytes.includes(SECRET)).toBe(false);
    expect(bytes.includes('authorization: Bearer [redacted]')).toBe(true);
    expect(bytes.subarray(0, binary.length).equals(binary)).toBe(true);
    expect(bytes.subarray(-binary.length).equals(binary)).toBe(true);
    expect(name).toBe('[redacted].bin');
  });

  it('is kept byte by byte where it says nothing of it', async () => {
    expect((await keptOf(binary)).bytes.equals(binary)).toBe(true);
  });
});
