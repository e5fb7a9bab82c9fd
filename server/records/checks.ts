import type { ExpressionBuilder } from 'kysely';
import { z } from 'zod';
import type { Check } from '../../widget/contract.ts';
import type { FinixTransfer } from '../clients/finix-transfers.ts';
import { jsonColumn } from '../storage/json-column.ts';
import type { StorageTransaction } from '../storage/open.ts';
import type { CheckTable, Database, TransferTable } from '../storage/tables.ts';

/** How a debit at Finix is known as the one that a check was about, and what Signal has yet to learn of it. */

/** A bank's customer can call a debit unauthorized for 60 days; later its check answers no question any more. */
export const CHECKS_KEEP_MS = 90 * 24 * 3600_000;

/** A check is made before the debit, and not days before. Clocks may differ by a minute. */
const AHEAD_MS = 3 * 24 * 3600_000;
const CLOCK_MARGIN_MS = 60_000;

/**
 * Finds the check that was made before a debit: the debit names its client transaction id or its id, as idempotency id
 * or in a tag, or it is the only one for that account and amount.
 * Never by the reversal that takes it back, which names nothing of its debit's.
 * @returns the check's id; null: none
 */
export async function claimCheck(
  trx: StorageTransaction,
  connectionId: string,
  { type, idempotencyId, tagValues }: FinixTransfer,
  transfer: TransferTable,
  now: number,
): Promise<string | null> {
  if (type !== 'DEBIT' || transfer.amount === null) return null;
  const open = await trx
    .selectFrom('checks')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .where('transfer_id', 'is', null)
    .where('created_at', '>=', transfer.sent_at - AHEAD_MS)
    .execute();
  const names = new Set([idempotencyId, ...tagValues]);
  const named = open.filter(({ id, client_transaction_id }) => names.has(id) || names.has(client_transaction_id));
  const alike = open.filter(
    ({ amount, created_at }) => amount === transfer.amount && created_at <= transfer.sent_at + CLOCK_MARGIN_MS,
  );
  const found = named[0] ?? (alike.length === 1 ? alike[0] : undefined);
  if (!found) return null;
  const isDue = found.is_evaluated === 1 && isDecisionAsked(found.signal_result);
  await trx
    .updateTable('checks')
    .set({ transfer_id: transfer.id, ...(isDue ? { is_decision_due: 1, report_at: now, tries: 0 } : {}) })
    .where('id', '=', found.id)
    .execute();
  return found.id;
}

/** Plaid takes silence for a debit that was made where it had accepted it. */
function isDecisionAsked(result: string | null): boolean {
  return result !== 'ACCEPT';
}

/** Signal learns of the return, once for each code: now, or when the check has its answer. */
export async function reportReturn(
  trx: StorageTransaction,
  checkId: string,
  { return_code, returned_at }: Pick<TransferTable, 'return_code' | 'returned_at'>,
  now: number,
): Promise<void> {
  const isNew = (eb: ExpressionBuilder<Database, 'checks'>) =>
    eb.or([eb('return_code', 'is', null), eb('return_code', '!=', return_code)]);
  const about = trx.updateTable('checks').where('id', '=', checkId).where(isNew);
  await about.where('is_evaluated', '=', 1).set({ is_return_due: 1, report_at: now, tries: 0 }).execute();
  await about.set({ return_code, returned_at }).execute();
}

/**
 * What Signal has yet to learn at the moment a check gets its answer: its debit, and the debit's return, can be known
 * by then.
 * @param before as it was: what was due has been noted, if Signal was thought to be asked
 */
export function reportsAtAnswer(
  before: CheckTable,
  { is_evaluated, signal_result }: Pick<CheckTable, 'is_evaluated' | 'signal_result'>,
  now: number,
): Pick<CheckTable, 'is_evaluated' | 'signal_result' | 'is_decision_due' | 'is_return_due' | 'report_at'> {
  const wasNoted = before.is_evaluated === 1;
  const isDebited = before.transfer_id !== null && isDecisionAsked(signal_result);
  const isDecisionDue = is_evaluated === 1 && isDebited && (!wasNoted || before.is_decision_due === 1);
  const isReturnDue = is_evaluated === 1 && before.return_code !== null && (!wasNoted || before.is_return_due === 1);
  return {
    is_evaluated,
    signal_result,
    is_decision_due: isDecisionDue ? 1 : 0,
    is_return_due: isReturnDue ? 1 : 0,
    report_at: isDecisionDue || isReturnDue ? now : null,
  };
}

/** Given again as it was given. */
export const readCheckAnswer = jsonColumn<Check>(
  'checks.answer',
  z.custom<Check>((value) => z.looseObject({ object: z.literal('check'), id: z.string() }).safeParse(value).success),
);
