import type { CompiledQuery, QueryResult } from 'kysely';
import { StorageUnavailableError } from './errors.ts';
import type { Mutex } from './mutex.ts';
import {
  retryWhileBusy,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteValue,
  toSqliteError,
} from './sqlite.ts';

/** Our code has about a hundred different queries; lists of values of many lengths must not fill the memory. */
const STATEMENTS_KEPT = 500;

/** However slow the disk is: a session commits about a dozen times, and its customer waits for each. */
const LONGEST_GATHER_MS = 20;

/**
 * Transactions that come within one turn of the event loop are committed as one, because each commit waits for the disk
 * while everything else in the process waits for it. Each is a savepoint in the group's transaction: it can be rolled
 * back by itself, and its caller learns of success only when the group is on the disk. Reads inside an open group also
 * wait for its commit, so that no caller ever acts on what may still be lost.
 */
export class SqliteGroup {
  readonly #db: SqliteDatabase;
  readonly #mutex: Mutex;
  readonly #statements = new Map<string, { statement: SqliteStatement; givesRows: boolean }>();
  /** The promise of the open group's commit; undefined: no transaction is open. */
  #open:
    | { committed: Promise<void>; resolve: () => void; reject: (error: unknown) => void; members: number }
    | undefined;
  /**
   * For how long a group waits for more: as long as the last commit took, if several shared it, so that the process is
   * free for half of the time at least; not at all if a single transaction was in it.
   */
  #gatherMs = 0;

  constructor(db: SqliteDatabase, mutex: Mutex) {
    this.#db = db;
    this.#mutex = mutex;
  }

  /** Begins a member transaction. The caller has the turn. */
  async begin(): Promise<void> {
    await this.#ensureOpen();
    try {
      this.#db.exec('SAVEPOINT member');
    } catch (error) {
      throw this.#giveUp(error);
    }
  }

  /**
   * Ends the member. The caller may give up its turn now, and goes on when the promise resolves: all of it is on the
   * disk.
   */
  end(): Promise<void> {
    try {
      this.#db.exec('RELEASE member');
    } catch (error) {
      throw this.#giveUp(error);
    }
    return this.#joined();
  }

