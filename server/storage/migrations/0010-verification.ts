import { type Kysely, sql } from 'kysely';

/**
 * What is known of an account: how it was verified, whose it is, which instruments it had. The columns' meaning is in
 * tables.ts.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('sessions')
    .addColumn('ownership', 'text', (c) => c.notNull().defaultTo('report'))
    .execute();
  await db.schema.alterTable('items').addColumn('link_session_id', 'text').execute();
  for (const column of ['verification', 'last_return', 'link_session_id', 'purpose', 'later_authorizations'] as const) {
    await db.schema.alterTable('connections').addColumn(column, 'text').execute();
  }
  await db.schema.alterTable('connections').addColumn('changed_bank_at', 'bigint').execute();

  await db.schema
    .createTable('connection_instruments')
    .addColumn('payment_instrument', 'text', (c) => c.primaryKey())
    .addColumn('connection_id', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createIndex('connection_instruments_connection')
    .on('connection_instruments')
    .column('connection_id')
    .execute();
  for (const column of ['previous_payment_instrument', 'payment_instrument']) {
    await sql`
      insert into connection_instruments (payment_instrument, connection_id, created_at)
      select ${sql.ref(column)}, min(id), min(created_at) from connections where ${sql.ref(column)} is not null
      group by ${sql.ref(column)} on conflict (payment_instrument) do nothing`.execute(db);
  }
}
