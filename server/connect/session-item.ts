import { accessTokenOf } from '../records/items.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
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
  const written = trx
    .updateTable('items')
    .set({ ...patch, updated_at: now })
    .where('id', '=', item.id);
  await writeLast(trx, written);
}

/** @throws Stop when the Item has none: it was removed */
export function requireAccessToken(secrets: Secrets, item: ItemTable): string {
  const token = accessTokenOf(secrets, item);
  if (token === null) throw new Stop('restart_required', 'restart_required');
  return token;
}
