import type { Kysely } from 'kysely';

/** Removed connections by age, for retention. Partial: present ones cost nothing. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createIndex('connections_removed')
    .on('connections')
    .column('removed_at')
    .where('removed_at' as never, 'is not', null)
    .execute();
}
