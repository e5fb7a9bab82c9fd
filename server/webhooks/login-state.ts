import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { accessTokenOf } from '../records/items.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable, InboundEventTable, ItemTable } from '../storage/tables.ts';

/**
 * Whether an event about a login is still true: they come late and more than once, also after the customer has signed
 * in again.
 */

export type LoginState = 'good' | 'broken' | 'unknown';

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

/** The login's status at Plaid now. */
export function loginState({ plaid, secrets }: AskPlaid, item: ItemTable): Promise<LoginState> {
  return ask(secrets, item, async (token) => (await plaid.getItemError(token)) === null);
}

/** Whether these accounts are shared at Plaid now, by a login that is good. */
export function accountsState({ plaid, secrets }: AskPlaid, item: ItemTable, ids: string[]): Promise<LoginState> {
  return ask(secrets, item, async (token) => {
    if ((await plaid.getItemError(token)) !== null) return false;
    const { accounts } = await plaid.getAccounts(token);
    return ids.every((id) => accounts.some((account) => account.id === id));
  });
}

/** The status of the login's account numbers at Plaid now: whether its customer shares them. */
export function numbersState({ plaid, secrets }: AskPlaid, item: ItemTable): Promise<LoginState> {
  return ask(secrets, item, async (token) => (await plaid.getItemProducts(token)).includes('auth'));
}

/**
 * When the customer's consent ends now, in milliseconds since 1970; null: no end is known. Undefined: Plaid could not
 * be asked.
 */
export async function consentEnd({ plaid, secrets }: AskPlaid, item: ItemTable): Promise<number | null | undefined> {
  let end: number | null | undefined;
  await ask(secrets, item, async (token) => {
    end = await plaid.getConsentEnd(token);
    return true;
  });
  return end;
}

interface AskPlaid {
  plaid: PlaidClient;
  secrets: Secrets;
}

async function ask(
  secrets: Secrets,
  item: ItemTable,
  isGood: (accessToken: string) => Promise<boolean>,
): Promise<LoginState> {
  const accessToken = accessTokenOf(secrets, item);
  if (accessToken === null) return 'unknown';
  try {
    return (await isGood(accessToken)) ? 'good' : 'broken';
  } catch (error) {
    if (error instanceof UpstreamError && error.failure === 'refused') return 'unknown';
    throw error;
  }
}
