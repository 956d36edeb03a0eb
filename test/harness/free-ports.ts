/** Ports for a product and its stand-ins. */
import { createServer } from 'node:net';

/**
 * A free port with four free ones after it, where the helpdesk and the stand-ins will be. Below the range that
 * systems take client ports from (32768 on Linux), so that nothing takes one while the product is restarted.
 */
export async function freePorts(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if ((await Promise.all([0, 1, 2, 3, 4].map((more) => port + more).map(isFree))).every(Boolean))
      return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
