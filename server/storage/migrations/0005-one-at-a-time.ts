import type { Kysely } from 'kysely';

/**
 * Webhooks about the same thing are handled one after the other, and those about an instrument that was replaced are
 * known as such.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('inbound_events').addColumn('subject', 'text').execute();
  await db.schema
    .createIndex('inbound_events_subject')
    .on('inbound_events')
    .columns(['subject', 'status', 'next_at'])
    .execute();
  await db.schema
    .createIndex('connections_previous_instrument')
    .on('connections')
    .column('previous_payment_instrument')
    .execute();
}
