import { runBuiltProgram } from './built-program.ts';
import type { AddCommand } from './command.ts';

interface Options {
  port?: string;
  scenario?: string;
  laterMs?: string;
  finixWebhookUrl?: string;
  finixWebhookSecret?: string;
  quiet?: boolean;
  json?: boolean;
}

export const addSimulator: AddCommand = (program, context) => {
  program
    .command('simulator')
    .summary('run the offline Plaid, Link and Finix')
    .description(
      'Runs the simulator of Plaid, Link and Finix on this machine: no account and no network are needed. Prints the settings that the server needs. Tests steer it over HTTP under /_control: docs/testing.md.',
    )
    .option('--port <number>', 'port on 127.0.0.1; 0 picks one (default: 4010)')
    .option('--scenario <username>', 'what happens to customers who name no other (default: user_good)')
    .option('--later-ms <number>', 'how long after connecting a scenario’s later event comes (default: 15000)')
    .option('--finix-webhook-url <address>', 'where Finix sends its webhooks: {PUBLIC_URL}/webhooks/finix')
    .option('--finix-webhook-secret <secret>', 'the key that signs them: FINIX_WEBHOOK_SECRET')
    .option('--quiet', 'no line for each call')
    .option('--json', 'print the addresses and credentials as one line of JSON')
    .action(async (options: Options) => {
      context.exitCode = await runBuiltProgram(context, 'simulator/serve.js', toArgs({ ...options }));
    });
};

/** The options that were given, as the other program reads them. */
export function toArgs(options: Record<string, string | boolean | undefined>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    // In one word: a value may begin with a dash.
    return value === undefined || value === false ? [] : [value === true ? flag : `${flag}=${value}`];
  });
}
