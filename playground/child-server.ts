/**
 * Loaded into a server program before its own code (`node --import`): whatever address it would listen on, it gets a
 * free port on loopback, which the parent is told; and it ends when the parent does, however that ended.
 */
import { type AddressInfo, Server } from 'node:net';

const { listen } = Server.prototype;

Server.prototype.listen = function (this: Server, ...given: unknown[]) {
  const listening = given.find((each) => typeof each === 'function');
  this.once('listening', () => process.send?.({ port: (this.address() as AddressInfo).port }));
  return listen.call(this, { port: 0, host: '127.0.0.1' }, () => listening?.());
};

// The channel closes with the parent, also when that was killed.
if (!process.connected) process.exit();
process.once('disconnect', () => process.exit());
