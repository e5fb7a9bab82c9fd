import { ProblemError } from '../errors.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';

const REUSED = [{ path: 'Idempotency-Key', message: 'was used before' }];

/** As long as the contract promises the same answer to a repeated key. */
export const IDEMPOTENCY_MS = 24 * 3600_000;

/** A request that may be repeated: its key, and the hash of its canonical body with the name of the call. */
export interface Repeatable {
  key: string;
  hash: string;
}

/**
 * Adds the answer to the transaction that makes what it is about. A unique violation: another request with the key was
 * faster.
 */
export async function rememberAnswer(
  trx: StorageTransaction,
  { key, hash }: Repeatable,
  subjectId: string,
  answer: object,
  now: number,
): Promise<void> {
  await trx
    .deleteFrom('idempotency')
    .where('key', '=', key)
    .where('created_at', '<=', now - IDEMPOTENCY_MS)
    .execute();
  await trx
    .insertInto('idempotency')
    .values({ key, request_hash: hash, session_id: subjectId, response: JSON.stringify(answer), created_at: now })
    .execute();
}

/**
 * The answer that a request with this key had.
 * @returns undefined when there was none within 24 hours
 * @throws ProblemError `idempotency_key_reused` when the key came with another request
 */
export async function findAnswer(
  storage: Storage,
  { key, hash }: Repeatable,
): Promise<{ subjectId: string; answer: string } | undefined> {
  const row = await storage.db
    .selectFrom('idempotency')
    .select(['request_hash', 'response', 'session_id'])
    .where('key', '=', key)
    .where('created_at', '>', (await storage.now()) - IDEMPOTENCY_MS)
    .executeTakeFirst();
  if (!row) return undefined;
  if (row.request_hash !== hash) throw new ProblemError('idempotency_key_reused', { errors: REUSED });
  return { subjectId: row.session_id, answer: row.response };
}

/**
 * What an answer carries in addition is derived with a key, which may be gone by the time of a repetition.
 * @throws ProblemError `idempotency_key_reused`
 */
export function requireKeyOfAnswer(keyIds: readonly string[], keyId: string): void {
  if (keyIds.includes(keyId)) return;
  const detail =
    'The first answer can’t be given again: its key is no longer in ENCRYPTION_KEY. Use another Idempotency-Key.';
  throw new ProblemError('idempotency_key_reused', { detail, errors: REUSED });
}

/** Same content, same text, in any order of members. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
