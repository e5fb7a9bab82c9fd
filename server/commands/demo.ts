import { runBuiltProgram } from './built-program.ts';
import type { AddCommand } from './command.ts';
import { toArgs } from './simulator.ts';

export const addDemo: AddCommand = (program, context) => {
  program
    .command('demo')
    .summary('show a shop whose customers pay by bank')
    .description(
      'Runs the demo: a shop, this server and the simulator, with no credentials and no network. With PLAID_CLIENT_ID, PLAID_SECRET, FINIX_USERNAME and FINIX_PASSWORD in the environment it uses the sandboxes of Plaid and Finix instead.',
    )
    .option('--port <number>', 'port of the shop; a busy one gives way to the next (default: 4173)')
    .option('--lan', 'also for phones in the same network, with the simulator only; no password protects it')
    .option('--host <address>', 'the same at one of the addresses of this machine')
    .action(async (options: { port?: string; lan?: boolean; host?: string }) => {
      context.exitCode = await runBuiltProgram(context, 'demo/serve.js', toArgs({ ...options }));
    });
};
