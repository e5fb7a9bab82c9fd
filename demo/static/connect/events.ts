import { toTransfer, transferBody } from '../../../server/clients/finix-transfers.ts';
import { returnCodeOf, ruleOf } from '../../../server/lifecycle/return-codes.ts';
import type { ConnectionStatus } from '../../../widget/contract.ts';
import { stopDebits, type WorkDeps } from './connect.ts';
import { makeInstrument } from './instrument.ts';
import type { ConnectionRecord } from './records.ts';

type Json = Record<string, unknown>;

export interface EventDeps extends WorkDeps {
  returned(connection: ConnectionRecord): Promise<void>;
}

/** What Plaid's webhook means for the connections of its Item. */
export async function handlePlaid(deps: EventDeps, event: Json): Promise<void> {
  const type = `${event['webhook_type']}/${event['webhook_code']}`;
  const error = (event['error'] as Json | null | undefined)?.['error_code'];
  const of = [...deps.records.connections.values()].filter(({ itemId }) => itemId === event['item_id']);
  for (const connection of of) {
    const { view } = connection;
    const isLive = view.status === 'active' || view.status === 'pending_verification';
    if (type === 'ITEM/USER_PERMISSION_REVOKED' || error === 'USER_PERMISSION_REVOKED') {
      if (view.status === 'revoked') continue;
      await stopDebits(deps, connection);
      await becomes(deps, connection, 'revoked', 'USER_PERMISSION_REVOKED');
    } else if (type === 'ITEM/ERROR' && isLive) {
      await becomes(deps, connection, 'needs_repair', String(error ?? 'ERROR'));
    } else if (
      type === 'ITEM/LOGIN_REPAIRED' &&
      view.status === 'needs_repair' &&
      !connection.reason?.startsWith('return_')
    ) {
      await becomes(deps, connection, view.payment_instrument ? 'active' : 'pending_verification', null);
    } else if (
      (type === 'AUTH/AUTOMATICALLY_VERIFIED' && view.status === 'pending_verification') ||
      (type === 'AUTH/DEFAULT_UPDATE' && view.status === 'active')
    ) {
      await makeInstrument(deps.providers, connection);
      await becomes(deps, connection, 'active', null);
    }
  }
}

/** Of the server's rules for returns: what each means for the connection. */
const AFTER_RETURN: Record<string, ConnectionStatus | undefined> = {
  repair: 'needs_repair',
  blocked: 'revoked',
  dead: 'failed',
};

/** What Finix's webhook about a transfer means: a debit that came back, whichever of Finix's ways reports it. */
export async function handleFinix(deps: EventDeps, event: Json): Promise<void> {
  const [body] = Object.values((event['_embedded'] ?? {}) as Record<string, Json[]>).flat();
  if (event['entity'] !== 'transfer' || !body) return;
  const transfer = toTransfer(transferBody.parse(body));
  const isTakenBack = transfer.type === 'REVERSAL' && transfer.subtype !== 'API';
  if (transfer.state !== 'FAILED' && !transfer.isReturned && !isTakenBack) return;
  const about = [transfer.source, transfer.destination];
  const connection = [...deps.records.connections.values()].find(({ view }) => about.includes(view.payment_instrument));
  const debit = transfer.parent ?? transfer.id;
  if (!connection || connection.view.last_return?.transfer === debit) return;
  const code = transfer.returnCode ?? returnCodeOf(transfer.failureCode);
  connection.view.last_return = {
    code,
    failure_code: transfer.failureCode,
    transfer: debit,
    amount: transfer.amount,
    currency: transfer.currency,
    at: new Date().toISOString(),
  };
  const after = AFTER_RETURN[ruleOf(code, transfer.failureCode).effect];
  if (after) {
    await stopDebits(deps, connection);
    await becomes(deps, connection, after, `return_${code ?? transfer.failureCode ?? 'unknown'}`);
  }
  await deps.returned(connection);
}

async function becomes(
  deps: WorkDeps,
  connection: ConnectionRecord,
  status: ConnectionStatus,
  reason: string | null,
): Promise<void> {
  connection.view.status = status;
  connection.reason = reason;
  await deps.changed(connection);
}
