import { UpstreamError } from '../clients/outbound.ts';
import { createPlainCalls } from '../clients/plain-calls.ts';
import { type Config, loadProviderSettings } from '../config.ts';
import { providerSettings, startBuiltSimulator } from './built-program.ts';
import { type AddCommand, CommandError, EXIT } from './command.ts';
import { runSandboxFlow, type SandboxStep } from './sandbox-flow.ts';
import { plain } from './table.ts';

interface Options {
  simulator?: boolean;
  keep?: boolean;
  json?: boolean;
}

export const addSandbox: AddCommand = (program, context) => {
  program
    .command('sandbox')
    .summary('connect a test bank step by step, each call printed')
    .description(
      'Walks the Sandbox flow of Finix’s integration guide, from a link token to a payment instrument, and prints each call and its answer with secrets masked. Uses the sandboxes with your PLAID_… and FINIX_… settings, or a simulator. Disables and removes what it made. Exits with 1 when a step is refused.',
    )
    .option('--simulator', 'start a simulator for it: no settings and no network are needed')
    .option('--keep', 'leave the Item and the payment instrument as they are')
    .option('--json', 'one JSON object per step')
    .action(async ({ simulator, keep = false, json }: Options) => {
      const started = simulator ? await startBuiltSimulator(context) : undefined;
      try {
        const config = started
          ? loadProviderSettings({ PLAID_CLIENT_NAME: 'Simulator', ...providerSettings(started) })
          : loadProviderSettings(context.env);
        if (config.plaid.environment !== 'sandbox') throw new CommandError('It runs with PLAID_ENV=sandbox only.');
        let steps = 0;
        const report = (step: SandboxStep) => {
          steps += 1;
          context.write(json ? `${JSON.stringify(step)}\n` : toLines(steps, step));
        };
        if (!json) context.note(`At ${config.plaid.baseUrl} and ${config.finix.baseUrl}\n\n`);
        const isWell = await run(config, report, keep);
        if (!isWell) context.exitCode = EXIT.failed;
        if (!json) context.write(isWell ? 'Every step went well.\n' : 'A step was refused: see its remedy.\n');
      } finally {
        await started?.stop();
      }
    });
};

async function run(
  config: Pick<Config, 'plaid' | 'finix' | 'proxy'>,
  report: (step: SandboxStep) => void,
  keep: boolean,
): Promise<boolean> {
  try {
    return await runSandboxFlow(config, createPlainCalls(config), report, { keep });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const name = error.service === 'plaid' ? 'Plaid' : 'Finix';
    throw new CommandError(`${name} gave no answer to ${error.call} (${error.code}).`, EXIT.unreachable);
  }
}

function toLines(
  number: number,
  { title, call, request, status, request_id, ms, answer, remedy }: SandboxStep,
): string {
  return [
    `${number}. ${title}`,
    `   ${call} ${plain(JSON.stringify(request))}`,
    `   ${status} in ${ms} ms${request_id === null ? '' : `, request ${plain(request_id)}`} ${plain(JSON.stringify(answer))}`,
    ...(remedy === null ? [] : [`   -> ${remedy}`]),
    '',
    '',
  ].join('\n');
}
