import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether a URL's hostname means this machine for certain: `localhost` or a loopback address. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost') return true;
  const version = isIP(host);
  return version !== 0 && loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

/** Also `*.localhost`, which browsers resolve to this machine and treat as a secure context. */
export function isLocalOrLoopbackHost(hostname: string): boolean {
  return isLoopbackHost(hostname) || hostname.endsWith('.localhost');
}

/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`: what addressMatcher takes. */
export function isAddressOrRange(entry: string): boolean {
  const [address = '', prefix, ...more] = entry.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 6 ? 128 : 32));
}

/** A predicate over addresses from a list of addresses and CIDR ranges. */
export function addressMatcher(entries: string[]): (address: string) => boolean {
  const listed = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const version = isIP(address);
    if (version === 0) continue;
    const family = version === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) listed.addAddress(address, family);
    else listed.addSubnet(address, Number(prefix), family);
  }
  return (address) => {
    const plain = address.replace(/^::ffff:/, '');
    const version = isIP(plain);
    return version !== 0 && listed.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  };
}

/** As isLocalOrLoopbackHost, of a whole address. */
export function isLocalUrl(url: string): boolean {
  return isLocalOrLoopbackHost(new URL(url).hostname);
}

/** Whether an address from a provider's response may go to a browser: never a script, and never over a connection that others can read. */
export function isSafeUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLocalOrLoopbackHost(hostname));
}

/** The addresses that are counted as one caller: one IPv6 customer has a whole /64, so counting single addresses would limit no one. */
export function addressBlock(ip: string | null): string {
  if (ip === null) return 'unknown';
  if (!ip.includes(':')) return ip;
  const [head = ''] = ip.split('::');
  return `${head.split(':').concat(['0', '0', '0', '0']).slice(0, 4).join(':')}::/64`;
}
