import type { Storage, StorageTransaction } from '../storage/open.ts';

/** Whether a session is at work on the Item, or on a repair of it: then its connections are the session's to change. */
export async function isBusy(trx: StorageTransaction, itemId: string): Promise<boolean> {
  const session = await trx
    .selectFrom('sessions')
    .select('id')
    .where('item_id', '=', itemId)
    .where('status', '=', 'processing')
    .executeTakeFirst();
  return session !== undefined;
}

/** Lets go of what a session that ends without a connection holds: Items are removed at Plaid by a job, public tokens erased. */
export async function releaseItems(trx: Storage['db'], sessionId: string, now: number): Promise<void> {
  // First, because an overtaken worker's access token may come at any moment: from here on it finds its Item spent.
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
