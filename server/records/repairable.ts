import type { CreateSessionRequest } from '../../widget/contract.ts';
import { ProblemError } from '../errors.ts';
import type { Storage } from '../storage/open.ts';
import type { ConnectionTable } from '../storage/tables.ts';

/** Statuses that can be repaired. An active one too: a consent can be renewed before it ends. */
const REPAIRABLE = new Set<ConnectionTable['status']>(['active', 'needs_repair', 'revoked', 'pending_verification']);

/** Whether it has ended for good since its repair began: no new sign-in brings it back. */
export function hasEnded({ status, goal }: Pick<ConnectionTable, 'status' | 'goal'>): boolean {
  return goal === 'remove' || status === 'removed' || status === 'failed';
}

export function isRepairable({ status, goal }: Pick<ConnectionTable, 'status' | 'goal'>): boolean {
  return goal !== 'remove' && REPAIRABLE.has(status);
}

/**
 * The connection that a request wants to repair; undefined: it names none.
 * @throws ProblemError `invalid_request` when it is not this customer's and merchant's, or nothing of it can be
 * repaired
 */
export async function findRepaired(
  storage: Storage,
  { connection: id, customer_id, merchant }: Pick<CreateSessionRequest, 'connection' | 'customer_id' | 'merchant'>,
): Promise<ConnectionTable | undefined> {
  if (id === undefined) return undefined;
  const connection = await storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst();
  const message = complaintAbout(connection, customer_id, merchant?.id);
  if (connection && message === undefined) return connection;
  throw new ProblemError('invalid_request', {
    errors: [{ path: 'connection', message: message ?? '' }],
  });
}

function complaintAbout(
  connection: ConnectionTable | undefined,
  customerId: string,
  merchantId: string | undefined,
): string | undefined {
  if (connection?.customer_id !== customerId) return 'is not a connection of this customer';
  // The name on the page would be that of a merchant whom the customer has given no permission.
  if (merchantId !== undefined && merchantId !== connection.merchant_id) return 'is not a connection of this merchant';
  return isRepairable(connection) ? undefined : 'is not a connection that can be repaired: create a new one';
}
