import { sql } from 'kysely';
import { ProblemError } from '../errors.ts';
import { databaseNow } from './clock.ts';
import type { Storage, StorageTransaction } from './open.ts';

export interface RateLimit {
  /** How many are allowed in one window. */
  limit: number;
  windowMs: number;
}

/**
 * Counts one more use of `bucket` in the present fixed window, for all instances together. Fixed windows let up to
 * twice the limit through around a window's end; they cost one row and one statement.
 */
export async function takeRateLimit(
  storage: Counters,
  bucket: string,
  { limit, windowMs }: RateLimit,
): Promise<{ allowed: boolean; retryAfterSeconds: number }> {
  const now = databaseNow(storage.dialect);
  const { hits, window_start, at } = await storage.db
    .insertInto('rate_limits')
    .values({ bucket, window_start: sql`${now} / cast(${windowMs} as bigint) * cast(${windowMs} as bigint)`, hits: 1 })
    .onConflict((conflict) =>
      conflict.column('bucket').doUpdateSet({
        hits: sql`case when rate_limits.window_start = excluded.window_start then rate_limits.hits + 1 else 1 end`,
        window_start: sql`excluded.window_start`,
      }),
    )
    .returning(['hits', 'window_start', now.as('at')])
    .executeTakeFirstOrThrow();
  if (hits <= limit) return { allowed: true, retryAfterSeconds: 0 };
  return { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil((window_start + windowMs - at) / 1000)) };
}

/** Counts outside or inside of a transaction. */
interface Counters {
  db: Storage['db'] | StorageTransaction;
  dialect: Storage['dialect'];
}

/** One use, which is counted in the transaction of what it guards, or by itself where there is none. */
export class LimitedUse {
  readonly #storage: Storage;
  readonly #bucket: string;
  readonly #rate: RateLimit;
  #isCounted = false;

  constructor(storage: Storage, bucket: string, rate: RateLimit) {
    this.#storage = storage;
    this.#bucket = bucket;
    this.#rate = rate;
  }

  /** Counts it, unless it is counted. @throws ProblemError `rate_limited` */
  async count(): Promise<void> {
    if (this.#isCounted) return;
    this.#isCounted = true;
    await enforceRateLimit(this.#storage, this.#bucket, this.#rate);
  }

  /** As `count`. What the transaction's end does to the count is passed to `committed`. */
  async countIn(trx: StorageTransaction): Promise<void> {
    if (this.#isCounted) return;
    await enforceRateLimit({ db: trx, dialect: this.#storage.dialect }, this.#bucket, this.#rate);
  }

  committed(): void {
    this.#isCounted = true;
  }
}

/** @throws ProblemError `rate_limited` when this use of `bucket` is one too many */
export async function enforceRateLimit(storage: Counters, bucket: string, rate: RateLimit): Promise<void> {
  const { allowed, retryAfterSeconds } = await takeRateLimit(storage, bucket, rate);
  if (!allowed) throw new ProblemError('rate_limited', { retryAfter: retryAfterSeconds });
}

/**
 * Deletes the counters whose window began more than `maxAgeMs` ago (at least the longest window in use). Gives their
 * number.
 */
export async function purgeRateLimits(storage: Storage, maxAgeMs: number): Promise<number> {
  const { numDeletedRows } = await storage.db
    .deleteFrom('rate_limits')
    .where('window_start', '<', sql<number>`${databaseNow(storage.dialect)} - cast(${maxAgeMs} as bigint)`)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
