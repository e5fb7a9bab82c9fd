/**
 * SHA-256 without waiting, which the browser's own is not: the simulator hashes in the middle of a synchronous step.
 */
export function sha256(data: Uint8Array): Uint8Array {
  const hash = Uint32Array.from(START);
  const schedule = new Uint32Array(64);
  const message = pad(data);
  for (let at = 0; at < message.byteLength; at += 64) {
    for (let i = 0; i < 16; i++) schedule[i] = message.getUint32(at + i * 4);
    for (let i = 16; i < 64; i++) {
      const [a, b] = [schedule[i - 15] ?? 0, schedule[i - 2] ?? 0];
      const small = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
      const large = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
      schedule[i] = (schedule[i - 16] ?? 0) + small + (schedule[i - 7] ?? 0) + large;
    }
    round(hash, schedule);
  }
  const result = new DataView(new ArrayBuffer(32));
  for (const [i, word] of hash.entries()) result.setUint32(i * 4, word);
  return new Uint8Array(result.buffer);
}

function round(hash: Uint32Array, schedule: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
  for (let i = 0; i < 64; i++) {
    const one =
      h +
      (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
      ((e & f) ^ (~e & g)) +
      (CONSTANTS[i] ?? 0) +
      (schedule[i] ?? 0);
    const two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    hash[i] = (hash[i] ?? 0) + word;
  });
}

/** A one bit, zeros, and the length in bits: whole blocks of 64 bytes. */
function pad(data: Uint8Array): DataView {
  const length = Math.ceil((data.length + 9) / 64) * 64;
  const bytes = new Uint8Array(length);
  bytes.set(data);
  bytes[data.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setBigUint64(length - 8, BigInt(data.length) * 8n);
  return view;
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

const PRIMES = firstPrimes(64);
/** The first 32 bits of the fractional parts of the square roots of the first eight primes. */
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
/** The same of the cube roots of the first 64. */
const CONSTANTS = PRIMES.map((prime) => fraction(Math.cbrt(prime)));

function fraction(value: number): number {
  return Math.floor((value - Math.floor(value)) * 2 ** 32);
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}
