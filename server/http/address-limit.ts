import { addressBlock } from '../hosts.ts';

/** Limits by the caller's address that cost no database write: for requests that need no credential. */
export interface AddressLimit {
  /** Counts one more use. @returns seconds to wait, or 0 when it is allowed */
  take(ip: string | null): number;
}

/** Bounds the memory: one entry is about 100 bytes, and a flood from more networks than this is counted together. */
const MOST_BLOCKS = 10_000;

/** @param limit how many uses of one network block are allowed in one window */
export function createAddressLimit(
  { limit, windowMs }: { limit: number; windowMs: number },
  now: () => number = Date.now,
): AddressLimit {
  let windowStart = 0;
  const hits = new Map<string, number>();
  return {
    take(ip) {
      const at = now();
      if (at - windowStart >= windowMs) {
        hits.clear();
        windowStart = at;
      }
      const block = hits.size < MOST_BLOCKS || hits.has(addressBlock(ip)) ? addressBlock(ip) : 'others';
      const count = (hits.get(block) ?? 0) + 1;
      hits.set(block, count);
      return count <= limit ? 0 : Math.max(1, Math.ceil((windowStart + windowMs - at) / 1000));
    },
  };
}
