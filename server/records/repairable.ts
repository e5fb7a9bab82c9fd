import { ProblemError } from '../errors.ts';
import type { Storage } from '../storage/open.ts';
import type { ConnectionTable } from '../storage/tables.ts';

/** Statuses that can be repaired. An active one too: a consent can be renewed before it ends. */
const REPAIRABLE = new Set<ConnectionTable['status']>(['active', 'needs_repair', 'revoked', 'pending_verification']);

/**
 * @throws ProblemError `invalid_request` when there is no such connection of the customer, or nothing of it to repair
 */
export async function requireRepairable(storage: Storage, id: string, customerId: string): Promise<ConnectionTable> {
  const connection = await storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst();
  const message =
    connection?.customer_id !== customerId
      ? 'is not a connection of this customer'
      : connection.goal === 'remove' || !REPAIRABLE.has(connection.status)
        ? 'is not a connection that can be repaired: create a new one'
        : undefined;
  if (connection && message === undefined) return connection;
  throw new ProblemError('invalid_request', {
    errors: [{ path: 'connection', message: message ?? '' }],
    detail: 'Invalid: connection.',
  });
}
