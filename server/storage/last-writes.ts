import { type CompiledQuery, type OperationNodeSource, type RawBuilder, sql, type Transaction } from 'kysely';
import type { Dialect } from './clock.ts';
import type { Database } from './tables.ts';

type StorageTransaction = Transaction<Database>;

/** An insert, an update or a delete that was built and has not run. */
export type Write = (OperationNodeSource & { execute(): Promise<unknown> }) | RawBuilder<unknown>;

const waiting = new WeakMap<StorageTransaction, Write[]>();

/**
 * Runs a write at the end of its transaction, on PostgreSQL in one statement with the others: each statement is a way
 * to the database and back. For rows that nothing in the transaction reads afterwards, and that it writes once.
 */
export async function writeLast(trx: StorageTransaction, write: Write): Promise<void> {
  const writes = waiting.get(trx);
  if (writes) writes.push(write);
  else await write.execute(trx);
}

/** Runs `fn`, then what it has left for the end. */
export async function withLastWrites<T>(
  trx: StorageTransaction,
  dialect: Dialect,
  fn: (trx: StorageTransaction) => Promise<T>,
): Promise<T> {
  const writes: Write[] = [];
  waiting.set(trx, writes);
  const result = await fn(trx);
  waiting.delete(trx);
  if (writes.length === 0) return result;
  if (dialect === 'sqlite') {
    for (const write of writes) await write.execute(trx);
    return result;
  }
  const parts = writes.map((write, i) => sql`${sql.ref(`write_${i}`)} as (${write})`);
  const query = sql`with ${sql.join(parts)} select 1`.compile(trx);
  ENDS.add(query);
  await trx.executeQuery(query);
  return result;
}

/** Queries after which their transaction only commits. One that is also the first needs no transaction. */
export const ENDS = new WeakSet<CompiledQuery>();

/** Queries without parameters or rows that nothing waits for: each is sent with the statement that follows it. */
export const BEGINS = new WeakSet<CompiledQuery>();
