import { remedyFor } from '../clients/plaid-remedies.ts';
import { createPlainCalls, type PlainAnswer, type PlainCalls, refusalOf } from '../clients/plain-calls.ts';
import { accessTokenOf, findItem } from '../records/items.ts';
import { createSecrets } from '../storage/secrets.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { CommandError, EXIT } from './command.ts';
import type { StorageCommand } from './with-storage.ts';

/** What `/sandbox/item/fire_webhook` sends for an event. The Item itself stays as it is. */
const FIRES: Readonly<Record<string, { webhook_type: 'AUTH' | 'ITEM'; webhook_code: string }>> = {
  login_repaired: { webhook_type: 'ITEM', webhook_code: 'LOGIN_REPAIRED' },
  permission_revoked: { webhook_type: 'ITEM', webhook_code: 'USER_PERMISSION_REVOKED' },
  account_revoked: { webhook_type: 'ITEM', webhook_code: 'USER_ACCOUNT_REVOKED' },
  account_opened: { webhook_type: 'ITEM', webhook_code: 'NEW_ACCOUNTS_AVAILABLE' },
  // The code alone could be that of transactions.
  numbers_changed: { webhook_type: 'AUTH', webhook_code: 'DEFAULT_UPDATE' },
  disconnect_announced: { webhook_type: 'ITEM', webhook_code: 'PENDING_DISCONNECT' },
};

/** What `/sandbox/item/set_verification_status` sets for an event. */
const VERIFICATION: Readonly<Record<string, string>> = {
  verified: 'automatically_verified',
  verification_expired: 'verification_expired',
};

/**
 * Makes an event happen in the sandboxes of Plaid and Finix, as far as they can.
 * @returns what happened, for the person who asked for it
 */
export async function onSandbox(
  { config, storage }: Pick<StorageCommand, 'config' | 'storage'>,
  event: string,
  connection: ConnectionTable,
  calls: PlainCalls = createPlainCalls(config),
): Promise<string> {
  if (event === 'instruments_disabled') {
    const path = `/payment_instruments/${connection.payment_instrument}`;
    accepted('Finix', path, await answerOf('Finix', calls.finix('PUT', path, { enabled: false })));
    return 'disabled at Finix, which sends its webhook';
  }
  const item = await findItem(storage.db, connection.item_id);
  const access_token = item && accessTokenOf(createSecrets(config.encryptionKeys), item);
  if (!access_token) throw new CommandError(`${connection.id} has no Item any more.`);
  const call = callFor(event, connection);
  if (!call) throw new CommandError(`The sandboxes cannot do ${event}; the simulator can.`);
  const answer = await answerOf('Plaid', calls.plaid(call.path, { access_token, ...call.body }));
  accepted('Plaid', call.path, answer);
  if (answer.body['webhook_fired'] === false) {
    throw new CommandError(
      `Plaid sent no webhook: it has no address for this Item. PUBLIC_URL must be an address that Plaid reaches, such as a tunnel’s; a restart of the server then gives it to the Items that are there.`,
    );
  }
  return `Plaid sends its webhook to ${config.publicUrl}/webhooks/plaid (request ${answer.requestId ?? 'unknown'})`;
}

function callFor(
  event: string,
  { plaid_account_id: account_id }: ConnectionTable,
): { path: string; body: object } | undefined {
  if (event === 'login_broken') return { path: '/sandbox/item/reset_login', body: {} };
  const verification_status = VERIFICATION[event];
  if (verification_status !== undefined) {
    return { path: '/sandbox/item/set_verification_status', body: { account_id, verification_status } };
  }
  const fires = FIRES[event];
  return fires && { path: '/sandbox/item/fire_webhook', body: fires };
}

async function answerOf(name: string, call: Promise<PlainAnswer>): Promise<PlainAnswer> {
  return call.catch((error: unknown) => {
    const { code } = error as { code?: string };
    throw new CommandError(`${name} gave no answer (${code ?? 'NO_ANSWER'}).`, EXIT.unreachable);
  });
}

function accepted(name: string, path: string, answer: PlainAnswer): void {
  if (answer.isOk) return;
  const { code, message } = refusalOf(answer);
  const remedy = name === 'Plaid' ? remedyFor(path, code) : undefined;
  throw new CommandError(
    `${name} refused ${path}: ${code}, ${message} (request ${answer.requestId ?? 'unknown'}).${remedy ? ` ${remedy}` : ''}`,
  );
}
