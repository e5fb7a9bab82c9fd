import { type Kysely, SqliteAdapter, sql } from 'kysely';

/**
 * What happens to a connection later: webhooks in and out, removal, repair, audit. The columns are documented in
 * tables.ts.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('sessions').addColumn('repair_token_hash', 'text').execute();
  await db.schema.createIndex('sessions_item').on('sessions').columns(['item_id', 'status']).execute();
  await db.schema.createIndex('sessions_customer').on('sessions').column('customer_id').execute();
  await db.schema.createIndex('sessions_repair').on('sessions').column('repair_connection_id').execute();

  const texts = ['reason', 'goal', 'lease_owner'] as const;
  for (const column of texts) await db.schema.alterTable('connections').addColumn(column, 'text').execute();
  const moments = ['goal_since', 'repaired_at', 'removed_at'] as const;
  for (const column of moments) await db.schema.alterTable('connections').addColumn(column, 'bigint').execute();
  for (const column of ['lease_until', 'next_at'] as const) {
    await db.schema
      .alterTable('connections')
      .addColumn(column, 'bigint', (c) => c.notNull().defaultTo(0))
      .execute();
  }
  for (const column of ['version', 'tries', 'generation'] as const) {
    await db.schema
      .alterTable('connections')
      .addColumn(column, 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
  }
  await db.schema.createIndex('connections_due').on('connections').columns(['goal', 'next_at']).execute();
  await db.schema.createIndex('connections_instrument').on('connections').column('payment_instrument').execute();

  await db.schema
    .createTable('link_tokens')
    .addColumn('hash', 'text', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('link_tokens_age').on('link_tokens').column('created_at').execute();

  await db.schema
    .createTable('inbound_events')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('dedupe_key', 'text', (c) => c.notNull().unique())
    .addColumn('body_hash', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('facts', 'text', (c) => c.notNull())
    .addColumn('public_token_enc', 'text')
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('tries', 'integer', (c) => c.notNull())
    .addColumn('next_at', 'bigint', (c) => c.notNull())
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .addColumn('handled_at', 'bigint')
    .execute();
  await db.schema.createIndex('inbound_events_due').on('inbound_events').columns(['status', 'next_at']).execute();
  await db.schema.createIndex('inbound_events_body').on('inbound_events').column('body_hash').execute();
  await db.schema.createIndex('inbound_events_age').on('inbound_events').column('received_at').execute();

  await db.schema
    .createTable('deliveries')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('connection_id', 'text')
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('tries', 'integer', (c) => c.notNull())
    .addColumn('next_at', 'bigint', (c) => c.notNull())
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('last_tried_at', 'bigint')
    .addColumn('last_status', 'integer')
    .addColumn('last_error', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('deliveries_due').on('deliveries').columns(['status', 'next_at']).execute();
  await db.schema.createIndex('deliveries_shown').on('deliveries').columns(['created_at', 'id']).execute();
  await db.schema.createIndex('deliveries_session').on('deliveries').column('session_id').execute();

  await db.schema
    .createTable('audit')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('session_id', 'text')
    .addColumn('connection_id', 'text')
    .addColumn('ip', 'text')
    .addColumn('details', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('audit_connection').on('audit').columns(['connection_id', 'at']).execute();
  await db.schema.createIndex('audit_session').on('audit').columns(['session_id', 'at']).execute();
  await db.schema.createIndex('audit_age').on('audit').column('at').execute();
  await refuseUpdates(db);

  await db.schema
    .createTable('erasures')
    .addColumn('customer_id', 'text', (c) => c.primaryKey())
    .addColumn('next_at', 'bigint', (c) => c.notNull())
    .addColumn('requested_at', 'bigint', (c) => c.notNull())
    .execute();
}

/** An audit that could be edited would prove nothing; rows only ever leave by age. */
async function refuseUpdates(db: Kysely<never>): Promise<void> {
  if (db.getExecutor().adapter instanceof SqliteAdapter) {
    await sql`create trigger audit_append_only before update on audit
      begin select raise(abort, 'audit rows are never changed'); end`.execute(db);
    return;
  }
  await sql`create function audit_append_only() returns trigger language plpgsql as
    $$ begin raise exception 'audit rows are never changed'; end $$`.execute(db);
  await sql`create trigger audit_append_only before update on audit
    for each row execute function audit_append_only()`.execute(db);
}
