import type { Kysely } from 'kysely';

/** Items that are to be prepared for Signal. The columns' meaning is in tables.ts. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('items').addColumn('signal_prepare_at', 'bigint').execute();
  await db.schema.alterTable('items').addColumn('signal_prepared_at', 'bigint').execute();
  await db.schema.createIndex('items_signal').on('items').column('signal_prepare_at').execute();
}
