import { newId } from '../ids.ts';
import { noteFact } from '../storage/committed.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import { insertRow } from '../storage/row-writes.ts';
import type { AuditTable } from '../storage/tables.ts';
import type { Page } from './pages.ts';

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
  link: string | null;
  ip: string | null;
  details: Record<string, string | number | null>;
}

export type AuditList = Page<AuditEntry>;

/**
 * Two years: what Nacha's rules ask for as the time to keep a debit authorization after it has ended, and the audit is
 * part of its proof. Counted from the end of the connection, so that nothing about a live one is ever too old. One of
 * the years can be a leap year. Milliseconds.
 */
export const PROOF_KEEP_MS = (2 * 365 + 1) * 24 * 3600_000;

/** Adds an entry in the transaction of the change that it records. */
export async function addAudit(
  trx: StorageTransaction,
  now: number,
  { actor, ip, details }: Initiator,
  action: string,
  about: { session?: string | null; connection?: string | null; link?: string | null },
): Promise<void> {
  const entry = insertRow('audit', {
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
 * Deletes what is too old to be proof of anything. An entry is proof of a connection by what it names: the connection,
 * a session that led to it, or the link behind such a session. Gives the number of entries.
 */
export async function purgeAudit({ db }: Storage, now: number): Promise<number> {
  const cutoff = now - PROOF_KEEP_MS;
  const toProve = connectionsToProve(db, cutoff);
  const { numDeletedRows } = await db
    .deleteFrom('audit')
    .where('at', '<=', cutoff)
    .where((eb) => eb.or([eb('connection_id', 'is', null), eb('connection_id', 'not in', toProve)]))
    // Asked for each old entry, by an index, and never for all present ones.
    .where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom('audit as led')
            .select('led.id')
            .whereRef('led.session_id', '=', 'audit.session_id')
            .where('led.connection_id', 'in', toProve),
        ),
      ),
    )
    .where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom('audit as opened')
            .innerJoin('audit as led', 'led.session_id', 'opened.session_id')
            .select('led.id')
            .whereRef('opened.link_id', '=', 'audit.link_id')
            .where('led.connection_id', 'in', toProve),
        ),
      ),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Connections whose entries are kept as proof: the present ones, and those that were removed after `cutoff`. */
export function connectionsToProve(db: Storage['db'], cutoff: number) {
  return db
    .selectFrom('connections')
    .select('connections.id')
    .where((row) => row.or([row('removed_at', 'is', null), row('removed_at', '>', cutoff)]));
}