  /**
   * Undoes the member, and only it, unless what went wrong may have undone more.
   * @returns resolves when the others have an outcome
   */
  async abandon(cause: unknown): Promise<void> {
    if (!this.#open) return;
    const ended = this.#open.committed.catch(() => {});
    // Disk full and the like: SQLite may have rolled back everything by itself.
    if (cause instanceof StorageUnavailableError) {
      this.#giveUp(cause);
      return;
    }
    try {
      this.#db.exec('ROLLBACK TO member');
      this.#db.exec('RELEASE member');
    } catch (error) {
      this.#giveUp(error);
    }
    await ended;
  }

  /** A statement of a member. */
  execute<R>(query: CompiledQuery): QueryResult<R> {
    try {
      return this.#run<R>(query);
    } catch (error) {
      throw toSqliteError(error);
    }
  }

  /**
   * A query by itself. Its outcome, a refusal too, counts once `committed`: it may come of what another member has
   * written.
   */
  async executeAlone<R>(query: CompiledQuery): Promise<{ outcome: () => QueryResult<R>; committed: Promise<void> }> {
    const { kind } = query.query;
    const writes = /^\s*(insert|update|delete)\b/i.test(query.sql);
    if (writes) await this.#ensureOpen();
    // VACUUM and some PRAGMAs don't work inside a transaction.
    else if (kind !== 'SelectQueryNode') this.commit();
    if (this.#open) {
      try {
        const result = this.#run<R>(query);
        return { outcome: () => result, committed: writes ? this.#joined() : this.#open.committed };
      } catch (error) {
        const known = toSqliteError(error);
        if (known instanceof StorageUnavailableError) throw this.#giveUp(known);
        const refuse = () => {
          throw known;
        };
        return { outcome: refuse, committed: this.#open.committed };
      }
    }
    try {
      const result = await retryWhileBusy(() => this.#run<R>(query));
      return { outcome: () => result, committed: Promise.resolve() };
    } catch (error) {
      throw toSqliteError(error);
    }
  }

  /** Commits what is open. The caller has the turn. */
  commit(): void {
    const open = this.#open;
    if (!open) return;
    const began = performance.now();
    try {
      this.#db.exec('COMMIT');
      this.#open = undefined;
      this.#gatherMs = open.members > 1 ? Math.min(LONGEST_GATHER_MS, performance.now() - began) : 0;
      open.resolve();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  close(): void {
    this.commit();
    this.#statements.clear();
    try {
      // Leaves everything in the one file, for copies of it; not possible while another process reads, which is no
      // harm.
      this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // The log is complete without it.
    }
    try {
      this.#db.close();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_INVALID_STATE') throw error;
    }
  }

  #joined(): Promise<void> {
    if (!this.#open) throw new StorageUnavailableError('rolled back');
    this.#open.members++;
    return this.#open.committed;
  }

  async #ensureOpen(): Promise<void> {
    if (this.#open) return;
    try {
      await retryWhileBusy(() => this.#db.exec('BEGIN IMMEDIATE'));
    } catch (error) {
      throw toSqliteError(error);
    }
    let resolve = () => {};
    let reject = (_error: unknown) => {};
    const committed = new Promise<void>((onCommit, onFailure) => {
      resolve = onCommit;
      reject = onFailure;
    });
    // Callers that wait for it get the failure; there may be none left.
    committed.catch(() => {});
    const open = { committed, resolve, reject, members: 0 };
    this.#open = open;
    if (this.#gatherMs > 0) {
      setTimeout(() => this.#commitSoon(open), this.#gatherMs);
      return;
    }
    // After all callers whose turn comes with the events that have already arrived.
    const immediate = setImmediate(() => {
      clearTimeout(timer);
      this.#commitSoon(open);
    });
    // Timers of others that are always due can keep the event loop from ever coming to what is immediate.
    const timer = setTimeout(() => {
      clearImmediate(immediate);
      this.#commitSoon(open);
    }, 1);
  }

  #commitSoon(open: object): void {
    const commit = () => {
      // It may have failed and been followed by another in the meantime.
      if (this.#open === open) this.commit();
      this.#mutex.release();
    };
    if (this.#mutex.tryAcquire()) commit();
    // Who has held the connection for ten seconds is stuck; the group stays open for the next try.
    else this.#mutex.acquire().then(commit, () => this.#commitSoon(open));
  }

  /** The whole group is rolled back, and every member gets the error. */
  #giveUp(error: unknown): unknown {
    const open = this.#open;
    this.#open = undefined;
    try {
      this.#db.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself, or is closed. The error that led here is the one to report.
    }
    const known = toSqliteError(error);
    // To the others nothing is wrong with their own queries.
    open?.reject(known instanceof StorageUnavailableError ? known : new StorageUnavailableError('rolled back'));
    return known;
  }

  #run<R>(query: CompiledQuery): QueryResult<R> {
    const { statement, givesRows } = this.#prepare(query.sql);
    const parameters = query.parameters as SqliteValue[];
    if (givesRows) {
      // The driver's rows have no prototype; ours are plain objects, as on PostgreSQL.
      return { rows: statement.all(...parameters).map((row) => ({ ...row }) as R) };
    }
    return { rows: [], numAffectedRows: BigInt(statement.run(...parameters).changes) };
  }

  /** Preparing takes longer than most queries here take to run. */
  #prepare(sql: string): { statement: SqliteStatement; givesRows: boolean } {
    const kept = this.#statements.get(sql);
    if (kept) return kept;
    const statement = this.#db.prepare(sql);
    const prepared = { statement, givesRows: statement.columns().length > 0 };
    // Statements about the schema are made once, and may not outlive a change of it.
    if (/^\s*(select|insert|update|delete)\b/i.test(sql)) {
      if (this.#statements.size >= STATEMENTS_KEPT) this.#statements.delete(this.#statements.keys().next().value ?? '');
      this.#statements.set(sql, prepared);
    }
    return prepared;
  }
}
