import type { Kysely } from 'kysely';

/** The columns are documented in tables.ts. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('sessions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('mode', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('recovery_point', 'text', (c) => c.notNull())
    .addColumn('customer_id', 'text', (c) => c.notNull())
    .addColumn('purpose', 'text', (c) => c.notNull())
    .addColumn('account_selection', 'text', (c) => c.notNull())
    .addColumn('language', 'text', (c) => c.notNull())
    .addColumn('is_public', 'integer', (c) => c.notNull())
    .addColumn('finix_identity', 'text')
    .addColumn('identity_enc', 'text')
    .addColumn('authorization_text', 'text')
    .addColumn('authorization_version', 'text')
    .addColumn('authorization_receipt', 'text')
    .addColumn('metadata', 'text', (c) => c.notNull())
    .addColumn('repair_connection_id', 'text')
    .addColumn('secret_key_id', 'text', (c) => c.notNull())
    .addColumn('item_id', 'text')
    .addColumn('chosen_accounts', 'text', (c) => c.notNull())
    .addColumn('error', 'text')
    .addColumn('link_tokens_until', 'bigint', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('next_at', 'bigint', (c) => c.notNull())
    .addColumn('tries', 'integer', (c) => c.notNull())
    .addColumn('processing_since', 'bigint')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute();
  // The jobs' question: what is due? The index keeps its cost independent of how many sessions are stored.
  await db.schema.createIndex('sessions_due').on('sessions').columns(['status', 'next_at']).execute();
  await db.schema.createIndex('sessions_ending').on('sessions').columns(['status', 'expires_at']).execute();

  await db.schema
    .createTable('items')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('public_token_hash', 'text', (c) => c.notNull().unique())
    .addColumn('public_token_enc', 'text')
    .addColumn('exchange_sent_at', 'bigint')
    .addColumn('exchange_tries', 'integer', (c) => c.notNull())
    .addColumn('access_token_enc', 'text')
    .addColumn('plaid_item_id', 'text')
    .addColumn('institution_id', 'text')
    .addColumn('institution_name', 'text')
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('next_at', 'bigint', (c) => c.notNull())
    .addColumn('tries', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('items_session').on('items').column('session_id').execute();
  await db.schema.createIndex('items_plaid').on('items').column('plaid_item_id').execute();
  await db.schema.createIndex('items_due').on('items').columns(['status', 'next_at']).execute();

  await db.schema
    .createTable('connections')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('customer_id', 'text', (c) => c.notNull())
    .addColumn('item_id', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('plaid_account_id', 'text', (c) => c.notNull())
    .addColumn('account_name', 'text')
    .addColumn('account_mask', 'text')
    .addColumn('account_type', 'text')
    .addColumn('account_subtype', 'text')
    .addColumn('persistent_account_id', 'text')
    .addColumn('institution_id', 'text')
    .addColumn('institution_name', 'text')
    .addColumn('finix_identity', 'text')
    .addColumn('payment_instrument', 'text')
    .addColumn('previous_payment_instrument', 'text')
    .addColumn('fingerprint', 'text')
    .addColumn('bank_account_validation_check', 'text')
    .addColumn('authorization_receipt', 'text')
    .addColumn('metadata', 'text', (c) => c.notNull())
    .addColumn('instrument_sent_at', 'bigint')
    .addColumn('instrument_tries', 'integer', (c) => c.notNull())
    .addColumn('sweep_at', 'bigint')
    .addColumn('error_code', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('connections_account', ['session_id', 'item_id', 'plaid_account_id'])
    .execute();
  await db.schema.createIndex('connections_session').on('connections').column('session_id').execute();
  await db.schema.createIndex('connections_customer').on('connections').columns(['customer_id', 'id']).execute();
  await db.schema.createIndex('connections_item').on('connections').column('item_id').execute();
  await db.schema.createIndex('connections_sweep').on('connections').column('sweep_at').execute();

  await db.schema
    .createTable('customers')
    .addColumn('customer_id', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('finix_identity', 'text')
    .addColumn('identity_tag', 'text', (c) => c.notNull())
    .addColumn('identity_sent_at', 'bigint')
    .addColumn('identity_tries', 'integer', (c) => c.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('customers_key', ['customer_id', 'role'])
    .execute();

  await db.schema
    .createTable('idempotency')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('request_hash', 'text', (c) => c.notNull())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('response', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('idempotency_age').on('idempotency').column('created_at').execute();

  await db.schema
    .createTable('rate_limits')
    .addColumn('bucket', 'text', (c) => c.primaryKey())
    .addColumn('window_start', 'bigint', (c) => c.notNull())
    .addColumn('hits', 'integer', (c) => c.notNull())
    .execute();

  await db.schema
    .createTable('meta')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();
}
