import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { StorageUnavailableError, TRANSACTION_FAILED } from './errors.ts';
import { toPostgresError } from './postgres.ts';

/**
 * Kysely over a pg pool. Kysely's own driver would do, but gives a connection back to the pool after its query was
 * abandoned, and takes a commit for done that PostgreSQL has answered with a rollback.
 */
export class PostgresDriver implements Driver {
  readonly #pool: Pool;
  readonly #beforeUse: () => void;
  readonly #connecting = new Set<Promise<PoolClient>>();
  #closed = false;

  /** @param beforeUse called before each taking of a connection; throws to refuse it */
  constructor(pool: Pool, beforeUse: () => void) {
    this.#pool = pool;
    this.#beforeUse = beforeUse;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    this.#beforeUse();
    if (this.#closed) throw new StorageUnavailableError('closed');
    const connecting = this.#pool.connect();
    this.#connecting.add(connecting);
    try {
      return new PostgresConnection(await connecting);
    } catch (error) {
      throw toPostgresError(error);
    } finally {
      this.#connecting.delete(connecting);
    }
  }

  async beginTransaction(connection: PostgresConnection, settings: TransactionSettings): Promise<void> {
    await connection.run(settings.isolationLevel ? `begin isolation level ${settings.isolationLevel}` : 'begin');
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    // A transaction with a failed statement is rolled back without an error.
    if ((await connection.run('commit')).command !== 'COMMIT') throw new Error(TRANSACTION_FAILED);
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    try {
      await connection.run('rollback');
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
    // The pool would let those who still wait for a connection wait in vain.
    await Promise.allSettled(this.#connecting);
    await this.#pool.end();
  }
}

class PostgresConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  #broken = false;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await this.run(query.sql, query.parameters);
    const changes = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE';
    return changes ? { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) } : { rows: rows as R[] };
  }

  // biome-ignore lint/correctness/useYield: streaming is part of Kysely's interface, and refused here
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming is not supported by SQLite; page through the rows with limit.');
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

  release(): void {
    this.#client.release(this.#broken);
  }
}
