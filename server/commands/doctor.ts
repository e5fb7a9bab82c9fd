import { createPlaidClient } from '../clients/plaid.ts';
import { type Config, ConfigError, loadConfig } from '../config.ts';
import { createMerchantWebhooks } from '../deliveries/send.ts';
import { type Check, fail, ok } from '../diagnosis/check.ts';
import { settingsHints } from '../diagnosis/hints.ts';
import { checkMerchantWebhook, checkRunningServer, checkStorage } from '../diagnosis/own-checks.ts';
import { checkPages } from '../diagnosis/page-check.ts';
import { checkFinixAndClock, checkIntegration, checkPlaid } from '../diagnosis/provider-checks.ts';
import { remedyForSetting, withoutRemedy } from '../settings/remedies.ts';
import { type AddCommand, EXIT } from './command.ts';
import { plain } from './table.ts';

interface Options {
  json?: boolean;
  webhook: boolean;
}

export const addDoctor: AddCommand = (program, context) => {
  program
    .command('doctor')
    .summary('check the settings, the providers and the way to this server')
    .description(
      'Checks everything that keeps a first bank from being connected, and prints for each finding what to do: settings, storage, Plaid (keys, products, redirect address, Finix integration), Finix, the clock, the running server at PUBLIC_URL, origins, webhooks. Exits with 1 when a check fails. In the Sandbox it makes a test Item and removes it; elsewhere it changes nothing.',
    )
    .option('--no-webhook', 'send no test event to MERCHANT_WEBHOOK_URL')
    .option('--json', 'print the result as JSON')
    .action(async ({ json, webhook }: Options) => {
      const checks: Check[] = [];
      const report = (found: Check[]) => {
        checks.push(...found);
        if (!json) for (const check of found) context.write(toLines(check));
      };
      const config = readConfig(context.env, report);
      if (config) await runChecks(config, webhook, report, json ? () => {} : context.note);
      const failed = checks.filter(({ status }) => status === 'fail').length;
      const [warned, skipped] = (['warn', 'skip'] as const).map(
        (kind) => checks.filter(({ status }) => status === kind).length,
      );
      if (failed > 0) context.exitCode = EXIT.failed;
      if (json) context.write(`${JSON.stringify({ ok: failed === 0, checks }, null, 2)}\n`);
      else context.write(`\n${checks.length} checks: ${failed} failed, ${warned} to look at, ${skipped} skipped.\n`);
    });
};

/** @returns undefined when the settings are wrong: nothing else can be tried with them */
function readConfig(env: Record<string, string | undefined>, report: (found: Check[]) => void): Config | undefined {
  try {
    const config = loadConfig(env);
    const { plaid, finix } = config;
    report([ok('settings', `The settings are complete: Plaid ${plaid.environment}, Finix ${finix.environment}.`)]);
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    report(error.problems.map((problem) => fail('settings', `${withoutRemedy(problem)}.`, remedyForSetting(problem))));
    return undefined;
  }
}

async function runChecks(
  config: Config,
  sendsWebhook: boolean,
  report: (found: Check[]) => void,
  note: (text: string) => void,
): Promise<void> {
  // What a check below finds out by trying is not guessed at here.
  const tried = new Set(['plaid_integration', ...(sendsWebhook && config.merchantWebhook ? ['merchant_webhook'] : [])]);
  report(settingsHints(config).filter(({ id }) => !tried.has(id)));
  report([await checkStorage(config)]);
  note('… Plaid and Finix\n');
  const deps = { config, plaid: createPlaidClient(config.plaid, { proxy: config.proxy }) };
  const plaid = await checkPlaid(deps);
  report(plaid);
  if (plaid.every(({ id, status }) => id !== 'plaid' || status === 'ok')) report(await checkIntegration(deps));
  report(await checkFinixAndClock(deps));
  note('… the running server\n');
  report(await checkRunningServer(config));
  report(await checkPages(config));
  if (sendsWebhook && config.merchantWebhook) {
    report([await checkMerchantWebhook(createMerchantWebhooks(config.merchantWebhook, config))]);
  }
}

const MARKS = { ok: 'ok  ', warn: 'LOOK', fail: 'FAIL', skip: '-   ' } as const;

function toLines({ id, status, detail, remedy }: Check): string {
  return `${MARKS[status]} ${id}: ${plain(detail)}\n${remedy === null ? '' : `     -> ${plain(remedy)}\n`}`;
}
