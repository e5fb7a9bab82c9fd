import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/** Which field a value is sealed for. A sealed value that was copied to another one can't be opened there. */
export interface SealedWhere {
  table: string;
  row: string;
  column: string;
}

/** Seals what must not lie in the database in clear. `open` and `deriveClientSecret` throw SecretsError. */
export interface Secrets {
  /** Gives `v1.<key id>.<iv>.<tag>.<ciphertext>`, the last three in base64url. */
  seal(plain: string, where: SealedWhere): string;
  open(sealed: string, where: SealedWhere): string;
  /** The key that encrypts: the first of the list. */
  currentKeyId: string;
  /** All keys of the list, in its order. */
  keyIds: readonly string[];
  /** Whether the value was sealed with another key than the current one. */
  needsReseal(sealed: string): boolean;
  /** The 16 bytes that, after a link's own, make its address; the same each time. */
  deriveLinkProof(linkId: string, keyId: string): Buffer;
  /** The 43 characters (base64url of 32 bytes) that only the holder of the session was given; the same each time. */
  deriveClientSecret(sessionId: string, keyId: string): string;
  /**
   * Bytes that only a holder of the key can know; the same each time for the same purpose. The current key where
   * `keyId` is gone.
   */
  deriveBytes(purpose: string, keyId: string, length: number): Buffer;
}

/**
 * `bad_key`: not a key; `unknown_key`: not in the list; `malformed`: not a sealed value; `refused`: changed, or sealed
 * for another field.
 */
export type SecretsErrorCode = 'bad_key' | 'unknown_key' | 'malformed' | 'refused';

/** Never carries a key or a plain value. */
export class SecretsError extends Error {
  readonly code: SecretsErrorCode;

  constructor(code: SecretsErrorCode, message: string) {
    super(message);
    this.name = 'SecretsError';
    this.code = code;
  }
}

/** The size that GCM is specified for; a random one repeats with a chance of 2^-32 after 2^32 values of one key. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** RFC 5869: the counter of HKDF's first block, which is as long as a client secret. */
const FIRST_BLOCK = Buffer.of(1);
/** 128 bits: with the id's own 128 an address has 43 characters, and guessing one is hopeless. */
const LINK_PROOF_BYTES = 16;

/**
 * @param keys 32 bytes each, in base64. The first encrypts, all decrypt.
 * @throws {SecretsError} `bad_key`
 */
export function createSecrets(keys: readonly string[]): Secrets {
  const ring = new Map<string, KeyObject>();
  for (const [i, text] of keys.entries()) {
    const bytes = Buffer.from(text, 'base64');
    if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) {
      throw new SecretsError(
        'bad_key',
        `Encryption key ${i + 1} is not 32 bytes in base64 (make one with: openssl rand -base64 32).`,
      );
    }
    // 32 bits distinguish the few keys that one list ever holds, and reveal nothing about the key.
    const id = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
    if (ring.has(id)) throw new SecretsError('bad_key', `Encryption key ${i + 1} is in the list already.`);
    ring.set(id, createSecretKey(bytes));
  }
  const keyIds = [...ring.keys()];
  const currentKeyId = keyIds[0];
  if (currentKeyId === undefined) throw new SecretsError('bad_key', 'At least one encryption key is needed.');

  const keyOf = (id: string): KeyObject => {
    const key = ring.get(id);
    if (!key) throw new SecretsError('unknown_key', `No encryption key with the id ${id} is in the list.`);
    return key;
  };

  // RFC 5869, section 2.2, with no salt.
  const extracted = new Map(
    [...ring].map(([id, key]) => [id, createSecretKey(createHmac('sha256', '').update(key.export()).digest())]),
  );
  const prkOf = (id: string): KeyObject => extracted.get(id) ?? keyOf(id);

  return {
    currentKeyId,
    keyIds,

    seal(plain, where) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyOf(currentKeyId), iv);
      cipher.setAAD(fieldName(where, currentKeyId));
      const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return [
        'v1',
        currentKeyId,
        ...[iv, cipher.getAuthTag(), ciphertext].map((part) => part.toString('base64url')),
      ].join('.');
    },

    open(sealed, where) {
      const { keyId, iv, tag, ciphertext } = parse(sealed);
      const decipher = createDecipheriv('aes-256-gcm', keyOf(keyId), iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(fieldName(where, keyId));
      decipher.setAuthTag(tag);
      try {
        return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
      } catch {
        throw new SecretsError(
          'refused',
          `The sealed value in ${where.table}.${where.column} was changed or belongs to another row.`,
        );
      }
    },

    needsReseal: (sealed) => parse(sealed).keyId !== currentKeyId,

    deriveLinkProof(linkId, keyId) {
      return Buffer.from(
        hkdfSync('sha256', keyOf(keyId), '', `finix-bank-connect link v1:${linkId}`, LINK_PROOF_BYTES),
      );
    },

    deriveBytes(purpose, keyId, length) {
      const key = keyOf(ring.has(keyId) ? keyId : currentKeyId);
      return Buffer.from(hkdfSync('sha256', key, '', `finix-bank-connect ${purpose}`, length));
    },

    deriveClientSecret(sessionId, keyId) {
      const purpose = `finix-bank-connect client secret v1:${sessionId}`;
      // As hkdfSync, whose first half is the same for every session: each request of a page derives a secret.
      return createHmac('sha256', prkOf(keyId)).update(purpose).update(FIRST_BLOCK).digest('base64url');
    },
  };
}

function fieldName({ table, row, column }: SealedWhere, keyId: string): Buffer {
  return Buffer.from(`${table}:${row}:${column}:${keyId}`, 'utf8');
}

function parse(sealed: string): { keyId: string; iv: Buffer; tag: Buffer; ciphertext: Buffer } {
  const [, keyId, iv, tag, ciphertext] = /^v1\.([0-9a-f]{8})\.([\w-]{16})\.([\w-]{22})\.([\w-]*)$/.exec(sealed) ?? [];
  if (keyId === undefined || iv === undefined || tag === undefined || ciphertext === undefined) {
    throw new SecretsError('malformed', 'A stored value does not look sealed.');
  }
  const bytes = (part: string) => Buffer.from(part, 'base64url');
  return { keyId, iv: bytes(iv), tag: bytes(tag), ciphertext: bytes(ciphertext) };
}
