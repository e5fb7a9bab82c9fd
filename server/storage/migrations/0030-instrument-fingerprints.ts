import type { Kysely } from 'kysely';

/** Which numbers an instrument has, also after it was replaced. The column's meaning is in tables-later.ts. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('connection_instruments').addColumn('fingerprint', 'text').execute();
}
