import { type Kysely, sql } from 'kysely';

/** In a transaction of its own: the one that adds the column keeps every server from the table until it ends. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    update connection_instruments set fingerprint = (
      select min(fingerprint) from connections
      where connections.payment_instrument = connection_instruments.payment_instrument
    ) where fingerprint is null`.execute(db);
}
