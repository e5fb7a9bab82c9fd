import { changeConnection, DISABLED_IN_FINIX, isReturned } from '../records/connections.ts';
import type { InboundEventTable } from '../storage/tables.ts';
import { NotNow } from '../work/retry.ts';
import { type Change, change, type Outcome, type WebhookDeps } from './change-connections.ts';
import { handleTransfer } from './transfer-handlers.ts';
import { readFinixFacts } from './verify-finix.ts';

/**
 * The same for Finix, shorter: the merchant's other instruments are none of ours, and each is looked for twice only.
 */
const FINIX_AHEAD_MS = 60_000;

/** What Finix reports as changed is read from Finix: then neither order nor repetition matters. */
export async function handleFinixWebhook(deps: WebhookDeps, event: InboundEventTable): Promise<Outcome> {
  const { instrument: id, transfer } = readFinixFacts(event.facts);
  if (transfer) return handleTransfer(deps, event, transfer, id);
  if (id === undefined) return 'ignored';
  const connection = await deps.storage.db
    .selectFrom('connections')
    .selectAll()
    .where((eb) => eb.or([eb('payment_instrument', '=', id), eb('previous_payment_instrument', '=', id)]))
    .executeTakeFirst();
  if (!connection) {
    // The answer to our own create call may be still on its way; its own status is recent enough.
    const isNew = event.type !== 'instrument/created' && event.waited_ms < FINIX_AHEAD_MS;
    if (isNew) throw new NotNow('unknown', FINIX_AHEAD_MS);
    return 'ignored';
  }
  if (connection.payment_instrument !== id) return 'ignored';
  const present = await deps.finix.getPaymentInstrument(id);
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
    const isBack = present.enabled && before.status === 'revoked' && before.reason === DISABLED_IN_FINIX;
    if (isBack && before.goal === null) {
      return changeConnection(unit, before, { ...check, status: 'active', reason: null });
    }
    const isNew = before.bank_account_validation_check !== present.bankAccountValidationCheck;
    return isNew ? changeConnection(unit, before, check) : undefined;
  };
  await change(deps, event, connection.item_id, update, about);
  return 'handled';
}
