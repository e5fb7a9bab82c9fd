import { z } from 'zod';
import { createPlainCalls, type PlainCalls, refusalOf } from '../clients/plain-calls.ts';
import { isLocalUrl } from '../hosts.ts';
import { findItem } from '../records/items.ts';
import { GONE_CONNECTION } from '../storage/statuses.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { type AddCommand, CommandError, EXIT, UsageError } from './command.ts';
import { reasonOf } from './merchant-api.ts';
import { onSandbox } from './trigger-sandbox.ts';
import { type StorageCommand, withStorage } from './with-storage.ts';

const EVENTS: Readonly<Record<string, string>> = {
  login_broken: 'the login at the bank is no longer good',
  login_repaired: 'the customer signed in again elsewhere',
  permission_revoked: 'the customer takes the permission back',
  account_revoked: 'the customer takes one account back',
  account_opened: 'there is one more account at the login',
  numbers_changed: 'the bank gives the account another number',
  numbers_withheld: 'the account numbers are no longer shared (simulator only)',
  disconnect_announced: 'the consent ends in a week',
  verified: 'the small deposits have arrived',
  verification_expired: 'the small deposits were not confirmed in time',
  instruments_disabled: 'the payment instrument is disabled in Finix',
  debit_succeeded: 'a debit is paid (simulator only)',
  debit_failed: 'a debit is refused (simulator only)',
  debit_returned: 'a debit comes back, by --code (simulator only)',
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
        .map(([name, summary]) => `  ${name.padEnd(22)}${summary}`)
        .join('\n')}`,
    )
    .action((given: string, options: Options) => {
      const event = given.replaceAll('-', '_');
      if (!(event in EVENTS)) throw new UsageError(`There is no event ${given}. See: trigger --help`);
      if (!/^R\d\d$/.test(options.code)) throw new UsageError('--code must be a return code such as R01.');
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
  let query = storage.db.selectFrom('connections').selectAll().where('status', 'not in', GONE_CONNECTION);
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
