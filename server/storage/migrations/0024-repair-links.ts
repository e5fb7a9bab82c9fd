import type { Kysely } from 'kysely';

/** Which connection a link repairs. The column's meaning is in tables-later.ts. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('links').addColumn('connection_id', 'text').execute();
  await db.schema.createIndex('links_connection').on('links').columns(['connection_id', 'status']).execute();
}
