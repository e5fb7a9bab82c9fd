import { parseArgs } from 'node:util';
import { SCENARIOS, SIMULATOR_CREDENTIALS, startSimulator } from './index.ts';

/**
 * The simulator as a process of its own, for `finix-bank-connect-server simulator`, which describes the options. Ends
 * at SIGINT and SIGTERM.
 */
const OPTIONS = {
  port: { type: 'string', default: '4010' },
  scenario: { type: 'string' },
  'later-ms': { type: 'string' },
  'finix-webhook-url': { type: 'string' },
  'finix-webhook-secret': { type: 'string' },
  quiet: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

/** As the command line reports wrong arguments. */
const USAGE = 2;

class UsageError extends Error {}

async function main(): Promise<void> {
  const { quiet, json, scenario, ...options } = readOptions();
  const running = await startSimulator(options);
  const { simulator, url, plaidUrl, finixUrl, linkScriptUrl, controlUrl, close } = running;
  if (scenario !== undefined) simulator.settings.username = scenario;
  if (!quiet) {
    simulator.on('step', ({ at, service, what, status, ms, problem }) => {
      const outcome = status ?? (problem ? `not delivered: ${problem}` : 'no answer');
      process.stderr.write(`${at.slice(11, 23)} ${service} ${what} ${outcome} ${ms} ms\n`);
    });
  }
  const { plaid, finix } = SIMULATOR_CREDENTIALS;
  process.stdout.write(
    json
      ? `${JSON.stringify({ url, plaidUrl, finixUrl, linkScriptUrl, controlUrl, plaid, finix })}\n`
      : `Plaid, Link and Finix are simulated at ${url}. Start the server with these settings:

  PLAID_ENV=sandbox
  PLAID_BASE_URL=${plaidUrl}
  PLAID_CLIENT_ID=${plaid.clientId}
  PLAID_SECRET=${plaid.secret}
  FINIX_ENV=sandbox
  FINIX_BASE_URL=${finixUrl}
  FINIX_USERNAME=${finix.username}
  FINIX_PASSWORD=${finix.password}

Load this script in the page before the element: ${linkScriptUrl}
Steer it over HTTP at ${controlUrl}. Press Ctrl+C to stop.
`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      close().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
    });
  }
}

function readOptions() {
  let values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];
  try {
    ({ values } = parseArgs({ options: OPTIONS }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { scenario, quiet, json } = values;
  const port = wholeNumber('port', values.port, 65_535);
  if (scenario !== undefined && !SCENARIOS.some(({ username }) => username === scenario)) {
    throw new UsageError(`--scenario must be one of ${SCENARIOS.map(({ username }) => username).join(', ')}.`);
  }
  const webhookUrl = values['finix-webhook-url'];
  const secret = values['finix-webhook-secret'];
  if ((webhookUrl === undefined) !== (secret === undefined)) {
    throw new UsageError('--finix-webhook-url and --finix-webhook-secret go together.');
  }
  if (webhookUrl !== undefined && !URL.canParse(webhookUrl)) throw new UsageError('--finix-webhook-url must be a URL.');
  const later = values['later-ms'];
  return {
    ...{ port, quiet, json, scenario },
    // A year: no one waits longer.
    ...(later === undefined ? {} : { laterMs: wholeNumber('later-ms', later, 365 * 24 * 3600_000) }),
    ...(webhookUrl !== undefined && secret !== undefined ? { finixWebhook: { url: webhookUrl, secret } } : {}),
  };
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value > most) {
    throw new UsageError(`--${name} must be a whole number from 0 to ${most}.`);
  }
  return value;
}

function fail(error: unknown): void {
  const { code, message, stack, port } = error as { code?: string; message?: string; stack?: string; port?: number };
  // The program that has started this one with `--json` names its own option.
  const remedy = process.argv.includes('--json') ? '.' : ': choose another one with --port.';
  const isBusy = code === 'EADDRINUSE';
  process.stderr.write(
    `${isBusy ? `Port ${port} is in use by another process${remedy}` : error instanceof UsageError ? message : stack}\n`,
  );
  process.exit(error instanceof UsageError ? USAGE : 1);
}

main().catch(fail);
