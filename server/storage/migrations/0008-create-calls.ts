import type { Kysely } from 'kysely';

/**
 * A row for each create call at Finix that may have made something, in place of columns that every path had to keep in
 * step. The columns are documented in tables.ts. The columns of before are still written, for servers of an earlier
 * version on the same database.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('create_calls')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('connection_id', 'text')
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('customer_id', 'text')
    .addColumn('role', 'text')
    .addColumn('tag', 'text', (c) => c.notNull())
    .addColumn('finix_identity', 'text')
    .addColumn('sent_at', 'bigint', (c) => c.notNull())
    .addColumn('outcome', 'text')
    .addColumn('instrument', 'text')
    .addColumn('look_at', 'bigint', (c) => c.notNull())
    .addColumn('tries', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('create_calls_due').on('create_calls').column('look_at').execute();
  await db.schema.createIndex('create_calls_connection').on('create_calls').column('connection_id').execute();
  await db.schema.createIndex('create_calls_customer').on('create_calls').columns(['customer_id', 'role']).execute();
}
