import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { accessTokenOf } from '../records/items.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable, InboundEventTable, ItemTable } from '../storage/tables.ts';

/** Whether news of a login are still true: they come late and more than once, also after the customer has signed in again. */

/** Plaid repeats what was not answered for a day: for that long, old news can come after a repair. */
export const REPEATS_MS = 24 * 3600_000;

export async function wasJustRepaired({ storage }: { storage: Storage }, item: ItemTable): Promise<boolean> {
  const recent = await storage.db
    .selectFrom('connections')
    .select('id')
    .where('item_id', '=', item.id)
    .where('repaired_at', '>', (await storage.now()) - REPEATS_MS)
    .executeTakeFirst();
  return recent !== undefined;
}

/** Whether the very same webhook had come before the connection was repaired. */
export async function isRepeatOfOldEvent(
  trx: StorageTransaction,
  event: InboundEventTable,
  { repaired_at }: ConnectionTable,
): Promise<boolean> {
  if (repaired_at === null) return false;
  const earlier = await trx
    .selectFrom('inbound_events')
    .select('id')
    .where('body_hash', '=', event.body_hash)
    .where('id', '!=', event.id)
    .where('received_at', '<=', repaired_at)
    .where('received_at', '>', event.received_at - REPEATS_MS)
    .executeTakeFirst();
  return earlier !== undefined;
}

/** What Plaid says of the login now. */
export async function loginState(
  { plaid, secrets }: { plaid: PlaidClient; secrets: Secrets },
  item: ItemTable,
): Promise<'good' | 'broken' | 'unknown'> {
  const accessToken = accessTokenOf(secrets, item);
  if (accessToken === null) return 'unknown';
  try {
    return (await plaid.getItemError(accessToken)) === null ? 'good' : 'broken';
  } catch (error) {
    if (error instanceof UpstreamError && error.failure === 'refused') return 'unknown';
    throw error;
  }
}
