import { type Kysely, sql } from 'kysely';

/**
 * Connections with a task, by when it is due. The index by goal could not be searched for any goal: SQLite read the
 * whole table once a second. Partial: a connection that waits for nothing is not in it.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createIndex('connections_tasks')
    .on('connections')
    .column('next_at')
    .where('goal' as never, 'is not', null)
    .execute();
  await sql`drop index connections_due`.execute(db);
}
