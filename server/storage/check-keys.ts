import { StorageSetupError } from './errors.ts';
import type { Storage } from './open.ts';
import { type Secrets, SecretsError } from './secrets.ts';

/**
 * One row of `meta` for each key that stored values may still need: a text sealed with that key. A start without the
 * key then fails at the start, and not at the first customer whose row can't be opened.
 */
const PREFIX = 'key_check:';
const TEXT = 'finix-bank-connect';

const where = (keyId: string) => ({ table: 'meta', row: PREFIX + keyId, column: 'value' });

/**
 * Checks that every key which stored values may need is in the list, and makes the current one known to the database.
 * Call it at the start, before anything is sealed.
 * @throws {StorageSetupError} a key is missing; the message names its id
 */
export async function assertKeys(storage: Storage, secrets: Secrets): Promise<void> {
  const id = secrets.currentKeyId;
  const row = { key: PREFIX + id, value: secrets.seal(TEXT, where(id)) };
  // Checked and added as one, so that of two first starts with different keys the second is refused.
  await storage.transaction('keys', async (trx) => {
    const known = await trx.selectFrom('meta').selectAll().where('key', 'like', `${PREFIX}%`).execute();
    const missing = known.filter((check) => !canOpen(secrets, check.value, check.key.slice(PREFIX.length)));
    if (missing.length > 0) {
      const ids = missing.map((check) => check.key.slice(PREFIX.length)).join(', ');
      throw new StorageSetupError(
        `ENCRYPTION_KEY does not hold the key that the database was written with (key id ${ids}; given: ${secrets.keyIds.join(', ')}). Put the old key back, after a comma, until the keys have been rotated.`,
      );
    }
    if (!known.some((check) => check.key === row.key)) await trx.insertInto('meta').values(row).execute();
  });
}

/** From now on a start without these keys is fine. */
export async function forgetKeys(storage: Storage, keyIds: readonly string[]): Promise<void> {
  if (keyIds.length === 0) return;
  await storage.db
    .deleteFrom('meta')
    .where(
      'key',
      'in',
      keyIds.map((id) => PREFIX + id),
    )
    .execute();
}

/** The ids of the keys that a start needs at present. */
export async function neededKeys(storage: Storage): Promise<string[]> {
  const rows = await storage.db
    .selectFrom('meta')
    .select('key')
    .where('key', 'like', `${PREFIX}%`)
    .orderBy('key')
    .execute();
  return rows.map((row) => row.key.slice(PREFIX.length));
}

function canOpen(secrets: Secrets, sealed: string, keyId: string): boolean {
  try {
    return secrets.open(sealed, where(keyId)) === TEXT;
  } catch (error) {
    if (error instanceof SecretsError) return false;
    throw error;
  }
}
