const LOOPBACK = /^(.+\.)?localhost$|^127(\.\d+){3}$|^\[::1\]$/;

/**
 * Whether an address from a response may be opened or shown: never as a script in the page's own origin, and never over
 * a connection that others can read. Loopback is for development.
 */
export function isSafeAddress(address: string): boolean {
  try {
    // `URL` is the name of a variable on many a page; browsers have the same class under this name.
    const { protocol, hostname } = new (globalThis.webkitURL ?? URL)(address);
    return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
  } catch {
    return false;
  }
}
