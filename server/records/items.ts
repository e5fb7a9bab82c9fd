import type { StorageTransaction } from '../storage/open.ts';

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
