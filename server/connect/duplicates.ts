import { awaitsInstrument, beginRemoval, lockConnection } from '../records/connections.ts';
import type { Unit } from '../records/unit.ts';
import type { StorageTransaction } from '../storage/open.ts';
import { LIVE_CONNECTION } from '../storage/statuses.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { factsOf, isOfMerchant, isSameAccount } from './account-match.ts';
import type { OwnInstrument } from './instrument-list.ts';

/**
 * The same bank account connected twice by the same customer, where it was not recognized before the exchange
 * (recognize.ts). It is looked for once the new instrument exists: at Chase, PNC, Navy Federal and Schwab the old Item
 * may be dead the moment the customer has signed in again, so here the new one is the one to keep.
 */

/** @returns the customer's other connections to the same account for the same identity and merchant, oldest first */
export async function duplicatesOf(trx: StorageTransaction, connection: ConnectionTable): Promise<ConnectionTable[]> {
  const others = await trx
    .selectFrom('connections')
    .selectAll()
    .where('customer_id', '=', connection.customer_id)
    .where('id', '!=', connection.id)
    // Another Item: two accounts of one login are never the same.
    .where('item_id', '!=', connection.item_id)
    // Of another identity it is another instrument on purpose, such as one for payouts.
    .where('finix_identity', '=', connection.finix_identity)
    .where((eb) =>
      eb.or([
        eb('status', 'in', [...LIVE_CONNECTION, 'revoked']),
        // An old one whose instrument is just being renewed. Of two new ones the one that is ready last stays.
        eb.and([eb('status', '=', 'pending'), eb('generation', '>', 0)]),
      ]),
    )
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return others.filter(isOfMerchant(connection)).filter((other) => isSameAccount(factsOf(other), factsOf(connection)));
}

/**
 * Instruments of the same bank account without a row: made for connections that were lost when an older
 * copy of the database was restored.
 * @param listed what Finix lists of the same identity
 * @returns their ids
 */
export async function orphansOf(
  trx: StorageTransaction,
  made: OwnInstrument,
  listed: readonly OwnInstrument[],
): Promise<string[]> {
  const alike = listed.filter(
    ({ id, enabled, fingerprint }) =>
      enabled && id !== made.id && fingerprint !== null && fingerprint === made.fingerprint,
  );
  const orphans: string[] = [];
  for (const { id, connection, generation } of alike) {
    if (connection === made.connection) continue;
    const row = await trx.selectFrom('connections').selectAll().where('id', '=', connection).executeTakeFirst();
    const isKnown = row && (row.payment_instrument === id || awaitsInstrument(row, generation));
    if (!isKnown) orphans.push(id);
  }
  return orphans;
}

/** Removes the old connections: their instruments at once, their Items when nothing else uses them. */
export async function retire(unit: Unit, duplicates: ConnectionTable[], kept: ConnectionTable): Promise<void> {
  for (const { id } of duplicates) {
    const before = await lockConnection(unit.trx, id);
    const by = { ...unit.by, details: { ...unit.by.details, replaced_by: kept.id } };
    if (before) await beginRemoval({ ...unit, by }, before, 'replaced');
  }
}
