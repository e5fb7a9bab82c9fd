import type { Session, SessionStatus } from '../../widget/contract.ts';
import type { Config } from '../config.ts';
import type { Storage } from '../storage/open.ts';
import { OPEN_SESSION } from '../storage/statuses.ts';
import { type Page, readIdCursor, toPage } from './pages.ts';
import { connectionsOf } from './session-connections.ts';
import { viewSession } from './views.ts';

/** For an operator who looks for those that are stuck. By id. @param cursor `next_cursor` of the page before */
export async function listSessions(
  { storage, config }: { storage: Storage; config: Pick<Config, 'plaid'> },
  filter: {
    customer_id?: string | undefined;
    merchant_id?: string | undefined;
    status?: SessionStatus | undefined;
    cursor?: string | undefined;
    limit: number;
  },
): Promise<Page<Session>> {
  const { customer_id, merchant_id, status, limit } = filter;
  const cursor = readIdCursor(filter.cursor, 'ses');
  const now = await storage.now();
  let query = storage.db.selectFrom('sessions').selectAll();
  if (customer_id !== undefined) query = query.where('customer_id', '=', customer_id);
  if (merchant_id !== undefined) query = query.where('merchant_id', '=', merchant_id);
  if (cursor !== undefined) query = query.where('id', '>', cursor);
  if (status === 'expired') {
    // Also those that no job has looked at since their time was over, as they are shown.
    query = query.where(({ eb, and, or }) =>
      or([eb('status', '=', 'expired'), and([eb('status', 'in', OPEN_SESSION), eb('expires_at', '<=', now)])]),
    );
  } else if (status === 'open' || status === 'restart_required') {
    query = query.where('status', '=', status).where('expires_at', '>', now);
  } else if (status !== undefined) query = query.where('status', '=', status);
  const rows = await query
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const connections = new Map(
    await Promise.all(rows.slice(0, limit).map(async (row) => [row.id, await connectionsOf(storage.db, row)] as const)),
  );
  return toPage(
    rows,
    limit,
    (row) => viewSession(row, connections.get(row.id) ?? [], 'merchant', now, config),
    ({ id }) => id,
  );
}
