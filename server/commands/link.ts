import { InvalidArgumentError, Option } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import { z } from 'zod';
import type { AddCommand } from './command.ts';
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
    .addOption(new Option('--purpose <purpose>', 'whether the account is debited or paid').choices(['debit', 'payout']))
    .option('--first-name <name>', 'of the customer')
    .option('--last-name <name>', 'of the customer')
    .option('--email <address>', 'of the customer')
    .option('--expires-in-days <days>', 'from 1 to 21 (default: 7)', readDays)
    .option('--return-url <address>', 'where the page leads to when the bank is connected')
    .option('--language <tag>', 'of the page, such as es')
    .option('--qr', 'print the address as a QR code as well')
    .option('--json', 'print the answer as JSON');
  withServerOption(command).action(async (options: Options) => {
    const identity = defined({ first_name: options.firstName, last_name: options.lastName, email: options.email });
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
      }),
    );
    if (options.json) return context.write(`${JSON.stringify(body)}\n`);
    const { id, url, expires_at } = link.parse(body);
    context.write(`${url}\n`);
    if (options.qr) context.write(`${renderUnicodeCompact(url)}\n`);
    context.note(`${id}, until ${expires_at}. The address is shown only here.\n`);
  });
};

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function readDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days)) throw new InvalidArgumentError('It must be a whole number of days.');
  return days;
}
