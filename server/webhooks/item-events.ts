import type { InboundEventTable, ItemTable } from '../storage/tables.ts';
import { NotNow } from '../work/retry.ts';
import { type Change, change, type Outcome, type WebhookDeps } from './change-connections.ts';
import type { PlaidFacts } from './verify-plaid.ts';

/** Which connections an event of Plaid is about. */

/** For how long a webhook may be ahead of our own knowledge of its Item: the exchange's answer comes seconds after. */
const AHEAD_MS = 15 * 60_000;
/** Webhooks that stop a debit. About an unknown Item they are kept: a newer copy of the database may be restored. */
const STOPS = new Set([
  'ITEM/ERROR',
  'ITEM/USER_PERMISSION_REVOKED',
  'ITEM/USER_ACCOUNT_REVOKED',
  'AUTH/DEFAULT_UPDATE',
]);
/** An unknown Item is asked for again this often. */
const UNKNOWN_AGAIN_MS = 3600_000;

/**
 * @returns undefined when the Item is gone, or has no row: every Item whose webhooks come here was made by this
 * server
 * @throws NotNow while its row may still come
 */
export async function findItem(
  { storage, log }: WebhookDeps,
  event: InboundEventTable,
  { item_id: plaidId }: PlaidFacts,
): Promise<ItemTable | undefined> {
  if (plaidId === undefined) return undefined;
  const item = await storage.db.selectFrom('items').selectAll().where('plaid_item_id', '=', plaidId).executeTakeFirst();
  if (item) return item.status === 'linked' ? item : undefined;
  // The answer to the exchange may be still on its way.
  if (event.waited_ms < AHEAD_MS) throw new NotNow('unknown');
  log.error(
    { event: event.id, type: event.type, item: plaidId },
    'webhook for an unknown Item: an older copy of the database may have been restored, run reconcile (docs/operations.md)',
  );
  if (STOPS.has(event.type)) throw new NotNow('unknown', UNKNOWN_AGAIN_MS);
  return undefined;
}

export async function forItem(
  deps: WebhookDeps,
  event: InboundEventTable,
  facts: PlaidFacts,
  each: Change,
  isUrgent = false,
): Promise<Outcome> {
  const item = await findItem(deps, event, facts);
  if (!item) return 'ignored';
  await change(deps, event, item.id, each, { isUrgent });
  return 'handled';
}

/** Narrows a change to the accounts that the event is about. */
export function ofAccounts({ account_ids: accounts = [] }: PlaidFacts, each: Change): Change {
  return (unit, before) => (accounts.includes(before.plaid_account_id) ? each(unit, before) : undefined);
}
