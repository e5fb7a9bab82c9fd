import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { isLocalOrLoopbackHost } from '../hosts.ts';

/**
 * Where a webhook may go: to the internet, not into this server's own network. The name is resolved once, every address
 * is checked, and only what was checked is connected to; a second look-up could answer differently.
 */
export interface CheckedAddress {
  address: string;
  family: 4 | 6;
}

/** The address is one that nothing may be sent to. The message names no address: it is shown to the merchant. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

export type Resolve = (hostname: string) => Promise<{ address: string; family: number }[]>;

const resolveAll: Resolve = (hostname) => lookup(hostname, { all: true, verbatim: true });

/**
 * Networks that are not the public internet (IANA's special-purpose registries), and those that hide IPv4 addresses in
 * IPv6 ones.
 */
const inside = new BlockList();
const INSIDE_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // Azure's own, inside every virtual network.
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
for (const range of INSIDE_V4) {
  const [network = '', prefix] = range.split('/');
  inside.addSubnet(network, Number(prefix), 'ipv4');
}

/** Of IPv6 only global unicast is let through at all; of that, these are not what they seem. */
const outsideV6 = new BlockList();
outsideV6.addSubnet('2000::', 3, 'ipv6');
const INSIDE_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];
for (const range of INSIDE_V6) {
  const [network = '', prefix] = range.split('/');
  inside.addSubnet(network, Number(prefix), 'ipv6');
}

export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !inside.check(address, 'ipv4');
  return isIP(address) === 6 && outsideV6.check(address, 'ipv6') && !inside.check(address, 'ipv6');
}

/**
 * @param loopbackAllowed when the URL names this machine itself and nothing real is at stake; then it must lead to it
 * @returns all of its addresses, in their order: this machine may have no way to the first, such as over IPv6
 * @throws AddressRefused
 */
export async function checkAddress(
  hostname: string,
  { loopbackAllowed, resolve = resolveAll }: { loopbackAllowed: boolean; resolve?: Resolve },
): Promise<CheckedAddress[]> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const isLocal = isLocalOrLoopbackHost(host);
  if (isLocal && !loopbackAllowed) throw new AddressRefused('the address is on this machine');
  const version = isIP(host);
  const found = version ? [{ address: host, family: version }] : await resolve(isLocal ? 'localhost' : host);
  const isRight = isLocal ? (address: string) => isLocalOrLoopbackHost(address) : isPublicAddress;
  // One wrong address among right ones is a trap, not a spare.
  if (found.length === 0 || !found.every(({ address }) => isRight(address))) {
    throw new AddressRefused('the address is in a private network');
  }
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}
