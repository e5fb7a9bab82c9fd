import { type Kysely, sql } from 'kysely';

/** When a customer's consent ends, and who asked for it. The columns' meaning is in tables.ts. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('connections').addColumn('consent_expires_at', 'bigint').execute();
  await db.schema.alterTable('connections').addColumn('merchant', 'text').execute();
  await db.schema.createIndex('connections_consent').on('connections').column('consent_expires_at').execute();
  await sql`
    update connections set merchant = (select merchant from sessions where sessions.id = connections.session_id)
    where merchant_id is not null`.execute(db);
}
