/**
 * In place of `node:zlib`, for the logos of the simulator's banks: the zlib format without compression (RFC 1950 and
 * 1951).
 */

/** The longest block that is stored as it is. */
const MOST = 0xffff;

export function deflateSync(data: Uint8Array): Uint8Array {
  const parts: number[] = [0x78, 0x01];
  for (let at = 0; at < data.length; at += MOST) {
    const block = data.subarray(at, at + MOST);
    const isLast = at + MOST >= data.length;
    const { length } = block;
    parts.push(isLast ? 1 : 0, length & 255, length >>> 8, ~length & 255, (~length >>> 8) & 255, ...block);
  }
  return new Uint8Array([...parts, ...adler32(data)]);
}

function adler32(data: Uint8Array): number[] {
  let [a, b] = [1, 0];
  for (const byte of data) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return [b >>> 8, b & 255, a >>> 8, a & 255];
}

export function crc32(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
