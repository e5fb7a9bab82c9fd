import { sql } from 'kysely';
import { iso } from '../ids.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { StorageTransaction } from '../storage/open.ts';
import { insertRow, theOnly, updateRow } from '../storage/row-writes.ts';
import { ENDED_CONNECTION } from '../storage/statuses.ts';
import type { ConnectionTable, ConnectionTask } from '../storage/tables.ts';
import { addAudit } from './audit.ts';
import { disableLater, takeOverColumns } from './create-calls.ts';
import type { Unit } from './unit.ts';
import { verificationOf } from './verification.ts';

/** With this a connection's old worker, if any, is out, and a new one may begin at once. */
const UNHELD = { lease_owner: null, lease_until: 0, tries: 0 } as const;

/** Tasks in the order of their strength: a stronger one is never replaced by a weaker one. */
const STRENGTH: Record<ConnectionTask, number> = { instrument: 1, disable: 2, remove: 3 };

/** The reason of a connection whose instrument was disabled at Finix itself; enabling it there takes this back. */
export const DISABLED_IN_FINIX = 'instrument_disabled';

/** Whether enabling the instrument at Finix makes the connection active again. */
export function isDisabledInFinix({ status, reason }: Pick<ConnectionTable, 'status' | 'reason'>): boolean {
  return status === 'revoked' && reason === DISABLED_IN_FINIX;
}

/**
 * The reason of a connection that a return has changed: `return_R10`, or `return_{failure code}` where no return code
 * is known.
 */
export function returnReason(code: string | null, failureCode: string | null): string {
  return `return_${code ?? failureCode ?? 'unknown'}`;
}

/**
 * Whether a connection is as it is because of a return: then its instrument is disabled, and only another one brings it
 * back.
 */
export function isReturned({ reason }: Pick<ConnectionTable, 'reason'>): boolean {
  return reason?.startsWith('return_') ?? false;
}

/**
 * Why its customer is to sign in again, by Plaid's own word such as `ITEM_LOGIN_REQUIRED`. A connection whose
 * instrument is being made keeps it until then. Null: the login is not known to be broken.
 */
export function loginBreak({ status, reason }: Pick<ConnectionTable, 'status' | 'reason'>): string | null {
  const isOpen = status === 'needs_repair' || status === 'pending' || status === 'pending_verification';
  return isOpen && reason !== null && /^[A-Z0-9_]+$/.test(reason) ? reason : null;
}

/** Whether the merchant has no instrument to use: it has ended, or a return has stopped its debits until a repair. */
export function isOutOfUse({ status, reason }: Pick<ConnectionTable, 'status' | 'reason'>): boolean {
  return ENDED_CONNECTION.includes(status) || (status === 'needs_repair' && isReturned({ reason }));
}

/**
 * Reads a connection so that no other transaction changes it before this one ends.
 * @param announcedAt when a create call was sent that is known to have its row
 */
export async function lockConnection(
  trx: StorageTransaction,
  id: string,
  announcedAt?: number,
): Promise<ConnectionTable | undefined> {
  const { rows } = await sql<ConnectionTable>`
    update connections set updated_at = updated_at where id = ${id} returning *`.execute(trx);
  const [row] = rows;
  const isOwn = row !== undefined && row.sweep_at === null && row.instrument_sent_at === announcedAt;
  return row && !isOwn ? takeOverColumns(trx, row) : row;
}

/**
 * Announces the first create call of a connection that waits for its instrument and has not changed since it was
 * recorded.
 * @returns false when it has changed: then its row decides
 */
export async function announceFirst(
  trx: StorageTransaction,
  { id, version, updated_at }: ConnectionTable,
  sentAt: number,
  now: number,
): Promise<boolean> {
  const fields = {
    instrument_sent_at: sentAt,
    instrument_tries: 1,
    version: version + 1,
    updated_at: Math.max(now, updated_at + 1),
  };
  const announced = updateRow('connections', { id, version, status: 'pending' }, fields);
  const { numAffectedRows } = await sql`${announced} and goal is null`.execute(trx);
  return (numAffectedRows ?? 0n) > 0n;
}

/** Whether a worker that makes an instrument of this generation is to give it to the connection. */
export function awaitsInstrument(
  { status, goal, payment_instrument, generation: present }: ConnectionTable,
  generation: number,
): boolean {
  const waits = status === 'pending' || status === 'pending_verification' || status === 'needs_repair';
  return waits && (goal === null || goal === 'instrument') && payment_instrument === null && generation === present;
}

/** Whether its task is making its instrument. */
export function isBeingMade(connection: ConnectionTable): boolean {
  return connection.goal === 'instrument' && awaitsInstrument(connection, connection.generation);
}

