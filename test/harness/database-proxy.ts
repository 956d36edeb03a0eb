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
  let trap: { readonly bytes: Buffer; readonly lost: 'request' | 'answer' } | undefined;

  const freezes = (chunk: Buffer, lost: 'request' | 'answer'): boolean => {
    if (trap?.lost !== lost || !chunk.includes(trap.bytes)) return false;
    trap = undefined;
    condition = 'freeze';
    return true;
  };

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
    from.on('data', (chunk: Buffer) => {
      freezes(chunk, 'request');
      then(() => {
        if (!to.destroyed) to.write(chunk);
        freezes(chunk, 'answer');
      });
    });
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
    /** Freezes at the next insert into a collection: with it on its way, or done and its acknowledgement lost. */
    freezeAtInsert: (collection: string, lost: 'request' | 'answer'): void => {
      const length = Buffer.alloc(4);
      length.writeInt32LE(collection.length + 1);
      trap = {
        bytes: Buffer.concat([Buffer.from('insert\0'), length, Buffer.from(`${collection}\0`)]),
        lost,
      };
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
