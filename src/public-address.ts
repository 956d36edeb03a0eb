/** Which IP addresses everybody can reach (shared/CONNECTORS.md 5.1). Pure. */
import ipaddr from 'ipaddr.js';

/** Azure's platform endpoint: a public address that only a virtual machine's own host answers on. */
const AZURE_WIRE_SERVER = '168.63.129.16';
/** IANA has given out global unicast addresses from 2000::/3 only; `::7f00:1` counts as unicast for ipaddr.js. */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

/** False also for a text that is no address. IPv4 in IPv6 counts as what it stands for. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed.kind() === 'ipv4' ? parsed.toString() !== AZURE_WIRE_SERVER : parsed.match(GLOBAL_IPV6);
}