/**
 * Its login needs its customer, while its task makes its instrument: the worker is not disturbed, because the answer to
 * its create call may be on its way, and finds it in the row. The connection needs repair once it has its instrument.
 */
export async function noteLoginBreak(
  { trx, now }: Unit,
  { id, updated_at }: ConnectionTable,
  patch: Pick<ConnectionTable, 'reason'> & Partial<Pick<ConnectionTable, 'consent_expires_at'>>,
): Promise<void> {
  await trx
    .updateTable('connections')
    .set({ ...patch, updated_at: Math.max(now, updated_at + 1) })
    .where('id', '=', id)
    .execute();
}

/**
 * The one place where a connection's status changes: the row, the merchant's event and the audit entry, together. A
 * removal that was asked for wins over every other change: it can't become usable again.
 */
export async function changeConnection(
  unit: Unit,
  before: ConnectionTable,
  patch: Partial<ConnectionTable>,
): Promise<ConnectionTable> {
  const { trx, outbox, now, by } = unit;
  const isLeaving = before.status === 'removed' || (before.goal === 'remove' && patch.status !== 'removed');
  const { status, goal, ...rest } = patch;
  const fields = {
    ...rest,
    ...verifiedWhenActive(before, patch, now),
    ...(isLeaving || status === undefined ? {} : { status }),
    ...(isLeaving || goal === undefined ? {} : { goal }),
    version: sql<number>`version + 1`,
    // Two changes within a millisecond must still have an order.
    updated_at: Math.max(now, before.updated_at + 1),
  };
  const changed = updateRow('connections', { id: before.id }, fields);
  const after = theOnly((await sql<ConnectionTable>`${changed} returning *`.execute(trx)).rows);
  if (after.payment_instrument !== null && after.payment_instrument !== before.payment_instrument) {
    await rememberInstrument(trx, after, after.payment_instrument, now);
  }
  await disableLater(trx, before, leftBehind(before, after), now);
  const isRenewed = after.status === 'active' && after.payment_instrument !== before.payment_instrument;
  if (after.status === before.status && !isRenewed) return after;
  // Being removed: a merchant who asked for it gets one event, at the end. The request for it is in the audit already.
  const isAnnounced = before.goal !== 'remove' && ANNOUNCED_REMOVALS.has(after.reason ?? '');
  if (after.goal === 'remove' && after.status !== 'removed' && !isAnnounced) return after;
  await outbox.connectionChanged(trx, after, now);
  await addAudit(
    trx,
    now,
    {
      ...by,
      details: {
        ...(after.reason === null ? {} : { reason: after.reason }),
        ...(after.payment_instrument === before.payment_instrument
          ? {}
          : { payment_instrument: after.payment_instrument }),
        ...by.details,
      },
    },
    `connection.${after.status}`,
    { session: after.session_id, connection: after.id },
  );
  return after;
}

/** An account whose verification was awaited is verified when its instrument can be used. */
function verifiedWhenActive(
  before: ConnectionTable,
  patch: Partial<ConnectionTable>,
  now: number,
): Partial<ConnectionTable> {
  if (patch.status !== 'active' || before.status === 'active') return {};
  return verifiedNow({ verification: patch.verification ?? before.verification }, now);
}

/** The account is verified now, unless it was before. */
export function verifiedNow(row: Pick<ConnectionTable, 'verification'>, now: number): Partial<ConnectionTable> {
  const known = verificationOf(row);
  if (known.verified_at !== null || known.method === null) return {};
  return { verification: JSON.stringify({ ...known, verified_at: iso(now) }) };
}

/** A return can come two months after an instrument was replaced. */
async function rememberInstrument(
  trx: StorageTransaction,
  { id: connection_id, fingerprint }: ConnectionTable,
  instrument: string,
  now: number,
): Promise<void> {
  const row = { payment_instrument: instrument, connection_id, fingerprint, created_at: now };
  const known = insertRow('connection_instruments', row);
  await writeLast(trx, sql`${known} on conflict (payment_instrument) do nothing`);
}

/** Instruments that this change takes out of use, where no task of the connection disables them. */
function leftBehind(before: ConnectionTable, after: ConnectionTable): string[] {
  const { payment_instrument: instrument } = before;
  if (instrument === null) return [];
  if (after.payment_instrument !== instrument) return [instrument];
  const isCaredFor = after.goal === 'disable' || after.goal === 'remove' || after.reason === DISABLED_IN_FINIX;
  return ENDED_CONNECTION.includes(after.status) && after.status !== before.status && !isCaredFor ? [instrument] : [];
}

