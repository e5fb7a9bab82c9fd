import { namedTagCode } from '../clients/finix-return-codes.ts';
import type { FinixTransfer } from '../clients/finix-transfers.ts';
import type { Config } from '../config.ts';
import { addAudit, type Initiator } from '../records/audit.ts';
import { claimCheck, reportReturn } from '../records/checks.ts';
import { lockConnection, returnReason } from '../records/connections.ts';
import type { Outbox } from '../records/outbox.ts';
import type { Unit } from '../records/unit.ts';
import type { StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable, TransferTable } from '../storage/tables.ts';
import { applyReturns, holdersOf } from './account-returns.ts';
import { FAILURE_RULES, RETURN_RULES, type ReturnRule, returnCodeOf, ruleOf, STRENGTH } from './return-codes.ts';

/**
 * Debits and payouts of connected accounts, and what their returns mean for the connection. Everything is decided from
 * the set of what is known, never from the order in which it came: events come late (a customer has 60 days), twice,
 * and about instruments that were replaced.
 */

/** What one event adds to what is known of a transfer. */
export interface TransferFacts {
  /** The debit or payout itself. */
  transfer: FinixTransfer;
  instrument: string;
  returned: ReturnFacts | null;
}

export interface ReturnFacts {
  /** The Transfer that reports it: the debit itself, or the one that takes the money back. */
  transfer: string;
  code: string | null;
  failureCode: string | null;
  at: number;
}

/** Whether a debit or a payout itself shows that it came back. */
export function returnIn(transfer: FinixTransfer, now: number): ReturnFacts | null {
  const { id, state, failureCode, returnCode, isReturned } = transfer;
  if (state !== 'FAILED' && state !== 'RETURNED' && failureCode === null && !isReturned) return null;
  const code = returnCode ?? returnCodeOf(failureCode) ?? (isUnexplained(failureCode) ? namedTagCode(transfer) : null);
  // Its creation time does not show when it came back: a repair in between would seem to answer the return.
  return { transfer: id, code, failureCode, at: transfer.updatedAt ?? now };
}

/** Where Finix names no reason of its own, a tag may at once; else what takes the debit back is asked for first. */
function isUnexplained(failureCode: string | null): boolean {
  return failureCode === null || failureCode === 'GENERIC_DECLINE';
}

/** Whether Finix itself takes a debit back; a reversal by the merchant's own call is a refund. */
export function isSystemReversal({ type, subtype }: FinixTransfer): boolean {
  return type === 'REVERSAL' && subtype !== 'API';
}

/**
 * The same of a type that Finix does not publish for it: what belongs to another Transfer, and names a return code
 * without having failed itself, such as the fee for a return.
 */
export function namesReturnOfParent(transfer: FinixTransfer): boolean {
  const { type, subtype, parent, returnCode } = transfer;
  if (parent === null || subtype === 'API' || type === 'REVERSAL' || type === 'DEBIT') return false;
  return (returnCode ?? namedTagCode(transfer)) !== null && returnIn(transfer, 0) === null;
}

/**
 * Keeps what is known of a transfer, and changes its connection as its returns ask for. To be called with the
 * connection's row locked.
 * @returns the connections that it may have changed: this one first, then others of the customer's to the same account
 */
