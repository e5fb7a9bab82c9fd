import { type Expression, type Kysely, sql } from 'kysely';
import { databaseNow } from './clock.ts';
import type { Storage } from './open.ts';
import type { Database } from './tables.ts';

/**
 * Rows that wait for a job, the longest-waiting first: one column of them, by an index that holds few others. `now` is
 * a number or an expression.
 */
export type DueQuery = (
  db: Kysely<Database>,
  now: Now,
) => Expression<unknown> & { limit(rows: number): Expression<unknown> };

/** Milliseconds since 1970. */
export type Now = number | Expression<number>;

/** Some milliseconds before. */
export function before(now: Now, ms: number): Expression<number> {
  return sql<number>`${now} - cast(${ms} as bigint)`;
}

/**
 * Asks for all kinds of work at once: a server that has nothing to do sends one query, for any number of jobs.
 * @returns which of the queries have a row
 */
export async function findDue({ db, dialect }: Storage, queries: readonly DueQuery[]): Promise<boolean[]> {
  if (queries.length === 0) return [];
  // Read once, so that an index can be searched for it.
  const now = sql<number>`(select ${databaseNow(dialect)})`;
  // Not `exists`, for which PostgreSQL forgets the order, and may read a whole table to learn that nothing is due.
  const firsts = queries.map((query, i) => sql`${query(db, now).limit(1)} as ${sql.ref(`due_${i}`)}`);
  const { rows } = await sql<Record<string, unknown>>`select ${sql.join(firsts)}`.execute(db);
  return queries.map((_, i) => (rows[0]?.[`due_${i}`] ?? null) !== null);
}