/** The patch that sets a task; undefined when the connection already has a stronger one. */
function taskPatch(before: ConnectionTable, goal: ConnectionTask, now: number): Partial<ConnectionTable> | undefined {
  if (before.goal !== null && STRENGTH[before.goal] > STRENGTH[goal]) return undefined;
  return { goal, goal_since: now, waited_ms: 0, next_at: now, ...UNHELD };
}

/**
 * The bank, Plaid or Finix has ended the access: no debit from here on, reported to the merchant at once, disabled in
 * Finix by a job.
 */
export async function revoke(unit: Unit, before: ConnectionTable, reason: string): Promise<ConnectionTable> {
  // What a return has ended stays so for the merchant and for the customer's page.
  const kept = isReturned(before) ? before.reason : reason;
  const patch = { status: 'revoked', reason: kept, revoked_at: unit.now, ...noMoreDebits(before, unit.now) } as const;
  return changeConnection(unit, before, patch);
}

/** The instrument is to be disabled, in place of every other task of the connection except its removal. */
export function noMoreDebits(before: ConnectionTable, now: number): Partial<ConnectionTable> {
  return taskPatch(before, 'disable', now) ?? {};
}

/**
 * Makes the connection's instrument, when it has waited for its verification. The status stays until there is one. It
 * is of another generation than what was in doubt before, which a look may be just about to disable.
 * @param isRenumbered what a task is making already may have numbers that are old by now
 */
export async function beginInstrument(
  unit: Unit,
  before: ConnectionTable,
  { isRenumbered = false, ...patch }: Partial<ConnectionTable> & { isRenumbered?: boolean } = {},
): Promise<ConnectionTable> {
  const goal = taskPatch(before, 'instrument', unit.now);
  if (!goal) return before;
  const isKept = before.goal === 'instrument' && !isRenumbered;
  return changeConnection(unit, before, { ...patch, ...(isKept ? {} : nextGeneration(before)), ...goal });
}

/**
 * The account has other numbers now: the instrument is taken from the merchant at once, and another is made.
 * @param patch what else is new, such as the account's id
 */
export async function beginRenewal(
  unit: Unit,
  before: ConnectionTable,
  reason: string,
  patch: Partial<ConnectionTable> = {},
): Promise<ConnectionTable> {
  const goal = taskPatch(before, 'instrument', unit.now);
  if (!goal) return before;
  return changeConnection(unit, before, { ...renewal(before), ...patch, ...goal, reason });
}

/**
 * The login is good again, and the connection has no instrument in use: it gets one, or waits for its verification. No
 * webhook about a verification comes again where it was verified before.
 */
export async function beginAgain(
  unit: Unit,
  before: ConnectionTable,
  patch: Partial<ConnectionTable> = {},
): Promise<ConnectionTable> {
  const wasVerified = before.payment_instrument !== null || verificationOf(before).verified_at !== null;
  if (wasVerified) return beginRenewal(unit, before, 'repaired', patch);
  return changeConnection(unit, before, { ...patch, status: 'pending_verification', reason: null });
}

/** From the old instrument to none: what makeInstrument then fills. */
export function renewal(before: ConnectionTable): Partial<ConnectionTable> {
  return {
    status: 'pending',
    payment_instrument: null,
    previous_payment_instrument: before.payment_instrument ?? before.previous_payment_instrument,
    ...nextGeneration(before),
    error_code: null,
  };
}

/** A call that is still in doubt belongs to the generation before, and so does its row. */
function nextGeneration({ generation }: ConnectionTable): Partial<ConnectionTable> {
  return { generation: generation + 1, instrument_tries: 0, instrument_sent_at: null };
}

/**
 * Reasons of removals that the merchant did not ask for by the connection's id. The end may wait for days of Plaid's
 * outage, and until then the last event of the connection would show it as active.
 */
const ANNOUNCED_REMOVALS: ReadonlySet<string> = new Set(['replaced', 'customer_erased']);

/**
 * Ends a connection: its instruments are disabled, its Item removed when unused, then it is `removed`. Until then it is
 * `revoked`: a merchant who reads it before charging must get a no from the moment that the end is decided.
 */
export async function beginRemoval(unit: Unit, before: ConnectionTable, reason: string): Promise<ConnectionTable> {
  const { trx, now, by } = unit;
  if (before.status === 'removed' || before.goal === 'remove') return before;
  await addAudit(trx, now, { ...by, details: { reason, ...by.details } }, 'connection.removal_requested', {
    session: before.session_id,
    connection: before.id,
  });
  const goal = taskPatch(before, 'remove', now) ?? {};
  const status = before.status === 'failed' ? before.status : 'revoked';
  return changeConnection(unit, before, { ...goal, status, reason });
}
