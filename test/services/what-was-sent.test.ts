/** A write is unknown only once something that may write has left: looking things up before it changes nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Risk } from '../../models/types.js';
import type { CallContext, FunctionDefinition } from '../../src/connectors/framework.js';
import { expectOk } from '../../src/connectors/upstream.js';
import type { OutboundRequest } from '../../src/net/safe-fetch.js';
import { createServices, type Services } from '../../src/services/index.js';
import { type Lease, LeaseLost } from '../../src/services/lease.js';
import { type PagesApp, startPagesApp } from '../http/pages-app.js';
import { connection, execution, fn } from './documents.js';

let app: PagesApp;
let services: Services;
beforeAll(async () => {
  app = await startPagesApp();
  services = createServices({
    ...app.deps,
    outbound: {
      send: async ({ onBeforeSend, onSent, url }: OutboundRequest) => {
        onBeforeSend?.();
        onSent?.();
        const status = Number(new URL(url).pathname.slice(1));
        return { status, headers: {}, body: Buffer.from('{}'), text: () => '{}', json: () => ({}) };
      },
      mayBePrivate: () => false,
      close: async () => {},
    },
  });
});
afterAll(() => app.close());

interface Case {
  readonly risk?: Risk;
  readonly own?: FunctionDefinition['risk'];
  readonly mayWrite?: () => boolean;
}

/** Requests one after the other, `GET 200` and `POST 503`, each as strict as `expectOk`. */
async function ended(requests: readonly string[], { risk = 'write', own = risk, mayWrite }: Case = {}) {
  const call = execution({ risk, workspaceId: 'T0TEST' });
  const target = connection({ auth: 'none', config: { base_url: 'https://desk.example.com' } });
  const run = async (context: CallContext) => {
    for (const each of requests) {
      const [method = '', status] = each.split(' ');
      const answer = await context.fetch({
        method: method as 'GET',
        url: `https://desk.example.com/${status}`,
      });
      if (status === '299') throw new TypeError('an answer that cannot be understood');
      expectOk(answer, 'Desk');
    }
    return null;
  };
  const lease: Pick<Lease, 'assertMaySend'> = {
    assertMaySend: () => {
      if (mayWrite && !mayWrite()) throw new LeaseLost();
    },
  };
  const outcome = await services.calls.run(call, target, fn({ risk: own, run }), {}, null, lease as Lease);
  return outcome.status;
}

describe('a write', () => {
  it.each([
    ['whose look-up beforehand is not answered', ['GET 503'], 'failed'],
    ['whose look-up beforehand is not understood', ['GET 299'], 'failed'],
    ['that is not answered', ['POST 503'], 'outcome_unknown'],
    ['that is not understood', ['POST 299'], 'outcome_unknown'],
    ['that is not answered after a look-up', ['GET 200', 'PATCH 503'], 'outcome_unknown'],
    ['that is done, and cannot be read afterwards', ['POST 200', 'GET 503'], 'outcome_unknown'],
    ['that is refused', ['GET 200', 'POST 409'], 'failed'],
    ['that is done', ['GET 200', 'POST 200'], 'succeeded'],
  ])('%s', async (_what, requests, status) => {
    expect(await ended(requests)).toBe(status);
  });

  it('that lost its right to send after looking up has written nothing', async () => {
    let asked = 0;
    expect(await ended(['GET 200', 'POST 200'], { mayWrite: () => ++asked === 1 })).toBe('failed');
  });
});

describe('a GET that an admin calls a write', () => {
  it('may have changed something once it has left', async () => {
    expect(await ended(['GET 503'], { own: 'read' })).toBe('outcome_unknown');
  });
});

describe('a read', () => {
  it('fails, whatever it was sent with', async () => {
    expect(await ended(['POST 503'], { risk: 'read' })).toBe('failed');
  });
});
