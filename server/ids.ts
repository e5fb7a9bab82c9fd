import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `ses_` and the like, then 24 characters of 62: 142 bits, so ids never collide and can't be guessed. */
export function newId(
  prefix: 'ses' | 'con' | 'itm' | 'call' | 'req' | 'anon' | 'tag' | 'evt' | 'hl' | 'chk' | 'msg' | 'aud' | 'erased',
): string {
  return `${prefix}_${charactersOf(() => nextRandom(32))}`;
}

/** Asking the system for random bytes costs microseconds each time, and a bank takes some thirty ids. */
const POOL_BYTES = 4096;
let pool: Uint8Array = new Uint8Array(0);
let used = 0;

/** Bytes that no other id is made of. */
function nextRandom(count: number): Uint8Array {
  if (used + count > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}

/** An id of the same form from given bytes. @param more gives bytes, others each time */
export function derivedId(prefix: 'con', more: (round: number) => Buffer): string {
  return `${prefix}_${charactersOf(more)}`;
}

function charactersOf(more: (round: number) => Uint8Array): string {
  let id = '';
  for (let round = 0; id.length < 24; round++) {
    for (const byte of more(round)) {
      // 248 is the largest multiple of 62 in a byte; bytes above it would favor the alphabet's beginning.
      if (byte < 248 && id.length < 24) id += ALPHABET[byte % 62];
    }
  }
  return id;
}

/** `lnk_` and 128 bits in hexadecimal digits: the first half of the link's address, see records/link-address.ts. */
export function newLinkId(): string {
  return `lnk_${randomBytes(16).toString('hex')}`;
}

/** Milliseconds since 1970 as they are written on the wire. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** Lower-case hex SHA-256 of a text in UTF-8. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** What Plaid knows the customer as. Plaid forbids personal data there, and merchants use e-mail addresses as ids. */
export function plaidUserId(customerId: string): string {
  return sha256(`finix-bank-connect client_user_id ${customerId}`);
}

/** Whether an id is one that took the place of an erased customer's. */
export function isErased(customerId: string): boolean {
  return /^erased_[A-Za-z0-9]{24}$/.test(customerId);
}
