import type { LastReturn } from '../../widget/contract.ts';
import type { Config } from '../config.ts';
import { factsOf, isOfMerchant, isSameAccount } from '../connect/account-match.ts';
import { iso } from '../ids.ts';
import { answeredUntil } from '../records/agreements.ts';
import { changeConnection, noMoreDebits } from '../records/connections.ts';
import type { Unit } from '../records/unit.ts';
import type { StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable, TransferTable } from '../storage/tables.ts';
import { isAboutAccount } from './return-codes.ts';
import { type AccountTransfer, effectOn, isBack, latestFirst } from './return-effects.ts';

/**
 * The returns of a bank account that its customer has connected more than once: a debit can come back two months after
 * its connection was replaced. It then means for the connection that has the account now what it means for its own.
 */

/**
 * Changes a connection as the returns of its account ask for. To be called with its row locked.
 * @param cause a return that is `new`, or is reported `again`; or an instrument that the connection has `adopted`
 */
export async function applyReturns(
  unit: Unit,
  before: ConnectionTable,
  returns: Config['returns'],
  cause: 'new' | 'again' | 'adopted',
): Promise<ConnectionTable> {
  const { trx, now } = unit;
  const all = await transfersOfAccount(trx, before);
  const last = all.filter(isBack).sort(latestFirst)[0];
  if (!last) return before;
  const change = returns === 'act' ? effectOn(before, all, await answeredUntil(trx, before.id, now)) : {};
  const isTakenBack = cause === 'adopted' ? change.patch?.status === 'revoked' : cause === 'new' && change.endsRepair;
  const patch = {
    last_return: JSON.stringify(viewReturn(last)),
    ...change.patch,
    // Work in progress, such as a repair, began before the customer could answer this return, and must learn of it.
    ...(isTakenBack ? { revoked_at: now } : {}),
    ...(change.patch?.status ? noMoreDebits(before, now) : {}),
  };
  // The same event once more.
  if (cause !== 'new' && patch.last_return === before.last_return && Object.keys(change.patch ?? {}).length === 0)
    return before;
  return changeConnection(unit, before, patch);
}

/** The ids of the other connections that have an instrument of the same account now. */
export async function holdersOf(trx: StorageTransaction, connection: ConnectionTable): Promise<string[]> {
  const others = await sameAccount(trx, connection);
  return others
    .filter(({ status, payment_instrument: instrument }) => status !== 'removed' && instrument !== null)
    .map(({ id }) => id);
}

/**
 * What is known of the account's debits and payouts, oldest first. Of the customer's other connections to it: nothing
 * that came back before the customer connected this one, because the bank has given access to the account since.
 */
async function transfersOfAccount(trx: StorageTransaction, connection: ConnectionTable): Promise<AccountTransfer[]> {
  const isLeaving = connection.status === 'removed' || connection.goal === 'remove';
  const others = isLeaving ? [] : await sameAccount(trx, connection);
  const since = others.length === 0 ? 0 : await connectedAt(trx, connection);
  const all = await trx
    .selectFrom('transfers')
    .leftJoin('connection_instruments', 'connection_instruments.payment_instrument', 'transfers.payment_instrument')
    .selectAll('transfers')
    .select('connection_instruments.fingerprint')
    .where('transfers.connection_id', 'in', [connection.id, ...others.map(({ id }) => id)])
    .orderBy('sent_at')
    .orderBy('id')
    .execute();
  return all.filter(({ connection_id, returned_at, return_code, failure_code }) => {
    const other = others.find(({ id }) => id === connection_id);
    if (!other) return true;
    if (returned_at !== null && returned_at <= since) return false;
    return hasSamePurpose(other, connection) || isAboutAccount(return_code, failure_code);
  });
}

/** The customer's other connections to the same account, for the same merchant. */
async function sameAccount(trx: StorageTransaction, connection: ConnectionTable): Promise<ConnectionTable[]> {
  const others = await trx
    .selectFrom('connections')
    .selectAll()
    .where('customer_id', '=', connection.customer_id)
    .where('id', '!=', connection.id)
    // Two accounts of one login are never the same.
    .where('item_id', '!=', connection.item_id)
    .orderBy('id')
    .execute();
  const own = others.filter(isOfMerchant(connection));
  if (own.length === 0) return [];
  const instruments = await trx
    .selectFrom('connection_instruments')
    .select(['connection_id', 'fingerprint'])
    .where('connection_id', 'in', [connection.id, ...own.map(({ id }) => id)])
    .where('fingerprint', 'is not', null)
    .execute();
  const numbersOf = (id: string) =>
    instruments.flatMap(({ connection_id, fingerprint }) => (connection_id === id ? fingerprint : []));
  // Those of an instrument that this transaction gives it are written with its end.
  const numbers = new Set([...numbersOf(connection.id), connection.fingerprint]);
  return own.filter(
    (other) =>
      isSameAccount(factsOf(other), factsOf(connection)) ||
      // Its bank has given it other numbers since.
      numbersOf(other.id).some((fingerprint) => numbers.has(fingerprint)),
  );
}

/** When the customer brought the account: the session may have waited for Plaid since. */
async function connectedAt(trx: StorageTransaction, connection: ConnectionTable): Promise<number> {
  const session = await trx
    .selectFrom('sessions')
    .select('processing_since')
    .where('id', '=', connection.session_id)
    .executeTakeFirst();
  return Math.min(connection.created_at, session?.processing_since ?? connection.created_at);
}

/** Rows of older versions have no purpose; an identity has one role. */
function hasSamePurpose(a: ConnectionTable, b: ConnectionTable): boolean {
  return a.purpose === null || b.purpose === null ? a.finix_identity === b.finix_identity : a.purpose === b.purpose;
}

function viewReturn(transfer: TransferTable): LastReturn {
  return {
    code: transfer.return_code,
    failure_code: transfer.failure_code,
    transfer: transfer.id,
    amount: transfer.amount,
    currency: transfer.currency,
    at: iso(transfer.returned_at ?? 0),
  };
}
