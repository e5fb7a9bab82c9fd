import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable, ItemTable, SessionTable } from '../storage/tables.ts';

export async function findItem(
  db: Storage['db'] | StorageTransaction,
  id: string | null,
): Promise<ItemTable | undefined> {
  return db.selectFrom('items').selectAll().where('id', '=', id).executeTakeFirst();
}

/**
 * The Item's access token, opened. Null when it has none: its public token is not exchanged yet, or the Item is
 * removed. Each caller decides what follows from that.
 */
export function accessTokenOf(
  secrets: Secrets,
  { id, access_token_enc }: Pick<ItemTable, 'id' | 'access_token_enc'>,
): string | null {
  if (access_token_enc === null) return null;
  return secrets.open(access_token_enc, { table: 'items', row: id, column: 'access_token_enc' });
}

/** Whether a session is processing the Item, or a repair of it: then only that session changes its connections. */
export async function isBusy(db: Storage['db'] | StorageTransaction, itemId: string): Promise<boolean> {
  const session = await db
    .selectFrom('sessions')
    .select('id')
    .where('item_id', '=', itemId)
    .where('status', '=', 'processing')
    .executeTakeFirst();
  return session !== undefined;
}

/** The session that is connecting this very connection, or repairing it; others of its Item leave it alone. */
export async function sessionAbout(
  db: Storage['db'] | StorageTransaction,
  { id, item_id, session_id }: Pick<ConnectionTable, 'id' | 'item_id' | 'session_id'>,
): Promise<Pick<SessionTable, 'recovery_point' | 'repair_connection_id'> | undefined> {
  return db
    .selectFrom('sessions')
    .select(['recovery_point', 'repair_connection_id'])
    .where('item_id', '=', item_id)
    .where('status', '=', 'processing')
    .where((eb) =>
      eb.or([
        eb('repair_connection_id', '=', id),
        eb.and([eb('repair_connection_id', 'is', null), eb('id', '=', session_id)]),
      ]),
    )
    .executeTakeFirst();
}

/**
 * Has a job prepare the Item for Signal, to which its customer has consented in Link. Once for each Item; repeated
 * after a repair, which can have brought the consent.
 */
export async function prepareForSignal(trx: Storage['db'], itemId: string | null, now: number): Promise<void> {
  await trx
    .updateTable('items')
    .set({ signal_prepare_at: now, updated_at: now })
    .where('id', '=', itemId)
    .where('status', '=', 'linked')
    .where('signal_prepared_at', 'is', null)
    .execute();
}

/**
 * Lets go of what a session that ends without a connection holds: Items are removed at Plaid by a job, public tokens
 * erased.
 */
export async function releaseItems(trx: Storage['db'], sessionId: string, now: number): Promise<void> {
  // First, because an overtaken worker's access token may come at any moment: from here on it finds its Item consumed.
  await trx
    .updateTable('items')
    .set({ status: 'spent', public_token_enc: null, updated_at: now })
    .where('session_id', '=', sessionId)
    .where('status', '=', 'exchanging')
    .execute();
  await trx
    .updateTable('items')
    .set({ status: 'removing', next_at: now, tries: 0, public_token_enc: null, updated_at: now })
    .where('session_id', '=', sessionId)
    .where('status', '=', 'linked')
    .execute();
}
