import { z } from 'zod';
import { createPlainCalls, type PlainCalls, refusalOf } from '../clients/plain-calls.ts';
import { isLocalUrl } from '../hosts.ts';
import { accessTokenOf, findItem } from '../records/items.ts';
import { createSecrets } from '../storage/secrets.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { type AddCommand, CommandError, EXIT, UsageError } from './command.ts';
import { reasonOf } from './merchant-api.ts';
import { type StorageCommand, withStorage } from './with-storage.ts';

interface EventKind {
  summary: string;
  /** Plaid's Sandbox: the webhook that it fires; the state of the Item stays as it is. */
  fires?: string;
}

const EVENTS: Readonly<Record<string, EventKind>> = {
  login_broken: { summary: 'the login at the bank is no longer good' },
  login_repaired: { summary: 'the customer signed in again elsewhere', fires: 'LOGIN_REPAIRED' },
  permission_revoked: { summary: 'the customer takes the permission back', fires: 'USER_PERMISSION_REVOKED' },
  account_revoked: { summary: 'the customer takes one account back', fires: 'USER_ACCOUNT_REVOKED' },
  account_opened: { summary: 'there is one more account at the login', fires: 'NEW_ACCOUNTS_AVAILABLE' },
  numbers_changed: { summary: 'the bank gives the account another number', fires: 'DEFAULT_UPDATE' },
  numbers_withheld: { summary: 'the account numbers are no longer shared (simulator only)' },
  disconnect_announced: { summary: 'the consent ends in a week', fires: 'PENDING_DISCONNECT' },
  verified: { summary: 'the small deposits have arrived' },
  verification_expired: { summary: 'the small deposits were not confirmed in time' },
  instruments_disabled: { summary: 'the payment instrument is disabled in Finix' },
  debit_succeeded: { summary: 'a debit is paid (simulator only)' },
  debit_failed: { summary: 'a debit is refused (simulator only)' },
  debit_returned: { summary: 'a debit comes back, by --code (simulator only)' },
};

interface Options {
  connection?: string;
  transfer?: string;
  code: string;
}

export const addTrigger: AddCommand = (program, context) => {
  program
    .command('trigger')
    .argument('<event>', 'see below')
    .summary('make the simulator or the sandboxes fire an event')
    .description(
      'Makes something happen to a connected bank, as it would days later in production, so that you see your own handling of it. Works on the simulator (PLAID_BASE_URL) and, as far as they can, on the sandboxes of Plaid and Finix.',
    )
    .option('--connection <id>', 'the connection that it happens to (default: the newest)')
    .option('--transfer <id>', 'Finix’s id of the debit (default: the newest, or a new one of 10 dollars)')
    .option('--code <code>', 'return code of debit_returned', 'R01')
    .addHelpText(
      'after',
      `\nEvents:\n${Object.entries(EVENTS)
        .map(([name, { summary }]) => `  ${name.padEnd(22)}${summary}`)
        .join('\n')}`,
    )
    .action((given: string, options: Options) => {
      const event = given.replaceAll('-', '_');
      if (!(event in EVENTS)) throw new UsageError(`There is no event ${given}. See: trigger --help`);
      return withStorage(context, async (command) => {
        const { plaid } = command.config;
        if (plaid.environment !== 'sandbox')
          throw new CommandError('Events are triggered with PLAID_ENV=sandbox only.');
        const connection = await findConnection(command, options.connection);
        const happened = isLocalUrl(plaid.baseUrl)
          ? await onSimulator(command, event, connection, options)
          : await onSandbox(command, event, connection);
        context.write(`${event} of ${connection.id}: ${happened}\n`);
      });
    });
};

async function findConnection({ storage }: StorageCommand, id: string | undefined): Promise<ConnectionTable> {
  let query = storage.db.selectFrom('connections').selectAll().where('status', 'not in', ['removed', 'failed']);
  if (id !== undefined) query = query.where('id', '=', id);
  const found = await query.orderBy('created_at', 'desc').limit(1).executeTakeFirst();
  if (found) return found;
  throw new CommandError(id === undefined ? 'No bank is connected.' : `There is no connection ${id} that is in use.`);
}

