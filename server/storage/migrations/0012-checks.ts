import type { Kysely } from 'kysely';

/** Questions before a debit, and the keys that sign evidence. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('checks')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('client_transaction_id', 'text', (c) => c.notNull().unique())
    .addColumn('connection_id', 'text', (c) => c.notNull())
    .addColumn('request_hash', 'text', (c) => c.notNull())
    .addColumn('amount', 'bigint', (c) => c.notNull())
    .addColumn('answer', 'text')
    .addColumn('is_evaluated', 'integer', (c) => c.notNull())
    .addColumn('signal_result', 'text')
    .addColumn('transfer_id', 'text')
    .addColumn('is_decision_due', 'integer', (c) => c.notNull())
    .addColumn('return_code', 'text')
    .addColumn('returned_at', 'bigint')
    .addColumn('is_return_due', 'integer', (c) => c.notNull())
    .addColumn('report_at', 'bigint')
    .addColumn('tries', 'integer', (c) => c.notNull())
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('checks_connection').on('checks').columns(['connection_id', 'created_at']).execute();
  await db.schema.createIndex('checks_age').on('checks').column('created_at').execute();
  await db.schema.createIndex('checks_report').on('checks').column('report_at').execute();

  await db.schema
    .createTable('evidence_keys')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('public_jwk', 'text', (c) => c.notNull())
    .addColumn('private_enc', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
}
