/** A wire to the database that can freeze, break and slow down, as a real one does. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/**
 * `freeze`: connections stay up and nothing comes through; what was on its way arrives when it thaws, as with a server
 * that was stopped (SIGSTOP). `refuse`: connections are cut, and new ones as well.
 */
export type Condition = 'open' | 'freeze' | 'refuse' | { readonly delayMs: number };

export type DatabaseProxy = Awaited<ReturnType<typeof startDatabaseProxy>>;

/** @param uri of the real server; the answer's goes through the proxy, past the replica set's own addresses */
export async function startDatabaseProxy(uri: string) {
  const target = new URL(uri.replace(/^mongodb:/, 'http:'));
  let condition: Condition = 'open';
  const sockets = new Set<Socket>();
  let held: (() => void)[] = [];

  const pass = (from: Socket, to: Socket): void => {
    // One after the other, so that a change of pace never reorders bytes.
    let last = Promise.resolve();
    const then = (act: () => void): void => {
      last = last.then(async () => {
        if (typeof condition === 'object') await new Promise((resolve) => setTimeout(resolve, delay()));
        if (condition === 'freeze') await new Promise<void>((resolve) => held.push(resolve));
        act();
      });
    };
    const delay = (): number => (typeof condition === 'object' ? condition.delayMs / 2 : 0);
    from.on('data', (chunk: Buffer) => then(() => void (to.destroyed || to.write(chunk))));
    from.on('end', () => then(() => to.end()));
    from.on('error', () => undefined);
    from.on('close', () => sockets.delete(from));
    sockets.add(from);
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (condition === 'refuse') {
      client.destroy();
      return;
    }
    const upstream = connect({ host: target.hostname, port: Number(target.port), allowHalfOpen: true });
    pass(client, upstream);
    pass(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(uri);
  through.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  through.search = '?directConnection=true';

  return {
    uri: through.href,
    set: (next: Condition): void => {
      condition = next;
      if (next === 'refuse') for (const socket of sockets) socket.destroy();
      if (next === 'freeze') return;
      for (const go of held) go();
      held = [];
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
