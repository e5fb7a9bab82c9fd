import { type LoginState, loginState, numbersState } from '../connect/login-state.ts';
import {
  changeConnection,
  DISABLED_IN_FINIX,
  isDisabledInFinix,
  isOutOfUse,
  isReturned,
  lockConnection,
  revoke,
} from '../records/connections.ts';
import { disableLater } from '../records/create-calls.ts';
import { findItem } from '../records/items.ts';
import type { ConnectionTable, InboundEventTable } from '../storage/tables.ts';
import { NotNow } from '../work/retry.ts';
import { type Change, change, type Outcome, type WebhookDeps } from './change-connections.ts';
import { handleTransfer, type TransferDeps } from './transfer-handlers.ts';
import { readFinixFacts } from './verify-finix.ts';

/**
 * The same for Finix, shorter: the merchant's other instruments are none of ours, and each is looked for twice only.
 */
const FINIX_AHEAD_MS = 60_000;

/** What Finix reports as changed is read from Finix: then neither order nor repetition matters. */
export async function handleFinixWebhook(deps: TransferDeps, event: InboundEventTable): Promise<Outcome> {
  const { instrument: id, transfer } = readFinixFacts(event.facts);
  if (transfer) return handleTransfer(deps, event, transfer, id);
  if (id === undefined) return 'ignored';
  const connection = await findConnection(deps, id);
  if (!connection) {
    // The answer to our own create call may be still on its way; its own status is recent enough.
    const isNew = event.type !== 'instrument/created' && event.waited_ms < FINIX_AHEAD_MS;
    if (isNew) throw new NotNow('unknown', FINIX_AHEAD_MS);
    return 'ignored';
  }
  const present = await deps.finix.getPaymentInstrument(id);
  if (present.enabled && mustBeDisabled(connection, id)) return disableAgain(deps, connection, id);
  if (connection.payment_instrument !== id) return 'ignored';
  const login = present.enabled && isDisabledInFinix(connection) ? await loginOf(deps, connection) : undefined;
  const about = { only: connection.id, isUrgent: !present.enabled };
  const update: Change = async (unit, before) => {
    if (before.payment_instrument !== id) return undefined;
    const check = { bank_account_validation_check: present.bankAccountValidationCheck };
    // Of a connection with a return the instrument is disabled by this server.
    const isUsed = before.status === 'active' || (before.status === 'needs_repair' && !isReturned(before));
    if (!present.enabled && isUsed) {
      // Nothing is left to disable: the operator who did it may undo it at any moment, and the server must not
      // interfere.
      const patch = { ...check, status: 'revoked', reason: DISABLED_IN_FINIX } as const;
      return changeConnection(unit, before, patch);
    }
    const isBack = present.enabled && isDisabledInFinix(before);
    if (isBack && before.goal === null) {
      if (login === undefined) throw new NotNow('changed', 0);
      // Nothing would ever end its debits: the session removed it when it ended without a connection.
      if (login === 'removed') return revoke(unit, before, 'ITEM_NOT_FOUND');
      // Its webhook has changed nothing, as the connection was revoked by then.
      const broken = { ...check, status: 'needs_repair', reason: 'ITEM_LOGIN_REQUIRED' } as const;
      return changeConnection(unit, before, login === 'good' ? { ...check, status: 'active', reason: null } : broken);
    }
    const isNew = before.bank_account_validation_check !== present.bankAccountValidationCheck;
    return isNew ? changeConnection(unit, before, check) : undefined;
  };
  await change(deps, event, connection.item_id, update, about);
  return 'handled';
}

/** Whether the login is good, and its account numbers are shared, by Plaid's present answers. */
async function loginOf(deps: WebhookDeps, { item_id }: ConnectionTable): Promise<LoginState | 'removed'> {
  const item = await findItem(deps.storage.db, item_id);
  if (item?.status !== 'linked') return 'removed';
  const login = await loginState(deps, item);
  return login === 'good' ? numbersState(deps, item) : login;
}

/** The connection that has the instrument, or had it. */
async function findConnection({ storage: { db } }: WebhookDeps, id: string): Promise<ConnectionTable | undefined> {
  const present = await db
    .selectFrom('connections')
    .selectAll()
    .where((eb) => eb.or([eb('payment_instrument', '=', id), eb('previous_payment_instrument', '=', id)]))
    .executeTakeFirst();
  if (present) return present;
  return db
    .selectFrom('connection_instruments')
    .innerJoin('connections', 'connections.id', 'connection_instruments.connection_id')
    .selectAll('connections')
    .where('connection_instruments.payment_instrument', '=', id)
    .executeTakeFirst();
}

/**
 * An instrument that was replaced or that a return has disabled, or whose connection has ended other than by an
 * operator at Finix.
 */
function mustBeDisabled(connection: ConnectionTable, id: string): boolean {
  if (connection.payment_instrument !== id) return true;
  return isOutOfUse(connection) && !isDisabledInFinix(connection);
}

/** Enabled at Finix although the customer, the bank or the merchant has ended it: no connection shows its debits. */
async function disableAgain(
  { storage, log }: WebhookDeps,
  { id: connectionId, customer_id }: ConnectionTable,
  id: string,
): Promise<Outcome> {
  const now = await storage.now();
  await storage.transaction(`customer:${customer_id}`, async (trx) => {
    const connection = await lockConnection(trx, connectionId);
    if (!connection || !mustBeDisabled(connection, id)) return;
    // Of a generation before: a worker that makes the next instrument is not waited for.
    await disableLater(trx, { ...connection, generation: connection.generation - 1 }, [id], now);
    log.warn({ connection: connectionId, instrument: id }, 'an instrument out of use was enabled at Finix');
  });
  return 'handled';
}
