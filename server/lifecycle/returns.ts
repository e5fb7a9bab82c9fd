import type { LastReturn } from '../../widget/contract.ts';
import type { FinixTransfer } from '../clients/finix-transfers.ts';
import type { Config } from '../config.ts';
import { answeredUntil } from '../records/agreements.ts';
import { addAudit, type Initiator } from '../records/audit.ts';
import { claimCheck, reportReturn } from '../records/checks.ts';
import { changeConnection, DISABLED_IN_FINIX, isReturned, noMoreDebits, returnReason } from '../records/connections.ts';
import type { Outbox } from '../records/outbox.ts';
import type { StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable, ReturnEffect, TransferTable } from '../storage/tables.ts';
import { isAboutNumbers, RETURN_RULES, returnCodeOf, ruleOf, STRENGTH } from './return-codes.ts';

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

/**
 * Nacha's banks return a debit within two banking days; with a weekend and a day for the way, one that has not come
 * back by then is paid.
 */
const PAID_AFTER_MS = 6 * 24 * 3600_000;

/** Whether a debit or a payout itself shows that it came back. */
export function returnIn(transfer: FinixTransfer, now: number): ReturnFacts | null {
  const { id, state, failureCode, returnCode, isReturned } = transfer;
  if (state !== 'FAILED' && state !== 'RETURNED' && failureCode === null && !isReturned) return null;
  const code = returnCode ?? returnCodeOf(failureCode);
  return { transfer: id, code, failureCode, at: transfer.updatedAt ?? transfer.createdAt ?? now };
}

/** Whether Finix itself takes a debit back; a reversal by the merchant's own call is a refund. */
export function isSystemReversal({ type, subtype }: FinixTransfer): boolean {
  return type === 'REVERSAL' && subtype !== 'API';
}

/**
 * Keeps what is known of a transfer, and changes its connection as its returns ask for. To be called with the
 * connection's row locked.
 * @returns the connection as it is then
 */
export async function recordTransfer(
  trx: StorageTransaction,
  { outbox, returns }: { outbox: Outbox; returns: Config['returns'] },
  before: ConnectionTable,
  facts: TransferFacts,
  now: number,
  by: Initiator,
): Promise<ConnectionTable> {
  const known = await trx.selectFrom('transfers').selectAll().where('id', '=', facts.transfer.id).executeTakeFirst();
  const row = merge(known, before, facts, now);
  row.check_id ??= await claimCheck(trx, before.id, facts.transfer, row, now);
  await trx
    .insertInto('transfers')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...row, created_at: row.created_at }))
    .execute();
  if (row.returned_at === null) return before;
  if (row.check_id !== null && row.return_code !== null) await reportReturn(trx, row.check_id, row, now);

  const all = await transfersOf(trx, before.id);
  const isNew = known?.returned_at == null || known.return_code !== row.return_code;
  const last = all.filter(isBack).sort(latestFirst)[0];
  const change = returns === 'act' ? effectOn(before, all, await answeredUntil(trx, before.id, now)) : {};
  // A repair that is in progress began before the customer could answer this return, and must learn of it.
  const endsRepair = isNew && change.endsRepair === true;
  const patch = {
    last_return: JSON.stringify(viewReturn(last ?? row)),
    ...change.patch,
    ...(endsRepair ? { revoked_at: now } : {}),
    ...(change.patch?.status ? noMoreDebits(before, now) : {}),
  };
  // The same event once more.
  if (!isNew && patch.last_return === before.last_return && Object.keys(change.patch ?? {}).length === 0) return before;
  const after = await changeConnection({ trx, outbox, now, by }, before, patch);
  if (!isNew) return after;
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
  return after;
}

const TYPES: Record<string, TransferTable['type']> = { DEBIT: 'debit', CREDIT: 'payout' };

