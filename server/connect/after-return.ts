import { isReturned } from '../records/connections.ts';
import type { FoundSession } from '../records/sessions.ts';
import type { Storage } from '../storage/open.ts';
import { isOfMerchant } from './account-match.ts';

/**
 * Whether the customer is asked for a bank because a payment with the last one was returned: the page then shows the
 * reason. Not where another account of the customer's can be used.
 */
export async function isAfterReturn({ db }: Storage, session: FoundSession): Promise<boolean> {
  const all = db.selectFrom('connections').select(['status', 'reason', 'merchant_id', 'updated_at', 'purpose']);
  if (session.repair_connection_id !== null) {
    const repaired = await all.where('id', '=', session.repair_connection_id).executeTakeFirst();
    return repaired !== undefined && repaired.status !== 'active' && isReturned(repaired);
  }
  // A customer of public mode is new each time.
  if (session.is_public === 1 || session.any_connection === null) return false;
  const own = (await all.where('customer_id', '=', session.customer_id).execute())
    .filter(isOfMerchant(session))
    .filter(({ purpose }) => (purpose ?? session.purpose) === session.purpose)
    .sort((a, b) => b.updated_at - a.updated_at);
  const [last] = own.filter(({ status }) => status !== 'removed');
  return last !== undefined && isReturned(last) && !own.some(({ status }) => status === 'active');
}
