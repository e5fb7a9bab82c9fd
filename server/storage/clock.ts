import { type RawBuilder, sql } from 'kysely';

export type Dialect = 'sqlite' | 'postgres';

/**
 * Milliseconds since 1970, as an expression for a query. On PostgreSQL the database's clock, so that instances whose
 * own clocks differ agree on leases and windows; on SQLite all of them are on one machine.
 */
export function databaseNow(dialect: Dialect): RawBuilder<number> {
  return dialect === 'postgres'
    ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`
    : sql<number>`cast(${Date.now()} as bigint)`;
}

/** How long one reading of the database's clock is used: two machines' clocks drift less than 0.1 ms in it. */
const GOOD_FOR_MS = 1_000;
/** More than the two clocks of one machine drift by adjustment in a second: it was asleep, or its clock was set. */
const LEAP_MS = 50;

/**
 * The database's clock without asking it each time: a busy server would ask thousands of times a second. Between two
 * readings this machine's monotonic clock goes on from the last, unless the machine has slept, in which that clock may
 * stand still.
 */
export class DatabaseClock {
  readonly #read: () => Promise<number>;
  #looked: { monotonic: number; wall: number; database: number } | undefined;
  #looking: Promise<number> | undefined;

  /** @param read asks the database for milliseconds since 1970 */
  constructor(read: () => Promise<number>) {
    this.#read = read;
  }

  /**
   * Milliseconds since 1970, whole; off by half of what a query takes at most.
   * @param fresh asks the database in any case: a virtual machine may have been paused together with both of its clocks
   */
  async now(fresh = false): Promise<number> {
    if (fresh) return this.#look();
    const looked = this.#looked;
    if (looked) {
      const passed = performance.now() - looked.monotonic;
      const leapt = Math.abs(Date.now() - looked.wall - passed);
      if (passed < GOOD_FOR_MS && leapt < LEAP_MS) return Math.floor(looked.database + passed);
    }
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<number> {
    const asked = performance.now();
    const answer = await this.#read();
    const monotonic = performance.now();
    const database = answer + (monotonic - asked) / 2;
    // A longer one may be of a frozen process, and off by as much: a caller that reads twice must notice.
    this.#looked = monotonic - asked < GOOD_FOR_MS ? { monotonic, wall: Date.now(), database } : undefined;
    return Math.floor(database);
  }
}
