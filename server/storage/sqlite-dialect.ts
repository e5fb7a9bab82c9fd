import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import { StorageUnavailableError, TRANSACTION_FAILED } from './errors.ts';
import { Mutex } from './mutex.ts';
import type { SqliteDatabase } from './sqlite.ts';
import { SqliteGroup } from './sqlite-group.ts';

/**
 * One connection that whole transactions take in turn, so that they never interleave. A transaction begins with the
 * write lock in hand: what it reads stays true until it commits, also against other processes. As on PostgreSQL, a
 * failed statement ends its transaction: nothing more runs in it and it can't be committed.
 */
export class SqliteDriver implements Driver {
  readonly #group: SqliteGroup;
  readonly #mutex = new Mutex();
  readonly #beforeUse: () => void;
  #closed = false;

  /** @param beforeUse called before each taking of the connection; throws to refuse it */
  constructor(db: SqliteDatabase, beforeUse: () => void) {
    this.#group = new SqliteGroup(db, this.#mutex);
    this.#beforeUse = beforeUse;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    this.#beforeUse();
    if (this.#closed) throw new StorageUnavailableError('closed');
    await this.#mutex.acquire();
    return new SqliteConnection(this.#group, this.#mutex);
  }

  beginTransaction(connection: SqliteConnection): Promise<void> {
    return connection.begin();
  }

  commitTransaction(connection: SqliteConnection): Promise<void> {
    return connection.commit();
  }

  rollbackTransaction(connection: SqliteConnection): Promise<void> {
    return connection.rollback();
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    connection.release();
  }

  /** Queries that came before still run; later ones are refused. */
  async destroy(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#mutex.acquire();
    this.#group.close();
    this.#mutex.release();
  }
}

/** One holder's use of the connection: a transaction, or a query by itself. */
class SqliteConnection implements DatabaseConnection {
  readonly #group: SqliteGroup;
  readonly #mutex: Mutex;
  #inTransaction = false;
  #failed: unknown;
  #released = false;

  constructor(group: SqliteGroup, mutex: Mutex) {
    this.#group = group;
    this.#mutex = mutex;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#failed !== undefined) throw new Error(TRANSACTION_FAILED);
    if (this.#inTransaction) {
      try {
        return this.#group.execute<R>(query);
      } catch (error) {
        this.#failed = error;
        throw error;
      }
    }
    const { outcome, committed } = await this.#group.executeAlone<R>(query);
    // A caller that waits for the commit has no more use for the connection, and others may still get into the same
    // one.
    this.release();
    await committed;
    return outcome();
  }

  // biome-ignore lint/correctness/useYield: streaming is part of Kysely's interface, and refused here
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming would hold the only connection; page through the rows with limit.');
  }

  async begin(): Promise<void> {
    await this.#group.begin();
    this.#inTransaction = true;
  }

  async commit(): Promise<void> {
    if (this.#failed !== undefined) throw new Error(TRANSACTION_FAILED);
    const committed = this.#group.end();
    this.#inTransaction = false;
    this.release();
    await committed;
  }

  async rollback(): Promise<void> {
    // A commit that failed has been rolled back with its group.
    const ended = this.#inTransaction ? this.#group.abandon(this.#failed) : undefined;
    this.#inTransaction = false;
    this.#failed = undefined;
    this.release();
    // What it has read and drawn its conclusion from may be another member's.
    await ended;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#mutex.release();
  }
}
