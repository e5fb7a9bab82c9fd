import { crc32, deflateSync } from 'node:zlib';

/** Plaid's logos have this many pixels on each side. */
const SIZE = 152;

/** The logo of an invented bank: a ring in the bank's color on white, as a PNG in base64. */
export function logoOf(color: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  const middle = (SIZE - 1) / 2;
  const rows = Buffer.alloc(SIZE * (1 + SIZE * 3), 255);
  for (let y = 0; y < SIZE; y++) {
    const row = y * (1 + SIZE * 3);
    // No filter.
    rows[row] = 0;
    for (let x = 0; x < SIZE; x++) {
      const distance = Math.hypot(x - middle, y - middle);
      const isInk = (distance > 36 && distance < 56) || distance < 16;
      if (isInk) rows.set([red, green, blue], row + 1 + x * 3);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIZE, 0);
  header.writeUInt32BE(SIZE, 4);
  // Eight bits for each of three colors.
  header.set([8, 2], 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]).toString('base64');
}

function chunk(name: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(name), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(content), 4);
  return Buffer.concat([ends.subarray(0, 4), content, ends.subarray(4)]);
}
