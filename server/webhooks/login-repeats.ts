import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable, InboundEventTable, ItemTable } from '../storage/tables.ts';

/**
 * Whether an event about a login is still true: they come late and more than once, also after the customer has signed
 * in again.
 */

/** Plaid repeats what was not answered for a day: for that long after a repair, an event can be of before it. */
const REPEATS_MS = 24 * 3600_000;

/** When the login was last repaired, if the event can be of before that. */
export async function lastRepair(
  { storage }: { storage: Storage },
  item: ItemTable,
  event: InboundEventTable,
): Promise<number | undefined> {
  const [latest] = await storage.db
    .selectFrom('connections')
    .select('repaired_at')
    .where('item_id', '=', item.id)
    .where('repaired_at', '>', event.received_at - REPEATS_MS)
    .orderBy('repaired_at', 'desc')
    .limit(1)
    .execute();
  return latest?.repaired_at ?? undefined;
}

/** Whether the very same event was handled before the connection was repaired. One that was not handled is no copy. */
export async function isRepeat(
  trx: StorageTransaction,
  event: InboundEventTable,
  { repaired_at }: ConnectionTable,
): Promise<boolean> {
  if (repaired_at === null) return false;
  const earlier = await trx
    .selectFrom('inbound_events')
    .select('id')
    .where('body_hash', '=', event.body_hash)
    .where('handled_at', '<=', repaired_at)
    .where('received_at', '>', event.received_at - REPEATS_MS)
    .executeTakeFirst();
  return earlier !== undefined;
}

/**
 * Whether the connection was repaired after `lastRepair` was read. A repair that was being written at that moment has a
 * time of before.
 */
export function isRepairedSince(
  { repaired_at }: ConnectionTable,
  repairedAt: number | undefined,
  event: InboundEventTable,
): boolean {
  return (repaired_at ?? 0) > (repairedAt ?? event.received_at - REPEATS_MS);
}
