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

/**
 * Whether an address from a provider's response may go to a browser: never a script, and never over a connection that
 * others can read.
 */
export function isSafeUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLocalOrLoopbackHost(hostname));
}

/**
 * The addresses that are counted as one caller: one IPv6 customer has a whole /64, so counting single addresses would
 * limit no one.
 */
export function addressBlock(ip: string | null): string {
  if (ip === null) return 'unknown';
  const groups = ipv6Groups(ip);
  return groups ? `${groups.slice(0, 4).join(':')}::/64` : ip;
}

/** The /56 of an IPv6 address, which providers give to one site; undefined for others. */
export function siteBlock(ip: string | null): string | undefined {
  const groups = ip === null ? undefined : ipv6Groups(ip);
  if (!groups) return undefined;
  const fourth = (Number.parseInt(groups[3] ?? '0', 16) & 0xff00).toString(16);
  return `${groups.slice(0, 3).join(':')}:${fourth}::/56`;
}

/** The eight groups in their one shortest spelling; undefined: not IPv6. */
function ipv6Groups(ip: string): string[] | undefined {
  if (isIP(ip) !== 6) return undefined;
  // URL writes every spelling the same way, embedded IPv4 included.
  const [head = '', tail] = new URL(`http://[${ip.replace(/%.*$/, '')}]`).hostname.slice(1, -1).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
}

/**
 * An address as a proxy may write it, `192.0.2.1:4711` and `[2001:db8::1]:4711` included, in its one spelling.
 * @returns undefined when it is no address
 */
export function parseAddress(text: string): string | undefined {
  if (isIP(text) === 4) return text;
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
  const address = bare.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIP(address) === 4) return address;
  const groups = ipv6Groups(address);
  return groups && new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
