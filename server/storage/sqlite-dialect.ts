import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { StorageUnavailableError } from './errors.ts';
import { retryWhileBusy, type SqliteDatabase, type SqliteValue, toSqliteError } from './sqlite.ts';

/**
 * How long a query may wait for the one connection. Transactions here hold it for milliseconds, so 10 s means that something
 * is stuck; the caller is told, in place of hanging.
 */
const CONNECTION_WAIT_MS = 10_000;

/**
 * Kysely over an open SQLite file: one connection that whole transactions take in turn, so that they never interleave.
 * A transaction begins with the write lock in hand: what it reads stays true until it commits, also against other processes.
 * @param beforeUse called before each taking of the connection; throws to refuse it
 */
export function sqliteDialect(db: SqliteDatabase, beforeUse: () => void): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(db, beforeUse),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection;
  readonly #turn = new Turn();
  readonly #beforeUse: () => void;

  constructor(db: SqliteDatabase, beforeUse: () => void) {
    this.#connection = new SqliteConnection(db);
    this.#beforeUse = beforeUse;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    this.#beforeUse();
    await this.#turn.take();
    return this.#connection;
  }

  async beginTransaction(connection: SqliteConnection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    connection.end('COMMIT');
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    try {
      connection.end('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself (disk full, I/O error) or is closed. The error that led here is the one to report.
    }
  }

  async releaseConnection(): Promise<void> {
    this.#turn.give();
  }

  async destroy(): Promise<void> {
    await this.#turn.take();
    this.#connection.close();
    this.#turn.give();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #db: SqliteDatabase;
  #inTransaction = false;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      // Inside a transaction the lock is ours; and a failed statement must not be run twice there.
      return this.#inTransaction ? this.#execute<R>(query) : await retryWhileBusy(() => this.#execute<R>(query));
    } catch (error) {
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

  end(how: 'COMMIT' | 'ROLLBACK'): void {
    try {
      this.#db.exec(how);
      this.#inTransaction = false;
    } catch (error) {
      // A failed commit is followed by a rollback; after a failed rollback nothing is open any more.
      if (how === 'ROLLBACK') this.#inTransaction = false;
      throw toSqliteError(error);
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
