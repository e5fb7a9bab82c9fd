import type { Kysely } from 'kysely';

/**
 * Accounts that a customer has connected before are recognized before anything is exchanged. The columns are documented
 * in tables.ts.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('sessions').addColumn('recognized_connections', 'text').execute();
  await db.schema
    .alterTable('hosted_links')
    .addColumn('is_hosted', 'integer', (c) => c.notNull().defaultTo(1))
    .execute();
}
