import type { ConnectionList, ConnectionStatus } from '../../widget/contract.ts';
import { ProblemError } from '../errors.ts';
import type { Storage } from '../storage/open.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { toPage } from './pages.ts';
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
    cursor?: string | undefined;
    limit: number;
  },
): Promise<ConnectionList> {
  const { customer_id, merchant_id, status, cursor, limit } = filter;
  let query = db.selectFrom('connections').selectAll();
  if (customer_id !== undefined) query = query.where('customer_id', '=', customer_id);
  if (merchant_id !== undefined) query = query.where('merchant_id', '=', merchant_id);
  if (status !== undefined) query = query.where('status', '=', status);
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
