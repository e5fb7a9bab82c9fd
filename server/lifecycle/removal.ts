import { ProblemError } from '../errors.ts';
import type { Initiator } from '../records/audit.ts';
import { beginRemoval, lockConnection } from '../records/connections.ts';
import type { Outbox } from '../records/outbox.ts';
import type { Storage } from '../storage/open.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { TIMING } from '../work/timing.ts';

/**
 * How long a request waits for a removal. Longer than Finix and Plaid take on a good day; a client that waits longer
 * gives up by itself.
 */
export const REMOVAL_PATIENCE_MS = TIMING.answerWithinMs;

/**
 * Asks for a connection's removal; the worker of its task carries it out (connection-tasks.ts). A session that works on
 * the connection is not waited for: it finds in the row that the connection is leaving. @throws ProblemError
 */
export async function requestRemoval(
  { storage, outbox }: { storage: Storage; outbox: Outbox },
  id: string,
  by: Initiator,
): Promise<ConnectionTable> {
  const now = await storage.now();
  const found = await storage.db
    .selectFrom('connections')
    .select('customer_id')
    .where('id', '=', id)
    .executeTakeFirst();
  if (!found) throw noConnection();
  return storage.transaction(`customer:${found.customer_id}`, async (trx) => {
    const before = await lockConnection(trx, id);
    if (!before) throw noConnection();
    return beginRemoval({ trx, outbox, now, by }, before, 'removed_by_merchant');
  });
}

function noConnection(): ProblemError {
  return new ProblemError('not_found', { detail: 'There is no such connection.' });
}
