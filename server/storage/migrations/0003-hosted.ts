import type { Kysely } from 'kysely';

/** Open Hosted Links. The columns are documented in tables.ts. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('hosted_links')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('link_token_enc', 'text', (c) => c.notNull())
    .addColumn('is_used', 'integer', (c) => c.notNull())
    .addColumn('tries', 'integer', (c) => c.notNull())
    .addColumn('next_at', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createIndex('hosted_links_session')
    .on('hosted_links')
    .columns(['session_id', 'created_at'])
    .execute();
  await db.schema.createIndex('hosted_links_due').on('hosted_links').column('next_at').execute();
}
