import type { Kysely } from 'kysely';

/** Links that are sent to customers, and the merchants of a platform. The columns' meaning is in tables.ts. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('links')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('customer_id', 'text', (c) => c.notNull())
    .addColumn('merchant_id', 'text')
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('mode', 'text', (c) => c.notNull())
    .addColumn('request_enc', 'text')
    .addColumn('return_url', 'text')
    .addColumn('session_id', 'text')
    .addColumn('secret_key_id', 'text', (c) => c.notNull())
    .addColumn('window_start', 'bigint', (c) => c.notNull())
    .addColumn('openings', 'integer', (c) => c.notNull())
    .addColumn('opened_at', 'bigint')
    .addColumn('completed_at', 'bigint')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute();
  // The job that ends links looks by both; ten thousand open ones cost one range read.
  await db.schema.createIndex('links_due').on('links').columns(['status', 'expires_at']).execute();
  await db.schema.createIndex('links_customer').on('links').columns(['customer_id', 'id']).execute();

  for (const column of ['link_id', 'merchant', 'merchant_id', 'link_customization', 'allowed_origins'] as const) {
    await db.schema.alterTable('sessions').addColumn(column, 'text').execute();
  }
  await db.schema.alterTable('connections').addColumn('merchant_id', 'text').execute();
  await db.schema.createIndex('connections_merchant').on('connections').columns(['merchant_id', 'id']).execute();
  await db.schema.alterTable('deliveries').addColumn('merchant_id', 'text').execute();
  await db.schema.alterTable('deliveries').addColumn('link_id', 'text').execute();
  await db.schema.alterTable('audit').addColumn('link_id', 'text').execute();
  await db.schema.createIndex('audit_link').on('audit').columns(['link_id', 'at']).execute();
}
