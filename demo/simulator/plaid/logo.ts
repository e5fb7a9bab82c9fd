import { crc32, deflateSync } from 'node:zlib';
import { base64 } from '../ids.ts';

/** Plaid's logos have this many pixels on each side. */
const SIZE = 152;
/** A filter byte, then three colors for each pixel. */
const ROW = 1 + SIZE * 3;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** The logo of an invented bank: a ring in the bank's color on white, as a PNG in base64. */
export function logoOf(color: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  const middle = (SIZE - 1) / 2;
  const rows = new Uint8Array(SIZE * ROW).fill(255);
  for (let y = 0; y < SIZE; y++) {
    const row = y * ROW;
    // No filter.
    rows[row] = 0;
    for (let x = 0; x < SIZE; x++) {
      const distance = Math.hypot(x - middle, y - middle);
      const isInk = (distance > 36 && distance < 56) || distance < 16;
      if (isInk) rows.set([red, green, blue], row + 1 + x * 3);
    }
  }
  // Eight bits for each of three colors.
  const header = new Uint8Array([...uint32(SIZE), ...uint32(SIZE), 8, 2, 0, 0, 0]);
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', new Uint8Array())];
  return base64(new Uint8Array([...SIGNATURE, ...chunks.flat()]));
}

function chunk(name: string, data: Uint8Array): number[] {
  const content = new Uint8Array([...new TextEncoder().encode(name), ...data]);
  return [...uint32(data.length), ...content, ...uint32(crc32(content))];
}

/** Four bytes, the highest first. */
function uint32(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
}
