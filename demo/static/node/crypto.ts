import { sha256 } from './sha256.ts';

/**
 * In place of `node:crypto` where the simulator runs in a page. Ids, hashes and Finix's signatures are real; Plaid's
 * signatures are empty, because the browser signs asynchronously only, and what receives the webhooks there does not
 * verify them.
 */
export function randomUUID(): string {
  return crypto.randomUUID();
}

export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

interface Digest {
  update(text: string, encoding?: 'utf8'): Digest;
  digest(): Uint8Array;
  digest(encoding: 'hex'): string;
}

export function createHash(_algorithm: 'sha256'): Digest {
  return digestOf(sha256);
}

/** Of a block of SHA-256. */
const BLOCK = 64;

/** RFC 2104. */
export function createHmac(_algorithm: 'sha256', secret: string): Digest {
  const given = new TextEncoder().encode(secret);
  const key = new Uint8Array(BLOCK);
  key.set(given.length > BLOCK ? sha256(given) : given);
  const keyed = (mask: number, data: Uint8Array) =>
    sha256(
      join(
        key.map((byte) => byte ^ mask),
        data,
      ),
    );
  return digestOf((data) => keyed(0x5c, keyed(0x36, data)));
}

export function generateKeyPairSync(): { privateKey: object; publicKey: { export(): { x: string; y: string } } } {
  return { privateKey: {}, publicKey: { export: () => ({ x: '', y: '' }) } };
}

export function sign(): Uint8Array {
  return new Uint8Array();
}

function digestOf(hash: (data: Uint8Array) => Uint8Array): Digest {
  let data: Uint8Array = new Uint8Array();
  const digest = {
    update(text: string) {
      data = join(data, new TextEncoder().encode(text));
      return digest;
    },
    digest(encoding?: 'hex') {
      const bytes = hash(data);
      return encoding ? [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('') : bytes;
    },
  } as Digest;
  return digest;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
