import type { Link, LinkStatus } from '../../widget/contract.ts';
import type { Storage } from '../storage/open.ts';
import { USABLE_LINK } from '../storage/statuses.ts';
import { connectionsOfLink } from './links.ts';
import { type Page, readIdCursor, toPage } from './pages.ts';
import { viewLink } from './views.ts';

/** By id. @param cursor `next_cursor` of the page before */
export async function listLinks(
  { db, now: clock }: Storage,
  filter: {
    customer_id?: string | undefined;
    merchant_id?: string | undefined;
    status?: LinkStatus | undefined;
    cursor?: string | undefined;
    limit: number;
  },
): Promise<Page<Link>> {
  const { customer_id, merchant_id, status, limit } = filter;
  const cursor = readIdCursor(filter.cursor, 'lnk');
  const now = await clock();
  let query = db.selectFrom('links').selectAll();
  if (customer_id !== undefined) query = query.where('customer_id', '=', customer_id);
  if (merchant_id !== undefined) query = query.where('merchant_id', '=', merchant_id);
  if (status === 'expired') {
    // Also those that the job has yet to end.
    query = query.where((eb) =>
      eb.or([eb('status', '=', 'expired'), eb.and([eb('status', 'in', USABLE_LINK), eb('expires_at', '<=', now)])]),
    );
  } else if (status !== undefined) {
    query = query.where('status', '=', status);
    if (USABLE_LINK.includes(status)) query = query.where('expires_at', '>', now);
  }
  if (cursor !== undefined) query = query.where('id', '>', cursor);
  // One more than asked for shows whether there is a next page.
  const rows = await query
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const links = await Promise.all(
    rows.map(async (row) => ({ id: row.id, link: viewLink(row, await connectionsOfLink(db, row), now) })),
  );
  return toPage(
    links,
    limit,
    ({ link }) => link,
    ({ id }) => id,
  );
}
