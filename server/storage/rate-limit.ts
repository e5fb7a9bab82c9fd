import { sql } from 'kysely';
import { ProblemError } from '../errors.ts';
import { databaseNow } from './clock.ts';
import type { Storage, StorageTransaction } from './open.ts';
import { theOnly } from './row-writes.ts';

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
  const { rows } = await sql<{ hits: number; window_start: number; at: number }>`
    insert into rate_limits (bucket, window_start, hits)
    values (${bucket}, ${now} / cast(${windowMs} as bigint) * cast(${windowMs} as bigint), 1)
    on conflict (bucket) do update set
      hits = case when rate_limits.window_start = excluded.window_start then rate_limits.hits + 1 else 1 end,
      window_start = excluded.window_start
    returning hits, window_start, ${now} as at`.execute(storage.db);
  const { hits, window_start, at } = theOnly(rows);
  if (hits <= limit) return { allowed: true, retryAfterSeconds: 0 };
  return { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil((window_start + windowMs - at) / 1000)) };
}

/** Counts outside or inside of a transaction. */
interface Counters {
  db: Storage['db'] | StorageTransaction;
  dialect: Storage['dialect'];
}

/** A session's limit is used up for an hour at most, and few sessions ever reach theirs. */
const MOST_USED_UP = 10_000;

/** Limits that this process has seen used up, until their windows end: a refusal by them costs no statement. */
export class UsedUpLimits {
  /** Bucket → when its window ends, by this process's monotonic clock. */
  readonly #until = new Map<string, number>();

  note(bucket: string, retryAfterSeconds: number): void {
    if (this.#until.size >= MOST_USED_UP) this.#until.clear();
    this.#until.set(bucket, performance.now() + retryAfterSeconds * 1000);
  }

  /** @throws ProblemError `rate_limited` */
  refuse(bucket: string): void {
    const left = (this.#until.get(bucket) ?? 0) - performance.now();
    if (left > 0) throw new ProblemError('rate_limited', { retryAfter: Math.ceil(left / 1000) });
    this.#until.delete(bucket);
  }
}

/** One use, which is counted in the transaction of what it guards, or by itself where there is none. */
export class LimitedUse {
  readonly #storage: Storage;
  readonly #bucket: string;
  readonly #rate: RateLimit;
  readonly #usedUp: UsedUpLimits;
  #isCounted = false;

  constructor(storage: Storage, bucket: string, rate: RateLimit, usedUp: UsedUpLimits) {
    this.#storage = storage;
    this.#bucket = bucket;
    this.#rate = rate;
    this.#usedUp = usedUp;
  }

  /** Before anything is read or counted. @throws ProblemError `rate_limited` where the limit is known to be used up */
  refuseUsedUp(): void {
    this.#usedUp.refuse(this.#bucket);
  }

  /** Counts it, unless it is counted. @throws ProblemError `rate_limited` */
  async count(): Promise<void> {
    if (this.#isCounted) return;
    this.#isCounted = true;
    await this.#enforce(this.#storage);
  }

  /** As `count`. What the transaction's end does to the count is passed to `committed`. */
  async countIn(trx: StorageTransaction): Promise<void> {
    if (this.#isCounted) return;
    await this.#enforce({ db: trx, dialect: this.#storage.dialect });
  }

  async #enforce(counters: Counters): Promise<void> {
    const { allowed, retryAfterSeconds } = await takeRateLimit(counters, this.#bucket, this.#rate);
    if (allowed) return;
    this.#usedUp.note(this.#bucket, retryAfterSeconds);
    throw new ProblemError('rate_limited', { retryAfter: retryAfterSeconds });
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
