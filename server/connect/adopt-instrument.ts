import { UpstreamError } from '../clients/outbound.ts';
import {
  awaitsInstrument,
  changeConnection,
  DISABLED_IN_FINIX,
  lockConnection,
  loginBreak,
} from '../records/connections.ts';
import { disableLater, settleCallsLast, settleInstruments } from '../records/create-calls.ts';
import type { Unit } from '../records/unit.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { bankChangedAt, hasBeenActive, reportChangedBank, reportChangedOwner } from './changed-bank.ts';
import { duplicatesOf, orphansOf, retire } from './duplicates.ts';
import type { InstrumentDeps, InstrumentHold } from './instrument-hold.ts';
import { disableAll, type OwnInstrument } from './instrument-list.ts';

export interface Found {
  /** Enabled instruments of the same generation that the connection does not take. */
  duplicates: string[];
  /** Calls of which it is certain by now what they have made. */
  decided: string[];
  listed: OwnInstrument[] | undefined;
  /** When the call was sent whose answer this is: its row is there. */
  announcedAt?: number;
}

/**
 * The connection has its instrument. If it is not to have one any more, the instrument is disabled instead. If its
 * login has broken in the meantime, it needs repair, as it would have a moment later; if Finix has made it disabled, it
 * is revoked until Finix enables it.
 */
export async function adopt(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  made: OwnInstrument,
  { duplicates, decided, listed, announcedAt }: Found,
): Promise<void> {
  const { storage, finix, outbox } = deps;
  let unwanted: string[] = [];
  let stopped: string[] = [];
  await held.adopt(async (trx, now, session) => {
    const before = await lockConnection(trx, connection.id, announcedAt);
    await settleCallsLast(trx, decided);
    const isTaken = before !== undefined && awaitsInstrument(before, connection.generation);
    const orphans = isTaken ? await orphansOf(trx, made, listed ?? []) : [];
    const isPresent = before?.payment_instrument === made.id;
    unwanted = [...(isTaken || isPresent ? [] : [made.id]), ...duplicates, ...orphans];
    await disableLater(trx, connection, unwanted, now);
    stopped = [];
    if (!isTaken) return undefined;
    // The customer has connected this account before: the merchant is left with the new instrument only.
    const isOnly = session?.other_connection === null && before.generation === 0;
    const replaced = isOnly ? [] : await duplicatesOf(trx, { ...before, fingerprint: made.fingerprint });
    const changedBankAt = isOnly ? before.changed_bank_at : await bankChangedAt(trx, before, made.fingerprint, now);
    const patch: Partial<ConnectionTable> = {
      status: 'active',
      reason: null,
      payment_instrument: made.id,
      fingerprint: made.fingerprint,
      bank_account_validation_check: made.bankAccountValidationCheck,
      previous_payment_instrument: replaced.at(-1)?.payment_instrument ?? before.previous_payment_instrument,
      instrument_sent_at: null,
      changed_bank_at: changedBankAt,
      ...deps.owners.learned(before),
    };
    const unit: Unit = { trx, outbox, now, by: { actor: 'job' } };
    const after = await changeConnection(unit, before, patch);
    if (after.status !== 'active') return after;
    if (changedBankAt === now) await reportChangedBank(unit, after);
    if (!isOnly && !hasBeenActive(before)) await reportChangedOwner(unit, after);
    // A customer with this one connection has had no debit yet.
    const checked = isOnly ? after : await deps.applyReturns(unit, after);
    // By a return of the account: the task that disables it is due with the next round of jobs, its debits end now.
    if (checked.goal === 'disable') stopped = [made.id];
    if (checked.status === 'active') await retire(unit, replaced, checked);
    else if (replaced.length > 0) {
      // Stopped by a return, it replaces none: another connection's instrument is not its to disable.
      const previous = { previous_payment_instrument: before.previous_payment_instrument };
      return changeConnection(unit, checked, previous);
    }
    // As its webhook would report a moment later: no debit can use it before it is enabled at Finix.
    if (!made.enabled && checked.status === 'active') {
      return changeConnection(unit, checked, { status: 'revoked', reason: DISABLED_IN_FINIX });
    }
    const broken = loginBreak(before);
    if (broken === null || checked.status !== 'active') return checked;
    return changeConnection(unit, checked, { status: 'needs_repair', reason: broken });
  });
  if (unwanted.length + stopped.length === 0) return;
  try {
    await disableAll(finix, [...stopped, ...unwanted]);
    await settleInstruments(storage.db, connection.id, unwanted);
  } catch (error) {
    // Their rows, and the connection's task, have it done again; the customer does not wait for it.
    if (!(error instanceof UpstreamError)) throw error;
  }
}
