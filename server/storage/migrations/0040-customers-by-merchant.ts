import { type Kysely, sql } from 'kysely';

/**
 * Whose customer an identity is of. An identity goes to the merchant of the customer's oldest connection with it; other
 * merchants with the same customer id get one of their own. A key can't be changed in SQLite, so the rows move.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('customers_by_merchant')
    .addColumn('customer_id', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('merchant_id', 'text', (c) => c.notNull())
    .addColumn('finix_identity', 'text')
    .addColumn('identity_tag', 'text', (c) => c.notNull())
    .addColumn('identity_sent_at', 'bigint')
    .addColumn('identity_tries', 'integer', (c) => c.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('customers_by_merchant_key', ['customer_id', 'role', 'merchant_id'])
    .execute();
  await sql`
    insert into customers_by_merchant (
      customer_id, role, merchant_id, finix_identity, identity_tag, identity_sent_at, identity_tries, lease_owner,
      lease_until, created_at, updated_at)
    select customer_id, role,
      coalesce((
        select coalesce(merchant_id, '') from connections
        where connections.customer_id = customers.customer_id and connections.finix_identity = customers.finix_identity
        order by connections.created_at, connections.id limit 1), ''),
      finix_identity, identity_tag, identity_sent_at, identity_tries, lease_owner, lease_until, created_at, updated_at
    from customers`.execute(db);
  await db.schema.dropTable('customers').execute();
  await db.schema.alterTable('customers_by_merchant').renameTo('customers').execute();
}
