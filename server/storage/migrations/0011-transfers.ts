import type { Kysely } from 'kysely';

/** Debits and payouts of connected accounts, and what became of them. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('transfers')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('connection_id', 'text', (c) => c.notNull())
    .addColumn('payment_instrument', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('amount', 'bigint')
    .addColumn('currency', 'text')
    .addColumn('sent_at', 'bigint', (c) => c.notNull())
    .addColumn('check_id', 'text')
    .addColumn('return_transfer', 'text')
    .addColumn('return_code', 'text')
    .addColumn('failure_code', 'text')
    .addColumn('returned_at', 'bigint')
    .addColumn('effect', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('transfers_connection').on('transfers').columns(['connection_id', 'sent_at']).execute();
  await db.schema.createIndex('transfers_age').on('transfers').column('updated_at').execute();
}
