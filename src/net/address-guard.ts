/**
 * Which addresses the process may connect to (shared/CONNECTORS.md 5.1). The check is made on the address actually
 * connected to, so a name that resolves differently the second time gains nothing.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, isIPv6, type LookupFunction, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';
import { isPublicAddress } from '../public-address.js';

/** A connection that was not made, or was closed before a byte was sent. The message is for people. */
export class ForbiddenAddressError extends Error {
  constructor(target: string, reason: string) {
    super(
      `${target} was not called: ${reason}. If it is meant to be reached, the operator may add ` +
        `${target} to OUTBOUND_ALLOW_PRIVATE.`,
    );
    this.name = 'ForbiddenAddressError';
  }
}

/** `host:port` pairs that may be private and may be spoken to over http. */
export type PrivateTargets = ReadonlySet<string>;

/**
 * Normalises the entries of `OUTBOUND_ALLOW_PRIVATE` as URLs are (case, IPv4 forms, IPv6 in brackets).
 * @throws Error naming an entry that is not host:port
 */
export function parsePrivateTargets(entries: readonly string[]): PrivateTargets {
  return new Set(entries.map(parseTarget));
}

function parseTarget(entry: string): string {
  const port = /^[^/?#@\\\s]+:(\d{1,5})$/.exec(entry)?.[1];
  if (port === undefined || !URL.canParse(`https://${entry}`)) {
    throw new Error(`OUTBOUND_ALLOW_PRIVATE: "${entry}" is not of the form host:port.`);
  }
  return `${new URL(`https://${entry}`).hostname}:${Number(port)}`;
}

/** The `host:port` of a URL, as in `PrivateTargets`. */
export function targetOf(url: URL): string {
  return `${url.hostname}:${url.port || defaultPort(url.protocol)}`;
}

function defaultPort(protocol: string): string {
  return protocol === 'http:' ? '80' : '443';
}

/** Why an IP address must not be connected to, in words; undefined for a public one. */
export function addressRefusal(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return 'its address cannot be read';
  return isPublicAddress(address) ? undefined : `its address ${address} is not a public one`;
}

export interface ConnectorOptions {
  readonly allowPrivate: PrivateTargets;
  /** Milliseconds for name resolution, TCP and TLS together. */
  readonly connectMs: number;
  /** Replaced in tests; `node:dns` otherwise. */
  readonly lookup?: LookupFunction | undefined;
}

/**
 * Connects for undici. A target in `allowPrivate` is taken as it is; any other must be https and public, both when
 * its name is resolved and once the socket is connected.
 */
export function createGuardedConnector(options: ConnectorOptions): buildConnector.connector {
  const { allowPrivate, connectMs: timeout, lookup = systemLookup } = options;
  const open = buildConnector({ timeout, allowH2: false, lookup });
  const guarded = buildConnector({ timeout, allowH2: false, lookup: publicOnly(lookup) });
  return (request, callback) => {
    const host = isIPv6(request.hostname) ? `[${request.hostname}]` : request.hostname;
    const target = `${host}:${request.port || defaultPort(request.protocol)}`;
    if (allowPrivate.has(target)) return open(request, callback);
    const refusal = targetRefusal(request);
    if (refusal) return callback(new ForbiddenAddressError(target, refusal), null);
    guarded(request, (error, socket) => {
      if (error instanceof NoPublicAddress)
        return callback(new ForbiddenAddressError(target, error.message), null);
      if (error) return callback(error, null);
      const reached = connectedRefusal(socket);
      if (!reached) return callback(null, socket);
      socket.destroy();
      callback(new ForbiddenAddressError(target, reached), null);
    });
  };
}

/** Node does not call `lookup` for an IP literal, so a literal is checked here. */
function targetRefusal({ protocol, hostname }: buildConnector.Options): string | undefined {
  if (protocol !== 'https:') return 'only https is allowed';
  return isIP(hostname) ? addressRefusal(hostname) : undefined;
}

function connectedRefusal(socket: Socket): string | undefined {
  return addressRefusal(socket.remoteAddress ?? '');
}

class NoPublicAddress extends Error {}

/** A `lookup` that gives only public addresses, and an error when there is none. */
function publicOnly(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const found: LookupAddress[] = Array.isArray(addresses)
        ? addresses
        : [{ address: addresses, family: isIP(addresses) }];
      const allowed = found.filter(({ address }) => addressRefusal(address) === undefined);
      const [first] = allowed;
      if (!first) {
        const reason = found[0] && addressRefusal(found[0].address);
        return callback(new NoPublicAddress(reason ?? 'its name has no address'), []);
      }
      return options.all ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };
}
