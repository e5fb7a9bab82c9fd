import { newId } from '../ids.ts';
import { noteFact } from '../storage/committed.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { AuditTable } from '../storage/tables.ts';
import { readAuditDetails } from './columns.ts';
import { type Page, readTimeCursor, timeCursor, toPage } from './pages.ts';

/** Who did something. `page`: the customer's browser; `job`: this server, of its own accord. */
export type Actor = AuditTable['actor'];

/** Who, and why, for the audit and for the merchant. Carries no secret: the merchant reads it. */
export interface Initiator {
  actor: Actor;
  /** Of a page only. */
  ip?: string | null;
  /** Short facts, such as Plaid's webhook code or the ids of instruments. */
  details?: Record<string, string | number | null>;
}

export interface AuditEntry {
  id: string;
  object: 'audit_entry';
  at: string;
  actor: Actor;
  action: string;
  session: string | null;
  connection: string | null;
  ip: string | null;
  details: Record<string, string | number | null>;
}

export type AuditList = Page<AuditEntry>;

/**
 * Two years: what Nacha's rules ask for as the time to keep a debit authorization after it has ended, and the audit is
 * part of its proof. Counted from the end of the connection, so that nothing about a live one is ever too old.
 * Milliseconds.
 */
export const PROOF_KEEP_MS = 2 * 365 * 24 * 3600_000;

/** Adds an entry in the transaction of the change that it records. */
export async function addAudit(
  trx: StorageTransaction,
  now: number,
  { actor, ip, details }: Initiator,
  action: string,
  about: { session?: string | null; connection?: string | null; link?: string | null },
): Promise<void> {
  const entry = trx.insertInto('audit').values({
    id: newId('aud'),
    at: now,
    actor,
    action,
    session_id: about.session ?? null,
    connection_id: about.connection ?? null,
    link_id: about.link ?? null,
    ip: ip ?? null,
    details: JSON.stringify(details ?? {}),
  });
  await writeLast(trx, entry);
  const code = details?.['code'];
  noteFact(trx, { action, code: typeof code === 'string' ? code : undefined });
}

/**
 * What happened to a connection and to the sessions that made or repaired it, oldest first.
 * @param cursor `next_cursor` of the page before
 */
export async function listAudit(
  { db }: Storage,
  connection: { id: string; session_id: string },
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<AuditList> {
  const after = readTimeCursor(cursor, 'aud');
  let query = db
    .selectFrom('audit')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb('connection_id', '=', connection.id),
        eb.and([eb('connection_id', 'is', null), eb('session_id', '=', connection.session_id)]),
      ]),
    );
  if (after) {
    const { at, id } = after;
    query = query.where((eb) => eb.or([eb('at', '>', at), eb.and([eb('at', '=', at), eb('id', '>', id)])]));
  }
  const rows = await query
    .orderBy('at')
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  return toPage(rows, limit, viewEntry, ({ at, id }) => timeCursor(at, id));
}

/** Deletes what is too old to be proof of anything. Gives the number of entries. */
export async function purgeAudit({ db }: Storage, now: number): Promise<number> {
  const cutoff = now - PROOF_KEEP_MS;
  const { numDeletedRows } = await db
    .deleteFrom('audit')
    .where('at', '<=', cutoff)
    .where((eb) =>
      eb.or([eb('connection_id', 'is', null), eb('connection_id', 'not in', connectionsToProve(db, cutoff))]),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}

function viewEntry(row: AuditTable): AuditEntry {
  return {
    id: row.id,
    object: 'audit_entry',
    at: new Date(row.at).toISOString(),
    actor: row.actor,
    action: row.action,
    session: row.session_id,
    connection: row.connection_id,
    ip: row.ip,
    details: readAuditDetails(row.details),
  };
}

/** Connections whose entries are kept as proof: the present ones, and those that were removed after `cutoff`. */
export function connectionsToProve(db: Storage['db'], cutoff: number) {
  return db
    .selectFrom('connections')
    .select('connections.id')
    .where((row) => row.or([row('removed_at', 'is', null), row('removed_at', '>', cutoff)]));
}
