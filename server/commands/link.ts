import { InvalidArgumentError, Option } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import { z } from 'zod';
import { OWNERSHIP_CHECKS } from '../settings/table.ts';
import { PURPOSES } from '../storage/statuses.ts';
import { type AddCommand, UsageError, wholeNumber } from './command.ts';
import { merchantApi, withServerOption } from './merchant-api.ts';

interface Options {
  url?: string;
  customer: string;
  connection?: string;
  purpose?: string;
  firstName?: string;
  lastName?: string;
  email?: string;
  expiresInDays?: number;
  returnUrl?: string;
  language?: string;
  ownership?: string;
  finixIdentity?: string;
  merchantId?: string;
  merchantName?: string;
  qr?: boolean;
  json?: boolean;
}

const link = z.object({ id: z.string(), url: z.string(), expires_at: z.string() });

export const addLink: AddCommand = (program, context) => {
  const command = program
    .command('link')
    .summary('make an address that a customer connects a bank at')
    .description(
      'Makes a link: an address of this server that you send to one customer, who connects a bank there. The address is printed once and is never stored.',
    )
    .requiredOption('--customer <id>', 'your id of the customer')
    .option('--connection <id>', 'a connection to repair, in place of a new one')
    .addOption(new Option('--purpose <purpose>', 'whether the account is debited or paid').choices(PURPOSES))
    .option('--first-name <name>', 'of the customer')
    .option('--last-name <name>', 'of the customer')
    .option('--email <address>', 'of the customer')
    .option('--expires-in-days <days>', 'from 1 to 21 (default: 7)', readDays)
    .option('--return-url <address>', 'where the page leads to when the bank is connected')
    .option('--language <tag>', 'of the page, such as es')
    .addOption(
      new Option('--ownership <check>', 'of the account’s owner (default: the setting’s)').choices(OWNERSHIP_CHECKS),
    )
    .option('--finix-identity <id>', 'of a seller, for a settlement')
    .option('--merchant-id <id>', 'of a platform: the merchant who asks')
    .option('--merchant-name <name>', 'the name that the customer sees')
    .option('--qr', 'print the QR code of the address to the output')
    .option('--no-qr', 'show no QR code')
    .option('--json', 'print the answer as JSON');
  withServerOption(command).action(async (options: Options) => {
    const identity = defined({ first_name: options.firstName, last_name: options.lastName, email: options.email });
    const { merchantId: id, merchantName: name } = options;
    if ((id === undefined) !== (name === undefined)) {
      throw new UsageError('A merchant has both --merchant-id and --merchant-name.');
    }
    const { body } = await merchantApi(context, options.url).call(
      'POST',
      '/v1/links',
      defined({
        customer_id: options.customer,
        connection: options.connection,
        purpose: options.purpose,
        identity: Object.keys(identity).length > 0 ? identity : undefined,
        expires_in_days: options.expiresInDays,
        return_url: options.returnUrl,
        language: options.language,
        ownership: options.ownership,
        finix_identity: options.finixIdentity,
        merchant: id === undefined ? undefined : { id, name },
      }),
    );
    if (options.json) return context.write(`${JSON.stringify(body)}\n`);
    const made = link.parse(body);
    context.write(`${made.url}\n`);
    // For the person at the terminal, unless a file or a program is to have it: a pipe reads the address alone.
    const show = options.qr ? context.write : context.note;
    context.note(`${made.id}, until ${made.expires_at}. The address is shown only here.\n`);
    if (options.qr !== false) show(`${renderUnicodeCompact(made.url)}\n`);
  });
};

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function readDays(text: string): number {
  const days = wholeNumber(text);
  if (Number.isNaN(days)) throw new InvalidArgumentError('It must be a whole number of days.');
  return days;
}
