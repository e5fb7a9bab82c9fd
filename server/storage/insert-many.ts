import { type Insertable, sql } from 'kysely';
import type { Storage } from './open.ts';
import type { Database } from './tables.ts';

/**
 * Inserts rows of texts, numbers and nulls by one statement whose text is the same for any number of them: databases
 * keep statements by their text, and one of 500 rows takes SQLite longer to prepare than to run.
 */
export async function insertMany<T extends keyof Database & string>(
  { db, dialect }: Pick<Storage, 'db' | 'dialect'>,
  table: T,
  columns: readonly (keyof Database[T] & string)[],
  rows: readonly Insertable<Database[T]>[],
): Promise<void> {
  const json = JSON.stringify(rows);
  const values =
    dialect === 'sqlite'
      ? sql`select ${sql.join(columns.map((column) => sql`value ->> ${sql.lit(column)}`))} from json_each(${json})`
      : sql`select ${sql.join(columns.map((column) => sql.ref(column)))}
          from json_populate_recordset(null::${sql.table(table)}, ${json}::json)`;
  await db
    .insertInto(table as keyof Database)
    .columns(columns as never)
    .expression(values as never)
    .execute();
}
