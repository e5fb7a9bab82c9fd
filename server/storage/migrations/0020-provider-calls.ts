import type { Kysely } from 'kysely';

/**
 * Calls to Plaid and Finix with the providers' request ids, by the session and the connection that they were made for.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('provider_calls')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('session_id', 'text')
    .addColumn('connection_id', 'text')
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('call', 'text', (c) => c.notNull())
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('code', 'text')
    .addColumn('request_id', 'text')
    .addColumn('ms', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('provider_calls_session').on('provider_calls').columns(['session_id', 'at']).execute();
  await db.schema
    .createIndex('provider_calls_connection')
    .on('provider_calls')
    .columns(['connection_id', 'at'])
    .execute();
  await db.schema.createIndex('provider_calls_age').on('provider_calls').column('at').execute();
}
