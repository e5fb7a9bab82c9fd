import { sql } from 'kysely';
import { newId, sha256 } from '../ids.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import { insertRow } from '../storage/row-writes.ts';
import type { ConnectionTable, CreateCallTable, CustomerTable } from '../storage/tables.ts';

/**
 * Rows for create calls at Finix that may have made something, and for instruments that must go. Each is written in the
 * transaction of what makes it necessary, and goes only when its outcome is certain: no path can leave an instrument
 * behind by forgetting it.
 */

type Reader = Storage['db'] | StorageTransaction;

/** The tag by which an instrument is found. Instruments that follow one another have tags of their own. */
export function instrumentTag({ id, generation }: Pick<ConnectionTable, 'id' | 'generation'>): string {
  return generation === 0 ? id : `${id}.${generation}`;
}

export async function callsOf(db: Reader, connectionId: string): Promise<CreateCallTable[]> {
  return db
    .selectFrom('create_calls')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .orderBy('sent_at')
    .orderBy('id')
    .execute();
}

export async function identityCallsOf(
  db: Reader,
  { customer_id, role }: { customer_id: string; role: CreateCallTable['role'] },
): Promise<CreateCallTable[]> {
  return db
    .selectFrom('create_calls')
    .selectAll()
    .where('customer_id', '=', customer_id)
    .where('role', '=', role)
    .orderBy('sent_at')
    .orderBy('id')
    .execute();
}

/**
 * The tag by which a customer's identity is found. Derived, so that a server on a restored older database knows it
 * again; a hash, because merchants use e-mail addresses as ids.
 */
export function identityTag(customerId: string, role: CustomerTable['role']): string {
  return `tag_${sha256(`finix-bank-connect identity ${role} ${customerId}`)}`;
}

/** A call for the customer's identity, as it is just before it is sent. */
export function identityCall({ customer_id, role, identity_tag }: CustomerTable, now: number): CreateCallTable {
  return {
    id: newId('call'),
    kind: 'identity',
    connection_id: null,
    generation: 0,
    customer_id,
    role,
    tag: identity_tag,
    finix_identity: null,
    sent_at: now,
    outcome: null,
    instrument: null,
    look_at: now,
    tries: 0,
  };
}

/** Announces a create call, or records the outcome of one whose row may have gone since. */
export async function putCall(db: Reader, row: CreateCallTable): Promise<void> {
  const { id: _id, ...update } = row;
  await db
    .insertInto('create_calls')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(update))
    .execute();
}

/** As `putCall`, for a new call. */
export async function announceCall(trx: StorageTransaction, row: CreateCallTable): Promise<void> {
  await writeLast(trx, insertRow('create_calls', row));
}

/** As `settleCalls`, at the end of the transaction. */
export async function settleCallsLast(trx: StorageTransaction, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await writeLast(trx, sql`delete from create_calls where id in (${sql.join(ids)})`);
}

/** It is certain what these calls have made, and that it is in use or disabled. */
export async function settleCalls(db: Reader, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await db.deleteFrom('create_calls').where('id', 'in', ids).execute();
}

/** These instruments are disabled. */
export async function settleInstruments(
  db: Reader,
  connectionId: string,
  instruments: readonly string[],
): Promise<void> {
  await db
    .deleteFrom('create_calls')
    .where('connection_id', '=', connectionId)
    .where('outcome', '=', 'made')
    .where('instrument', 'in', instruments)
    .execute();
}

/** Keeps instruments in care until they are disabled, unless the connection turns out to use one. */
export async function disableLater(
  db: Reader,
  connection: Pick<ConnectionTable, 'id' | 'generation' | 'finix_identity'>,
  instruments: readonly string[],
  now: number,
): Promise<void> {
  for (const instrument of new Set(instruments)) {
    await putCall(db, { ...instrumentCall(connection, now), outcome: 'made', instrument, look_at: now });
  }
}

/** A call for the connection's present generation, as it is just before it is sent. */
export function instrumentCall(
  connection: Pick<ConnectionTable, 'id' | 'generation' | 'finix_identity'>,
  now: number,
): CreateCallTable {
  return {
    id: newId('call'),
    kind: 'instrument',
    connection_id: connection.id,
    generation: connection.generation,
    customer_id: null,
    role: null,
    tag: instrumentTag(connection),
    finix_identity: connection.finix_identity,
    sent_at: now,
    outcome: null,
    instrument: null,
    look_at: now,
    tries: 0,
  };
}

/**
 * A server of version 0.1 on the same database keeps what is in doubt in columns of the connection. It becomes a row
 * before anything else is changed, so that no path can lose it. This version writes `instrument_sent_at` too, with a
 * row for each.
 */
export async function takeOverColumns(trx: StorageTransaction, row: ConnectionTable): Promise<ConnectionTable> {
  const { sweep_at: sweepAt, instrument_sent_at: sentAt } = row;
  if (sweepAt === null && sentAt === null) return row;
  const known = await callsOf(trx, row.id);
  const isOwn = sentAt !== null && known.some(({ outcome, sent_at }) => outcome !== 'made' && sent_at === sentAt);
  if (sweepAt !== null || !isOwn) {
    // Due at once: a look that comes too early decides nothing.
    const sent_at = sentAt ?? row.updated_at;
    await putCall(trx, { ...instrumentCall(row, sent_at), look_at: sweepAt ?? sent_at });
  }
  if (sweepAt === null) return row;
  await trx.updateTable('connections').set({ sweep_at: null }).where('id', '=', row.id).execute();
  return { ...row, sweep_at: null };
}
