import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `ses_` and the like, then 24 characters of 62: 142 bits, so ids never collide and can't be guessed. */
export function newId(
  prefix: 'ses' | 'con' | 'itm' | 'call' | 'req' | 'anon' | 'tag' | 'evt' | 'hl' | 'msg' | 'aud' | 'erased',
): string {
  let id = '';
  while (id.length < 24) {
    for (const byte of randomBytes(32)) {
      // 248 is the largest multiple of 62 in a byte; bytes above it would favor the alphabet's beginning.
      if (byte < 248 && id.length < 24) id += ALPHABET[byte % 62];
    }
  }
  return `${prefix}_${id}`;
}

/** `lnk_` and 128 bits in hexadecimal digits: the first half of the link's address, see records/link-address.ts. */
export function newLinkId(): string {
  return `lnk_${randomBytes(16).toString('hex')}`;
}

/** Lower-case hex SHA-256 of a text in UTF-8. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
