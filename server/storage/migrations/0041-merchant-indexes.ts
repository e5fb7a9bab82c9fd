import type { Kysely } from 'kysely';

/** A merchant's sessions and links, for lists and the audit. Partial: without a platform they cost nothing. */
export async function up(db: Kysely<never>): Promise<void> {
  for (const table of ['sessions', 'links'] as const) {
    await db.schema
      .createIndex(`${table}_merchant`)
      .on(table)
      .columns(['merchant_id', 'id'])
      .where('merchant_id' as never, 'is not', null)
      .execute();
  }
}
