import type { Driver, TransactionSettings } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { StorageUnavailableError } from './errors.ts';
import { type OpenPool, toConnectError } from './postgres.ts';
import { PostgresConnection } from './postgres-connection.ts';
import type { PreparedStatements } from './prepared-statements.ts';

/**
 * Kysely over a pg pool. Kysely's own driver would do, but gives a connection back to the pool after its query was
 * abandoned, and takes a commit for done that PostgreSQL has answered with a rollback.
 */
export class PostgresDriver implements Driver {
  readonly #pool: Pool;
  readonly #limits: string;
  readonly #prepared: PreparedStatements;
  readonly #beforeUse: () => void;
  readonly #connecting = new Set<Promise<PoolClient>>();
  #closed = false;

  /** @param beforeUse called before each taking of a connection; throws to refuse it */
  constructor({ pool, limits, prepared }: OpenPool, beforeUse: () => void) {
    this.#pool = pool;
    this.#limits = limits;
    this.#prepared = prepared;
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
      return new PostgresConnection(await connecting, this.#limits, this.#prepared);
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
