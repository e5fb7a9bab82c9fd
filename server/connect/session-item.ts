import { accessTokenOf } from '../records/items.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import { updateRow } from '../storage/row-writes.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ItemTable } from '../storage/tables.ts';
import { Stop } from '../work/retry.ts';
import type { HeldSession } from '../work/session-lease.ts';

/** The Item that a session works on. */

export async function currentItem(
  db: StorageTransaction | Storage['db'],
  { row, known }: HeldSession,
): Promise<ItemTable> {
  known.item ??= await db.selectFrom('items').selectAll().where('id', '=', row.item_id).executeTakeFirstOrThrow();
  return known.item;
}

export async function writeItem(
  trx: StorageTransaction,
  item: ItemTable,
  patch: Partial<ItemTable>,
  now: number,
): Promise<void> {
  await writeLast(trx, updateRow('items', { id: item.id }, { ...patch, updated_at: now }));
}

/** @throws Stop when the Item has none: it was removed */
export function requireAccessToken(secrets: Secrets, item: ItemTable): string {
  const token = accessTokenOf(secrets, item);
  if (token === null) throw new Stop('restart_required', 'restart_required');
  return token;
}

/**
 * This worker was overtaken while Plaid's one answer was on its way to it. The present worker goes on with it; when the
 * customer has been asked to connect again by now, the login is of no use, and is removed.
 */
export async function leaveAccessToken(storage: Storage, id: string, tokens: Partial<ItemTable>): Promise<void> {
  const now = await storage.now();
  const leave = (from: ItemTable['status'], to: ItemTable['status']) =>
    storage.db
      .updateTable('items')
      .set({ ...tokens, status: to, next_at: now, updated_at: now })
      .where('id', '=', id)
      .where('status', '=', from)
      .executeTakeFirst();
  if ((await leave('exchanging', 'linked')).numUpdatedRows === 0n) await leave('spent', 'removing');
}