export async function recordTransfer(
  trx: StorageTransaction,
  { outbox, returns }: { outbox: Outbox; returns: Config['returns'] },
  before: ConnectionTable,
  facts: TransferFacts,
  now: number,
  by: Initiator,
): Promise<ConnectionTable[]> {
  const known = await trx.selectFrom('transfers').selectAll().where('id', '=', facts.transfer.id).executeTakeFirst();
  const row = merge(known, before, facts, now);
  row.check_id ??= await claimCheck(trx, before.id, facts.transfer, row, now);
  await trx
    .insertInto('transfers')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...row, created_at: row.created_at }))
    .execute();
  if (row.returned_at === null) return [];
  if (row.check_id !== null && row.return_code !== null) await reportReturn(trx, row.check_id, row, now);

  const decides = ({ return_code, failure_code }: TransferTable) => return_code ?? failure_code;
  const isNew = known?.returned_at == null || decides(known) !== decides(row);
  const unit: Unit = { trx, outbox, now, by };
  const after = await applyReturns(unit, before, returns, isNew ? 'new' : 'again');
  if (!isNew) return [after];
  await outbox.connectionReturned(trx, after, returnReason(row.return_code, row.failure_code), now);
  const details = {
    transfer: row.id,
    code: row.return_code,
    failure_code: row.failure_code,
    amount: row.amount,
    currency: row.currency,
    effect: row.effect,
  };
  await addAudit(trx, now, { ...by, details: { ...by.details, ...details } }, 'connection.returned', {
    connection: before.id,
    session: before.session_id,
  });
  const changed = [after];
  const ofOther = { ...unit, by: { ...by, details: { ...by.details, transfer: row.id, returned: before.id } } };
  for (const id of await holdersOf(trx, before)) {
    const holder = await lockConnection(trx, id);
    if (holder) changed.push(await applyReturns(ofOther, holder, returns, 'new'));
  }
  return changed;
}

const TYPES: Record<string, TransferTable['type']> = { DEBIT: 'debit', CREDIT: 'payout' };

/** The same whichever of two events comes first. */
function merge(
  known: TransferTable | undefined,
  connection: ConnectionTable,
  { transfer, instrument, returned }: TransferFacts,
  now: number,
): TransferTable {
  const code = stronger(RETURN_RULES, known?.return_code ?? null, returned?.code ?? null);
  const failure = stronger(FAILURE_RULES, known?.failure_code ?? null, returned?.failureCode ?? null);
  const times = [known?.returned_at, returned?.at].filter((at) => at !== null && at !== undefined);
  const takenBack = [returned?.transfer, known?.return_transfer].find((id) => id && id !== transfer.id);
  return {
    id: transfer.id,
    connection_id: connection.id,
    payment_instrument: instrument,
    type: TYPES[transfer.type] ?? known?.type ?? sideOf(transfer, instrument),
    state: laterState(known?.state ?? '', transfer.state),
    amount: transfer.amount ?? known?.amount ?? null,
    currency: transfer.currency ?? known?.currency ?? null,
    sent_at: transfer.createdAt ?? known?.sent_at ?? now,
    check_id: known?.check_id ?? null,
    return_transfer: takenBack ?? returned?.transfer ?? known?.return_transfer ?? null,
    return_code: code,
    failure_code: failure,
    returned_at: times.length > 0 ? Math.min(...times) : null,
    effect: times.length > 0 ? ruleOf(code, failure).effect : null,
    created_at: known?.created_at ?? now,
    updated_at: now,
  };
}

/** Of a type of its own, such as a settlement. A debit that only its reversal has reported so far names no type. */
function sideOf({ type, destination }: FinixTransfer, instrument: string): TransferTable['type'] {
  return type !== '' && destination === instrument ? 'payout' : 'debit';
}

/** How far a transfer has come. A report of an earlier state can be handled later. */
const PROGRESS: Record<string, number> = { PENDING: 1, CANCELED: 2, SUCCEEDED: 2, FAILED: 3, RETURNED: 3 };

function laterState(known: string, reported: string): string {
  return (PROGRESS[reported] ?? 0) >= (PROGRESS[known] ?? 0) ? reported : known;
}

/** Of two codes for one return, whichever is reported first, the one that stops more debits is believed. */
function stronger(rules: Readonly<Record<string, ReturnRule>>, a: string | null, b: string | null): string | null {
  if (a === null || b === null || a === b) return a ?? b;
  const strength = (code: string) => STRENGTH[rules[code]?.effect ?? 'keep'];
  if (strength(a) !== strength(b)) return strength(a) > strength(b) ? a : b;
  return a < b ? a : b;
}