async function onSimulator(
  { config, storage }: StorageCommand,
  event: string,
  connection: ConnectionTable,
  { transfer, code }: Options,
): Promise<string> {
  const isDebit = event.startsWith('debit_');
  const item = await findItem(storage.db, connection.item_id);
  const subject = isDebit
    ? { transfer: transfer ?? (await newestDebit(storage, createPlainCalls(config), connection)) }
    : { item_id: item?.plaid_item_id };
  const own = {
    ...(event === 'debit_returned' ? { code } : {}),
    ...(event === 'account_revoked' ? { account_id: connection.plaid_account_id } : {}),
  };
  const url = new URL('/_control/events', config.plaid.baseUrl);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ event, ...subject, ...own }),
  }).catch((error: unknown) => {
    throw new CommandError(`No answer from the simulator at ${url.origin} (${reasonOf(error)}).`, EXIT.unreachable);
  });
  const answer: unknown = await response.json().catch(() => ({}));
  const { error } = z.object({ error: z.string().optional() }).catch({}).parse(answer);
  if (!response.ok) throw new CommandError(error ?? `The simulator answered ${response.status}.`);
  return isDebit ? `${subject.transfer} at the simulator` : 'the simulator sends its webhook';
}

/** Ten dollars: none of the amounts by which a sandbox decides the outcome. */
const AMOUNT = 1000;

async function newestDebit(
  storage: StorageCommand['storage'],
  { finix }: PlainCalls,
  { id, payment_instrument }: ConnectionTable,
): Promise<string> {
  const known = await storage.db
    .selectFrom('transfers')
    .select('id')
    .where('connection_id', '=', id)
    .where('returned_at', 'is', null)
    .orderBy('sent_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (known) return known.id;
  const made = await finix('POST', '/transfers', {
    amount: AMOUNT,
    currency: 'USD',
    source: payment_instrument,
    merchant: 'MUsimulator',
  });
  if (made.isOk) return String(made.body['id']);
  throw new CommandError(`Finix refused a debit: ${refusalOf(made).message}`);
}

async function onSandbox(
  { config, storage }: StorageCommand,
  event: string,
  connection: ConnectionTable,
): Promise<string> {
  const { plaid, finix } = createPlainCalls(config);
  if (event === 'instruments_disabled') {
    const answer = await finix('PUT', `/payment_instruments/${connection.payment_instrument}`, { enabled: false });
    if (!answer.isOk) throw new CommandError(`Finix refused it: ${refusalOf(answer).message}`);
    return 'disabled at Finix, which sends its webhook';
  }
  const item = await findItem(storage.db, connection.item_id);
  const access_token = item && accessTokenOf(createSecrets(config.encryptionKeys), item);
  if (!access_token) throw new CommandError(`${connection.id} has no Item any more.`);
  const { fires } = EVENTS[event] ?? {};
  const status = { verified: 'automatically_verified', verification_expired: 'verification_expired' }[event];
  const answer =
    event === 'login_broken'
      ? await plaid('/sandbox/item/reset_login', { access_token })
      : status !== undefined
        ? await plaid('/sandbox/item/set_verification_status', {
            access_token,
            account_id: connection.plaid_account_id,
            verification_status: status,
          })
        : fires !== undefined
          ? await plaid('/sandbox/item/fire_webhook', { access_token, webhook_code: fires })
          : undefined;
  if (!answer) throw new CommandError(`The sandboxes cannot do ${event}; the simulator can.`);
  if (!answer.isOk) {
    const { code, message } = refusalOf(answer);
    throw new CommandError(`Plaid refused it: ${code} ${message} (request ${answer.requestId ?? 'unknown'})`);
  }
  return `Plaid sends its webhook (request ${answer.requestId ?? 'unknown'})`;
}
