import { iso } from '../ids.ts';
import type { Storage } from '../storage/open.ts';
import type { AuditTable } from '../storage/tables.ts';
import type { AuditEntry, AuditList } from './audit.ts';
import { readAuditDetails } from './columns.ts';
import { readTimeCursor, timeCursor, toPage } from './pages.ts';

interface PageOf {
  /** `next_cursor` of the page before. */
  cursor?: string | undefined;
  limit: number;
}

/** What happened to a connection and to the sessions that made or repaired it, oldest first. */
export async function listConnectionAudit(
  storage: Storage,
  connection: { id: string; session_id: string },
  page: PageOf,
): Promise<AuditList> {
  const query = entriesAfter(storage, page).where((eb) =>
    eb.or([
      eb('connection_id', '=', connection.id),
      eb.and([eb('connection_id', 'is', null), eb('session_id', '=', connection.session_id)]),
    ]),
  );
  return readPage(query, page);
}

export interface AuditFilter extends PageOf {
  /** Of a platform. */
  merchant_id?: string | undefined;
  connection?: string | undefined;
  session?: string | undefined;
  /** Also what became of the sessions behind it. */
  link?: string | undefined;
}

/**
 * What happened, oldest first. Entries name what they are about and never change, so a merchant's are found by its
 * connections, sessions and links, by an index each.
 */
export async function listAudit(storage: Storage, filter: AuditFilter): Promise<AuditList> {
  const { db } = storage;
  const { merchant_id, connection, session, link } = filter;
  let query = entriesAfter(storage, filter);
  if (connection !== undefined) query = query.where('connection_id', '=', connection);
  if (session !== undefined) query = query.where('session_id', '=', session);
  if (link !== undefined) {
    const opened = db.selectFrom('sessions').select('id').where('link_id', '=', link);
    query = query.where((eb) => eb.or([eb('link_id', '=', link), eb('session_id', 'in', opened)]));
  }
  if (merchant_id === undefined) return readPage(query, filter);
  const of = (table: 'connections' | 'sessions' | 'links') =>
    db.selectFrom(table).select('id').where('merchant_id', '=', merchant_id);
  // Each part is cut by itself, so that a page costs a page and not the merchant's history.
  const part = (entries: typeof query) =>
    db
      .selectFrom(
        entries
          .orderBy('at')
          .orderBy('id')
          .limit(filter.limit + 1)
          .as('part'),
      )
      .selectAll();
  const own = part(query.where('connection_id', 'in', of('connections')))
    .union(part(query.where('session_id', 'in', of('sessions'))))
    .union(part(query.where('link_id', 'in', of('links'))));
  return readPage(db.selectFrom(own.as('own')).selectAll(), filter);
}

function entriesAfter({ db }: Storage, { cursor }: PageOf) {
  const query = db.selectFrom('audit').selectAll();
  const after = readTimeCursor(cursor, 'aud');
  if (!after) return query;
  const { at, id } = after;
  // The first condition bounds the walk through the index by age.
  return query.where('at', '>=', at).where((eb) => eb.or([eb('at', '>', at), eb('id', '>', id)]));
}

interface Ordered {
  orderBy(column: 'at' | 'id'): Ordered;
  limit(limit: number): { execute(): Promise<AuditTable[]> };
}

async function readPage(query: Ordered, { limit }: PageOf): Promise<AuditList> {
  // One more than asked for shows whether there is a next page.
  const rows = await query
    .orderBy('at')
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  return toPage(rows, limit, viewEntry, ({ at, id }) => timeCursor(at, id));
}

function viewEntry(row: AuditTable): AuditEntry {
  return {
    id: row.id,
    object: 'audit_entry',
    at: iso(row.at),
    actor: row.actor,
    action: row.action,
    session: row.session_id,
    connection: row.connection_id,
    link: row.link_id,
    ip: row.ip,
    details: readAuditDetails(row.details),
  };
}
