const LOOPBACK = /^(.+\.)?localhost$|^127(\.\d+){3}$|^\[::1\]$/;

/**
 * Whether an address from a response may be opened or shown: never as a script in the page's own origin, and never over
 * a connection that others can read. Loopback is for development.
 */
export function isSafeAddress(address: string): boolean {
  try {
    const { protocol, hostname } = new URL(address);
    return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
  } catch {
    return false;
  }
}