/** The same whichever of two events comes first. */
function merge(
  known: TransferTable | undefined,
  connection: ConnectionTable,
  { transfer, instrument, returned }: TransferFacts,
  now: number,
): TransferTable {
  const code = strongerCode(known?.return_code ?? null, returned?.code ?? null);
  const failure = known?.failure_code ?? returned?.failureCode ?? null;
  const times = [known?.returned_at, returned?.at].filter((at) => at !== null && at !== undefined);
  const isOver = known?.state === 'FAILED' || known?.state === 'RETURNED';
  const takenBack = [returned?.transfer, known?.return_transfer].find((id) => id && id !== transfer.id);
  return {
    id: transfer.id,
    connection_id: connection.id,
    payment_instrument: instrument,
    type: TYPES[transfer.type] ?? known?.type ?? 'debit',
    state: isOver ? known.state : transfer.state || (known?.state ?? ''),
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

/** Two codes for one return would be Finix's mistake; the one that stops more debits is believed. */
function strongerCode(a: string | null, b: string | null): string | null {
  if (a === null || b === null || a === b) return a ?? b;
  const strength = (code: string) => STRENGTH[RETURN_RULES[code]?.effect ?? 'keep'];
  if (strength(a) !== strength(b)) return strength(a) > strength(b) ? a : b;
  return a < b ? a : b;
}

type Returned = TransferTable & { returned_at: number };

function isBack(transfer: TransferTable): transfer is Returned {
  return transfer.returned_at !== null;
}

function latestFirst(a: Returned, b: Returned): number {
  return b.returned_at - a.returned_at || b.id.localeCompare(a.id);
}

/** Oldest first. */
function transfersOf(trx: StorageTransaction, connectionId: string): Promise<TransferTable[]> {
  return trx
    .selectFrom('transfers')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .orderBy('sent_at')
    .orderBy('id')
    .execute();
}

const STATUSES = { repair: 'needs_repair', blocked: 'revoked', dead: 'failed' } as const;

interface Effect {
  patch?: Partial<ConnectionTable>;
  /** Whether they take the customer's permission back, or the account is gone. */
  endsRepair?: boolean;
}

/** What all returns come to together. @param since the customer has signed in and agreed again since */
function effectOn(connection: ConnectionTable, transfers: TransferTable[], since: number): Effect {
  let effect: ReturnEffect = 'keep';
  let decisive: Returned | undefined;
  for (const transfer of transfers.filter(isBack)) {
    const own = effectOf(connection, transfer, transfers, since);
    if (STRENGTH[own] > STRENGTH[effect]) [effect, decisive] = [own, transfer];
  }
  if (effect === 'keep' || !decisive) return {};
  const reason = returnReason(decisive.return_code, decisive.failure_code);
  const present = strengthOf(connection);
  if (STRENGTH[effect] < present) return {};
  const endsRepair = STRENGTH[effect] >= STRENGTH.blocked;
  if (STRENGTH[effect] === present) return { endsRepair, patch: isReturned(connection) ? { reason } : {} };
  return { endsRepair, patch: { status: STATUSES[effect], reason } };
}

function effectOf(connection: ConnectionTable, transfer: Returned, all: TransferTable[], since: number): ReturnEffect {
  const { return_code: code, failure_code: failure } = transfer;
  const rule = ruleOf(code, failure);
  const isReplaced = transfer.payment_instrument !== connection.payment_instrument;
  // Other numbers answer it, and nothing else does.
  if (isAboutNumbers(code, failure)) return isReplaced ? 'keep' : rule.effect;
  // The customer can agree again; an account whose holder has died stays of no use.
  if (transfer.returned_at <= since && rule.effect !== 'dead') return 'keep';
  const before = rule.second ? previousOutcome(transfer, all, since) : undefined;
  const isSecond = before !== undefined && isBack(before) && keyOf(before) === keyOf(transfer);
  return isSecond && rule.second ? rule.second : rule.effect;
}

const keyOf = ({ return_code, failure_code }: TransferTable) => return_code ?? failure_code;

/** The transfer before it whose outcome is known: it came back, or it was paid. */
function previousOutcome(transfer: Returned, all: TransferTable[], since: number): TransferTable | undefined {
  return all
    .slice(0, all.indexOf(transfer))
    .filter((one) => one.type === transfer.type)
    .findLast((one) =>
      isBack(one)
        ? one.returned_at > since
        : one.state === 'SUCCEEDED' && one.sent_at + PAID_AFTER_MS <= transfer.returned_at,
    );
}

/**
 * How far the connection is from usable already, on the scale of the effects; in between: the same words for another
 * cause.
 */
function strengthOf(connection: ConnectionTable): number {
  const { status, reason } = connection;
  if (status === 'removed') return Number.POSITIVE_INFINITY;
  if (status === 'failed') return STRENGTH.dead;
  // An operator who has disabled the instrument at Finix may enable it again there.
  if (status === 'revoked') return reason === DISABLED_IN_FINIX ? STRENGTH.blocked - 0.5 : STRENGTH.blocked;
  // A login that needs its customer leaves the instrument in use.
  if (status === 'needs_repair') return isReturned(connection) ? STRENGTH.repair : STRENGTH.repair - 0.5;
  return STRENGTH.keep;
}

function viewReturn(transfer: TransferTable): LastReturn {
  return {
    code: transfer.return_code,
    failure_code: transfer.failure_code,
    transfer: transfer.id,
    amount: transfer.amount,
    currency: transfer.currency,
    at: new Date(transfer.returned_at ?? 0).toISOString(),
  };
}
