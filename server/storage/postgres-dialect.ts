import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { StorageUnavailableError, TRANSACTION_FAILED } from './errors.ts';
import { ENDS } from './last-writes.ts';
import { type OpenPool, toConnectError, toPostgresError } from './postgres.ts';

/**
 * Kysely over a pg pool. Kysely's own driver would do, but gives a connection back to the pool after its query was
 * abandoned, and takes a commit for done that PostgreSQL has answered with a rollback.
 */
export class PostgresDriver implements Driver {
  readonly #pool: Pool;
  readonly #limits: string;
  readonly #beforeUse: () => void;
  readonly #connecting = new Set<Promise<PoolClient>>();
  #closed = false;

  /** @param beforeUse called before each taking of a connection; throws to refuse it */
  constructor({ pool, limits }: OpenPool, beforeUse: () => void) {
    this.#pool = pool;
    this.#limits = limits;
    this.#beforeUse = beforeUse;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    this.#beforeUse();
    if (this.#closed) throw new StorageUnavailableError('closed');
    // As a promise, because a certificate that can't be read is thrown.
    const connecting = Promise.resolve().then(() => this.#pool.connect());
    this.#connecting.add(connecting);
    try {
      return new PostgresConnection(await connecting, this.#limits);
    } catch (error) {
      throw toConnectError(error);
    } finally {
      this.#connecting.delete(connecting);
    }
  }

  async beginTransaction(connection: PostgresConnection, settings: TransactionSettings): Promise<void> {
    await connection.begin(settings.isolationLevel);
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    try {
      await connection.rollback();
    } catch {
      // The connection is gone, and the transaction with it. The error that led here is the one to report.
    }
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release();
  }

  /** Queries that came before still run; later ones are refused. */
  async destroy(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // The pool would never answer callers that still wait for a connection.
    await Promise.allSettled(this.#connecting);
    await this.#pool.end();
  }
}

const NO_ROWS = { command: '', rowCount: 0, rows: [] };

class PostgresConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  readonly #limits: string;
  #broken = false;
  #inTransaction = false;
  /** What begins the transaction, until it is sent. */
  #beginning: string | undefined;

  constructor(client: PoolClient, limits: string) {
    this.#client = client;
    this.#limits = limits;
  }

  /** Sends nothing yet: the beginning travels with the first statement. */
  async begin(isolationLevel: string | undefined): Promise<void> {
    const begin = isolationLevel ? `begin isolation level ${isolationLevel}` : 'begin';
    this.#beginning = this.#limits === '' ? begin : `${begin}; ${this.#limits}`;
    this.#inTransaction = true;
  }

  async commit(): Promise<void> {
    this.#inTransaction = false;
    if (this.#beginning !== undefined) {
      // Nothing was sent, or one statement, which PostgreSQL has committed by itself.
      this.#beginning = undefined;
      return;
    }
    // A transaction with a failed statement is rolled back without an error.
    if ((await this.run('commit')).command !== 'COMMIT') throw new Error(TRANSACTION_FAILED);
  }

  async rollback(): Promise<void> {
    this.#inTransaction = false;
    if (this.#beginning === undefined) await this.run('rollback');
    this.#beginning = undefined;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // A reading statement waits for no lock. One that writes could run minutes after its caller has given it up.
    const needsLimits = this.#limits !== '' && !this.#inTransaction && query.query.kind !== 'SelectQueryNode';
    const { command, rowCount, rows } = needsLimits ? await this.#runAlone(query) : await this.#runInside(query);
    const changes = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE';
    return changes ? { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) } : { rows: rows as R[] };
  }

  // biome-ignore lint/correctness/useYield: streaming is part of Kysely's interface, and refused here
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming is not supported by SQLite; page through the rows with limit.');
  }

  async #runInside(query: CompiledQuery) {
    const beginning = this.#beginning;
    const isWhole = ENDS.has(query) && this.#limits === '';
    if (beginning === undefined || isWhole) return this.run(query.sql, query.parameters);
    this.#beginning = undefined;
    // Several statements go into one message only without parameters. The answer is a list of answers then.
    if (query.parameters.length === 0) {
      const answers: unknown = await this.run(`${beginning}; ${query.sql}`);
      return (answers as Awaited<ReturnType<PostgresConnection['run']>>[]).at(-1) ?? NO_ROWS;
    }
    await this.run(beginning);
    return this.run(query.sql, query.parameters);
  }

  async run(text: string, parameters: readonly unknown[] = []) {
    try {
      return await this.#client.query<Record<string, unknown>>(text, [...parameters]);
    } catch (error) {
      const known = toPostgresError(error);
      // Its answer may still arrive, and would be taken for the next query's.
      this.#broken ||= known instanceof StorageUnavailableError;
      throw known;
    }
  }

  async #runAlone(query: CompiledQuery) {
    await this.begin(undefined);
    try {
      const result = await this.#runInside(query);
      await this.commit();
      return result;
    } catch (error) {
      if (!this.#broken) await this.rollback();
      throw error;
    }
  }

  release(): void {
    this.#client.release(this.#broken);
  }
}
