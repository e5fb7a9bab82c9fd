import type { Kysely } from 'kysely';

/** Every script this server has ever served under a name that promises not to change. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('scripts')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('content', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
}
