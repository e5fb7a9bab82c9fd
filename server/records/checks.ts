import { z } from 'zod';
import type { Check } from '../../widget/contract.ts';
import type { FinixTransfer } from '../clients/finix-transfers.ts';
import { jsonColumn } from '../storage/json-column.ts';
import type { StorageTransaction } from '../storage/open.ts';
import type { TransferTable } from '../storage/tables.ts';

/** How a debit at Finix is known as the one that a check was about, and what Signal has yet to learn of it. */

/** A check is made before the debit, and not days before. Clocks may differ by a minute. */
const AHEAD_MS = 3 * 24 * 3600_000;
const CLOCK_MARGIN_MS = 60_000;

/**
 * Finds the check that was made before a debit: the debit names its client transaction id or its id, as idempotency id
 * or in a tag, or it is the only one for that account and amount.
 * @returns the check's id; null: none
 */
export async function claimCheck(
  trx: StorageTransaction,
  connectionId: string,
  { idempotencyId, tagValues }: FinixTransfer,
  transfer: TransferTable,
  now: number,
): Promise<string | null> {
  if (transfer.type !== 'debit' || transfer.amount === null) return null;
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
  // Plaid takes silence for a debit that was made where it had accepted it.
  const isAsked = found.is_evaluated === 1 && found.signal_result !== 'ACCEPT';
  await trx
    .updateTable('checks')
    .set({ transfer_id: transfer.id, ...(isAsked ? { is_decision_due: 1, report_at: now, tries: 0 } : {}) })
    .where('id', '=', found.id)
    .execute();
  return found.id;
}

/** Signal learns of the return, once for each code. */
export async function reportReturn(
  trx: StorageTransaction,
  checkId: string,
  { return_code, returned_at }: Pick<TransferTable, 'return_code' | 'returned_at'>,
  now: number,
): Promise<void> {
  await trx
    .updateTable('checks')
    .set({ return_code, returned_at, is_return_due: 1, report_at: now, tries: 0 })
    .where('id', '=', checkId)
    .where('is_evaluated', '=', 1)
    .where((eb) => eb.or([eb('return_code', 'is', null), eb('return_code', '!=', return_code)]))
    .execute();
}

/** Given again as it was given. */
export const readCheckAnswer = jsonColumn<Check>(
  'checks.answer',
  z.custom<Check>((value) => z.looseObject({ object: z.literal('check'), id: z.string() }).safeParse(value).success),
);
