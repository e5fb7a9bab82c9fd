import type { Kysely } from 'kysely';

/** Where Plaid sends the webhooks of each Item, which does not follow PUBLIC_URL by itself. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('items').addColumn('webhook_url', 'text').execute();
  await db.schema.createIndex('items_webhook').on('items').columns(['status', 'webhook_url']).execute();
}
