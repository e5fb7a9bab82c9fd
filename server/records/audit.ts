import { sql } from 'kysely';
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

/** Old entries that are looked at in one go: tens of milliseconds on SQLite, while nothing else is done. */
const PURGE_BATCH = 1_000;

/** An entry in the order of time. */
export interface AuditPosition {
  at: number;
  id: string;
}

/**
 * Deletes what is too old to be proof of anything. An entry is proof of a connection by what it names: the connection,
 * a session that led to it, or the link behind such a session. Those of a connection that lives for ten years stay for
 * ten years, so each call looks at the next batch only.
 * @param after where the call before has stopped
 * @returns where this one has stopped, undefined at the end; and whether it deleted anything
 */
export async function purgeAudit(
  { db }: Storage,
  now: number,
  after: AuditPosition | undefined,
): Promise<{ position: AuditPosition | undefined; hasDeleted: boolean }> {
  const cutoff = now - PROOF_KEEP_MS;
  const from = after?.at ?? 0;
  const old = db
    .selectFrom('audit')
    .select(['id', 'at'])
    .where('at', '>=', from)
    .where('at', '<=', cutoff)
    .where((eb) => eb.or([eb('at', '>', from), eb('id', '>', after?.id ?? '')]))
    .orderBy('at')
    .orderBy('id')
    .limit(PURGE_BATCH);
  const looked = await old.execute();
  if (looked.length === 0) return { position: undefined, hasDeleted: false };
  const { numDeletedRows } = await db
    .deleteFrom('audit')
    .where('id', 'in', (eb) => eb.selectFrom(old.as('old')).select('old.id'))
    .where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom('connections')
            .select('connections.id')
            .whereRef('connections.id', '=', 'audit.connection_id')
            .where(isToProve(cutoff)),
        ),
      ),
    )
    .where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom('audit as led')
            .innerJoin('connections', 'connections.id', 'led.connection_id')
            .select('led.id')
            .whereRef('led.session_id', '=', 'audit.session_id')
            .where(isToProve(cutoff)),
        ),
      ),
    )
    .where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom('audit as opened')
            .innerJoin('audit as led', 'led.session_id', 'opened.session_id')
            .innerJoin('connections', 'connections.id', 'led.connection_id')
            .select('led.id')
            .whereRef('opened.link_id', '=', 'audit.link_id')
            .where(isToProve(cutoff)),
        ),
      ),
    )
    .executeTakeFirst();
  return {
    position: looked.length === PURGE_BATCH ? looked.at(-1) : undefined,
    hasDeleted: numDeletedRows > 0n,
  };
}

/**
 * Of a query's `connections`: the present ones, and those that were removed after `cutoff`. Asked for one connection at
 * a time, by its id: a list of all of them would be made for each purge.
 */
export function isToProve(cutoff: number) {
  return sql<boolean>`("connections"."removed_at" is null or "connections"."removed_at" > ${cutoff})`;
}
