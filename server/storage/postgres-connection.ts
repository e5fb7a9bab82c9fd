import type { Writable } from 'node:stream';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import type { PoolClient, QueryResult as PostgresResult } from 'pg';
import { StorageUnavailableError, TRANSACTION_FAILED } from './errors.ts';
import { BEGINS, ENDS } from './last-writes.ts';
import { toPostgresError } from './postgres.ts';
import { isStalePlan, type PreparedStatements } from './prepared-statements.ts';

type Answer = PostgresResult<Record<string, unknown>>;

const NO_ROWS = { command: '', rowCount: 0, rows: [] };

/**
 * One holder's use of a connection: a transaction, or a query by itself. What begins a transaction travels with its
 * first statement, and the commit with the last, when it is known to be the last: each is sent without waiting for the
 * answer to the one before, and PostgreSQL runs nothing more in a transaction after a failed statement.
 */
export class PostgresConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  readonly #limits: string;
  readonly #prepared: PreparedStatements;
  #broken = false;
  #inTransaction = false;
  /** What begins the transaction, until it is sent. */
  #beginning: string | undefined;
  /** The beginning holds more than the statement's own transaction would give it. */
  #needsBeginning = false;
  /** The answer to the commit that was sent with the last statement. */
  #commit: PromiseSettledResult<Answer> | undefined;

  constructor(client: PoolClient, limits: string, prepared: PreparedStatements) {
    this.#client = client;
    this.#limits = limits;
    this.#prepared = prepared;
  }

  /** Sends nothing yet. */
  async begin(isolationLevel: string | undefined): Promise<void> {
    const begin = isolationLevel ? `begin isolation level ${isolationLevel}` : 'begin';
    this.#beginning = this.#limits === '' ? begin : `${begin}; ${this.#limits}`;
    this.#needsBeginning = this.#limits !== '';
    this.#inTransaction = true;
    this.#commit = undefined;
  }

  async commit(): Promise<void> {
    this.#inTransaction = false;
    if (this.#beginning !== undefined) {
      // Nothing was sent, or one statement, which PostgreSQL has committed by itself.
      this.#beginning = undefined;
      return;
    }
    if (this.#commit?.status === 'rejected') throw this.#commit.reason;
    const { command } = this.#commit?.value ?? (await this.#run('commit'));
    // A transaction with a failed statement is rolled back without an error.
    if (command !== 'COMMIT') throw new Error(TRANSACTION_FAILED);
  }

  async rollback(): Promise<void> {
    this.#inTransaction = false;
    const isOver = this.#beginning !== undefined || this.#commit !== undefined;
    this.#beginning = undefined;
    if (!isOver) await this.#run('rollback');
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await (this.#inTransaction ? this.#runInside(query) : this.#runAlone(query));
    const changes = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE';
    return changes ? { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) } : { rows: rows as R[] };
  }

  // biome-ignore lint/correctness/useYield: streaming is part of Kysely's interface, and refused here
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming is not supported by SQLite; page through the rows with limit.');
  }

  release(): void {
    this.#client.release(this.#broken);
  }

  async #runInside(query: CompiledQuery): Promise<Pick<Answer, 'command' | 'rowCount' | 'rows'>> {
    const beginning = this.#beginning;
    if (beginning !== undefined && BEGINS.has(query)) {
      this.#beginning = `${beginning}; ${query.sql}`;
      this.#needsBeginning = true;
      return NO_ROWS;
    }
    const isLast = ENDS.has(query);
    if (isLast && beginning !== undefined && !this.#needsBeginning) return this.#runQuery(query);
    this.#beginning = undefined;
    // Several statements go into one message only without parameters. The answer is a list of answers then.
    if (beginning !== undefined && query.parameters.length === 0 && !isLast) {
      const answers: unknown = await this.#run(`${beginning}; ${query.sql}`);
      return (answers as Answer[]).at(-1) ?? NO_ROWS;
    }
    if (beginning === undefined && !isLast) return this.#runQuery(query);
    const [begun, answer, commit] = await this.#inOnePacket(() =>
      Promise.allSettled([
        beginning === undefined ? undefined : this.#run(beginning),
        this.#runQuery(query),
        isLast ? this.#run('commit') : undefined,
      ]),
    );
    if (isLast) this.#commit = commit as PromiseSettledResult<Answer>;
    // The statement after a refused beginning was refused for it.
    if (begun.status === 'rejected') throw begun.reason;
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  }

  async #runAlone(query: CompiledQuery): Promise<Pick<Answer, 'command' | 'rowCount' | 'rows'>> {
    // A reading statement waits for no lock. One that writes could run minutes after its caller has given it up.
    if (this.#limits === '' || query.query.kind === 'SelectQueryNode') {
      return this.#runQuery(query).catch((error: unknown) => {
        if (!isStalePlan(error)) throw error;
        return this.#runQuery(query);
      });
    }
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

  /** Statements that are sent at the same moment: the operating system is asked once, and PostgreSQL wakes up once. */
  #inOnePacket<T>(send: () => T): T {
    const { connection } = this.#client as unknown as { connection: { stream: Partial<Writable> } };
    connection.stream.cork?.();
    try {
      return send();
    } finally {
      connection.stream.uncork?.();
    }
  }

  #runQuery({ sql, parameters }: CompiledQuery): Promise<Answer> {
    return this.#run(sql, parameters, this.#prepared.nameOf(sql));
  }

  async #run(text: string, values: readonly unknown[] = [], name?: string): Promise<Answer> {
    try {
      return await this.#client.query<Record<string, unknown>>({ text, values: [...values], ...(name && { name }) });
    } catch (error) {
      const known = toPostgresError(error);
      // Its answer may still arrive, and would be taken for the next query's.
      this.#broken ||= known instanceof StorageUnavailableError;
      if (isStalePlan(known)) this.#prepared.renew(known);
      throw known;
    }
  }
}
