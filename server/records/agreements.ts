import type { Storage, StorageTransaction } from '../storage/open.ts';
import { IDENTIFIED } from '../storage/statuses.ts';

/**
 * How long a completed session is kept. It shows which request created a connection, and when a customer agreed again
 * in a repair. A bank's customer has 60 days to call a debit unauthorized, and the merchant then some to answer.
 */
export const COMPLETED_KEEP_MS = 90 * 24 * 3600_000;

/**
 * Until when the customer's last repair of the connection answers returns of before it; milliseconds since 1970. Only a
 * repair of this very account counts: a login that works again, or a repair for another account, gives no permission.
 * Where sessions are deleted by age, what is older had its effect long ago.
 */
export async function answeredUntil(
  db: Storage['db'] | StorageTransaction,
  connectionId: string,
  now: number,
): Promise<number> {
  const repair = await db
    .selectFrom('sessions')
    .select('processing_since')
    .where('repair_connection_id', '=', connectionId)
    // The accounts were read again: from here on the connection is that of the repair.
    .where('recovery_point', 'in', IDENTIFIED)
    .orderBy('processing_since', 'desc')
    .limit(1)
    .executeTakeFirst();
  return Math.max(repair?.processing_since ?? 0, now - COMPLETED_KEEP_MS);
}
