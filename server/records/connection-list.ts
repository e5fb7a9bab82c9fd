import type { ConnectionList, ConnectionStatus } from '../../widget/contract.ts';
import { ProblemError } from '../errors.ts';
import type { Storage } from '../storage/open.ts';
import { ENDED_CONNECTION } from '../storage/statuses.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { readIdCursor, toPage } from './pages.ts';
import { viewConnection } from './views.ts';

/** @throws ProblemError `not_found` */
export async function requireConnection({ db }: Storage, id: string): Promise<ConnectionTable> {
  const row = await db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new ProblemError('not_found', { detail: 'There is no such connection.' });
  return row;
}

/** By id. @param cursor `next_cursor` of the page before */
export async function listConnections(
  { db }: Storage,
  filter: {
    customer_id?: string | undefined;
    merchant_id?: string | undefined;
    status?: ConnectionStatus | undefined;
    consent_expires_before?: string | undefined;
    cursor?: string | undefined;
    limit: number;
  },
): Promise<ConnectionList> {
  const { customer_id, merchant_id, status, consent_expires_before: before, limit } = filter;
  const cursor = readIdCursor(filter.cursor, 'con');
  let query = db.selectFrom('connections').selectAll();
  if (customer_id !== undefined) query = query.where('customer_id', '=', customer_id);
  if (merchant_id !== undefined) query = query.where('merchant_id', '=', merchant_id);
  if (status !== undefined) query = query.where('status', '=', status);
  if (before !== undefined) {
    query = query.where('consent_expires_at', '<', Date.parse(before));
    // No one has to be asked for the consent to what has ended.
    if (status === undefined) query = query.where('status', 'not in', ENDED_CONNECTION);
  }
  if (cursor !== undefined) query = query.where('id', '>', cursor);
  const rows = await query
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  return toPage(
    rows,
    limit,
    (row) => viewConnection(row, 'merchant'),
    ({ id }) => id,
  );
}
