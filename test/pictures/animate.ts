/** Milliseconds that a frame stays. */
export interface Frame {
  png: Uint8Array;
  ms: number;
}

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const MILLISECONDS_IN_SECOND = 1_000;

interface Chunk {
  type: string;
  data: Buffer;
}

/**
 * One animated PNG of several, which browsers play and everything else shows as its first frame. The frames must have
 * one size and one color type, as screenshots of one window have. By the PNG specification, third edition: each frame's
 * compressed data are kept as they are.
 */
export function animate(frames: readonly Frame[]): Buffer {
  const [first] = frames;
  if (!first) throw new Error('There is no frame.');
  const header = chunksOf(first.png).find(({ type }) => type === 'IHDR')?.data;
  if (!header) throw new Error('The first frame is no PNG.');
  const size = header.subarray(0, 8);
  let sequence = 0;
  const parts = [SIGNATURE, chunk('IHDR', header), chunk('acTL', numbers(frames.length, 0))];
  for (const [index, { png, ms }] of frames.entries()) {
    const chunks = chunksOf(png);
    if (!chunks.some(({ type, data }) => type === 'IHDR' && data.equals(header))) {
      throw new Error(`Frame ${index + 1} has another size or color type than the first.`);
    }
    const delay = Buffer.alloc(6);
    delay.writeUInt16BE(ms, 0);
    delay.writeUInt16BE(MILLISECONDS_IN_SECOND, 2);
    // Width, height, no offset, the delay; the frame stays and the next one replaces it.
    parts.push(chunk('fcTL', Buffer.concat([numbers(sequence++), size, numbers(0, 0), delay])));
    for (const { type, data } of chunks) {
      if (type !== 'IDAT') continue;
      parts.push(index === 0 ? chunk('IDAT', data) : chunk('fdAT', Buffer.concat([numbers(sequence++), data])));
    }
  }
  parts.push(chunk('IEND', Buffer.alloc(0)));
  return Buffer.concat(parts);
}

export function chunksOf(png: Uint8Array): Chunk[] {
  const bytes = Buffer.from(png);
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new Error('This is no PNG.');
  const chunks: Chunk[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    chunks.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      data: bytes.subarray(at + 8, at + 8 + length),
    });
    at += length + 12;
  }
  return chunks;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([numbers(data.length), body, numbers(crc32(body))]);
}

function numbers(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value >>> 0, index * 4);
  return buffer;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

/** The check sum of PNG. `node:zlib` has it only from Node 22 on. */
function crc32(data: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of data) sum = (TABLE[(sum ^ byte) & 255] ?? 0) ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}
