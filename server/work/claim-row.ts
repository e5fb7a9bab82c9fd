import type { Insertable, Updateable } from 'kysely';
import { sql } from 'kysely';
import type { Storage } from '../storage/open.ts';
import type { Database } from '../storage/tables.ts';

/**
 * Claims a row for one worker of all instances, by compare-and-set: `patch` is written if the row still is as this
 * worker has `seen` it. The patch has to change a column of `seen`, such as the time when the row is due again, so that
 * only one worker succeeds.
 * @returns false when another worker was faster
 */
export async function claimRow<T extends keyof Database>(
  { db }: Storage,
  table: T,
  seen: Partial<Insertable<Database[T]>> & { id: string },
  patch: Updateable<Database[T]>,
): Promise<boolean> {
  const equals = Object.entries(seen).map(([column, value]) => sql`${sql.ref(column)} = ${value}`);
  const written = Object.entries(patch).map(([column, value]) => sql`${sql.ref(column)} = ${value}`);
  const { numAffectedRows = 0n } = await sql`
    update ${sql.table(table)} set ${sql.join(written)} where ${sql.join(equals, sql` and `)}
  `.execute(db);
  return numAffectedRows > 0n;
}
