import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import { StorageUnavailableError, TRANSACTION_FAILED } from './errors.ts';
import { retryWhileBusy, type SqliteDatabase, type SqliteValue, toSqliteError } from './sqlite.ts';

/**
 * How long a query may wait for the one connection. Transactions here hold it for milliseconds, so 10 s means that something
 * is stuck; the caller is told, in place of hanging.
 */
const CONNECTION_WAIT_MS = 10_000;

/**
 * One connection that whole transactions take in turn, so that they never interleave. A transaction begins with the write lock in
 * hand: what it reads stays true until it commits, also against other processes. As on PostgreSQL, a failed statement ends its
 * transaction: nothing more runs in it and it can't be committed.
 */
export class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection;
  readonly #turn = new Turn();
  readonly #beforeUse: () => void;
  #closed = false;

  /** @param beforeUse called before each taking of the connection; throws to refuse it */
  constructor(db: SqliteDatabase, beforeUse: () => void) {
    this.#connection = new SqliteConnection(db);
    this.#beforeUse = beforeUse;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    this.#beforeUse();
    if (this.#closed) throw new StorageUnavailableError('closed');
    await this.#turn.take();
    return this.#connection;
  }

  async beginTransaction(connection: SqliteConnection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    connection.commit();
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    connection.rollback();
  }

  async releaseConnection(): Promise<void> {
    this.#turn.give();
  }

  /** Queries that came before still run; later ones are refused. */
  async destroy(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#turn.take();
    this.#connection.close();
    this.#turn.give();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #db: SqliteDatabase;
  #inTransaction = false;
  #failed = false;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#failed) throw new Error(TRANSACTION_FAILED);
    try {
      // Inside a transaction the lock is ours already.
      return this.#inTransaction ? this.#execute<R>(query) : await retryWhileBusy(() => this.#execute<R>(query));
    } catch (error) {
      this.#failed = this.#inTransaction;
      throw toSqliteError(error);
    }
  }

  // biome-ignore lint/correctness/useYield: streaming is part of Kysely's interface, and refused here
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming would hold the only connection; page through the rows with limit.');
  }

  async begin(): Promise<void> {
    try {
      await retryWhileBusy(() => this.#db.exec('BEGIN IMMEDIATE'));
      this.#inTransaction = true;
    } catch (error) {
      throw toSqliteError(error);
    }
  }

  commit(): void {
    if (this.#failed) throw new Error(TRANSACTION_FAILED);
    try {
      this.#db.exec('COMMIT');
      this.#inTransaction = false;
    } catch (error) {
      throw toSqliteError(error);
    }
  }

  rollback(): void {
    this.#inTransaction = false;
    this.#failed = false;
    try {
      this.#db.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself (disk full, I/O error) or is closed. The error that led here is the one to report.
    }
  }

  close(): void {
    try {
      // Leaves everything in the one file, for whoever copies it; not possible while another process reads, which is no harm.
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

  #execute<R>(query: CompiledQuery): QueryResult<R> {
    const statement = this.#db.prepare(query.sql);
    const parameters = query.parameters as SqliteValue[];
    if (statement.columns().length > 0) {
      // The driver's rows have no prototype; ours are plain objects, as on PostgreSQL.
      return { rows: statement.all(...parameters).map((row) => ({ ...row }) as R) };
    }
    return { rows: [], numAffectedRows: BigInt(statement.run(...parameters).changes) };
  }
}

/** Lets one holder through at a time, in the order of asking. */
class Turn {
  #taken = false;
  readonly #waiting: (() => void)[] = [];

  async take(): Promise<void> {
    if (!this.#taken) {
      this.#taken = true;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(new StorageUnavailableError('connection busy'));
      }, CONNECTION_WAIT_MS);
      const enter = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.push(enter);
    });
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken = false;
  }
}
