import { randomBytes } from 'node:crypto';
import { lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { type BuiltSimulator, providerSettings, startBuiltSimulator } from './built-program.ts';
import { type AddCommand, type CommandContext, CommandError, wholeNumber } from './command.ts';
import { serve } from './serve.ts';

/** Next to the simulator's, and none that a framework's development server takes. */
const DEFAULT_PORT = 4000;
const DEFAULT_SIMULATOR_PORT = 4010;
/** Of Next.js, Vite's preview, Vite and SvelteKit, Angular, Python's http.server, and everything else. */
const PAGE_PORTS = [3000, 4173, 5173, 4200, 8000, 8080];

/** The same at every start, so that a terminal that has it keeps working: it opens nothing but a simulator. */
const MERCHANT_API_KEY = 'simulator-merchant-key-not-for-production';
const MERCHANT_WEBHOOK_SECRET = `whsec_${Buffer.from('simulator-webhook-secret-for-dev').toString('base64')}`;
const FINIX_WEBHOOK_SECRET = 'simulator-finix-webhook-secret';

/** A person's own choices; every other setting would lead to real providers, or to data that is to be kept. */
const TAKEN = new Set([
  ...['ALLOWED_ORIGINS', 'LOG_LEVEL', 'MERCHANT_API_KEY', 'MERCHANT_WEBHOOK_URL', 'MERCHANT_WEBHOOK_SECRET'],
  ...['PLAID_CLIENT_NAME', 'PLAID_CONSENTED_PRODUCTS', 'PLAID_REDIRECT_URI', 'FINIX_QUIET_SECONDS', 'HOSTED_LINK'],
  ...['PUBLIC_SESSIONS', 'PUBLIC_PURPOSE', 'PUBLIC_AUTHORIZATION_TEXT', 'PUBLIC_AUTHORIZATION_VERSION'],
  ...['REPAIR_LINKS', 'LINKS_PAGE', 'NATIVE_APPS', 'OWNERSHIP_CHECK', 'DEBIT_CHECK', 'CHECK_TIMEOUT_SECONDS'],
  ...['RETURNS', 'CHANGED_BANK_DAYS'],
]);

interface Options {
  port: number;
  simulatorPort: number;
  quiet?: boolean;
  settings?: boolean;
}

export const addDev: AddCommand = (program, context) => {
  program
    .command('dev')
    .summary('run the server on a simulator, with no settings at all')
    .description(
      'Runs the server on a simulator of Plaid, Link and Finix, for the development of a page: with no account, no settings and no network. Prints what your back end and your page need. What it stores is gone when it ends.',
    )
    .option('--port <number>', 'port of the server on this machine', readPort, DEFAULT_PORT)
    .option('--simulator-port <number>', 'port of the simulator', readPort, DEFAULT_SIMULATOR_PORT)
    .option('--quiet', 'no line for each call to the simulator')
    .option(
      '--settings',
      'print the settings of the running one for a shell: eval "$(finix-bank-connect-server dev --settings)" lets trigger, show and the other commands use it',
    )
    .addHelpText(
      'after',
      '\nOf the settings in the environment it takes ALLOWED_ORIGINS, LOG_LEVEL, MERCHANT_WEBHOOK_URL and others that do not lead\nto a provider or a database.',
    )
    .action(async (options: Options) => {
      if (options.settings) context.write(readSettingsFile(options.port));
      else await run(context, options);
    });
};

async function run(context: CommandContext, { port, simulatorPort, quiet }: Options): Promise<void> {
  const finixWebhook = `http://127.0.0.1:${port}/webhooks/finix`;
  const simulator = await startBuiltSimulator(context, [
    `--port=${simulatorPort}`,
    `--finix-webhook-url=${finixWebhook}`,
    `--finix-webhook-secret=${FINIX_WEBHOOK_SECRET}`,
    ...(quiet ? ['--quiet'] : []),
  ]).catch((error: unknown) => {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(
      `${error.message} If port ${simulatorPort} is in use, choose another with --simulator-port.`,
    );
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'finix-bank-connect-dev-'));
  let isListening = false;
  // `serve` ends the process by itself, once requests and work have come to their end.
  process.once('exit', () => {
    simulator.kill();
    rmSync(dataDir, { recursive: true, force: true });
    if (isListening) rmSync(settingsFile(port), { force: true });
  });
  const env = devSettings(context.env, { simulator, port, dataDir });
  try {
    await serve({ ...context, env }, { isOnSimulator: true });
    isListening = true;
    // Never through a link or into a file that is there: another user of the machine may have made it.
    rmSync(settingsFile(port), { force: true });
    writeFileSync(settingsFile(port), toExports(env), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    await simulator.stop();
    const { cause } = error as Error;
    if ((cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE')
      throw new CommandError(`Port ${port} is in use: choose another one with --port.`);
    throw error;
  }
  context.write(welcome(env, simulator.linkScriptUrl));
}

/** A whole environment for the server: a person's choices, completed by what only a simulator allows. */
export function devSettings(
  given: CommandContext['env'],
  { simulator, port, dataDir }: { simulator: BuiltSimulator; port: number; dataDir: string },
): Record<string, string> {
  const choices = Object.entries(given).flatMap(([name, value]) =>
    TAKEN.has(name) && value?.trim() ? [[name, value] as const] : [],
  );
  return {
    PLAID_CLIENT_NAME: 'Your shop',
    MERCHANT_API_KEY,
    ALLOWED_ORIGINS: PAGE_PORTS.flatMap((own) => [`http://localhost:${own}`, `http://127.0.0.1:${own}`]).join(','),
    // What goes wrong; what happens is in the simulator's lines.
    LOG_LEVEL: 'warn',
    ...(given['MERCHANT_WEBHOOK_URL']?.trim() ? { MERCHANT_WEBHOOK_SECRET } : {}),
    ...Object.fromEntries(choices),
    ...providerSettings(simulator),
    FINIX_WEBHOOK_SECRET,
    PUBLIC_URL: `http://localhost:${port}`,
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: dataDir,
    // Lives as long as the folder that it encrypts.
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    // In a terminal no balancer has to learn of the end first.
    SHUTDOWN_DELAY_SECONDS: '0',
  };
}

function welcome(env: Record<string, string>, linkScriptUrl: string): string {
  return `The server runs at ${env['PUBLIC_URL']}, on a simulator of Plaid, Link and Finix. Your back end needs

  export CONNECT_URL=${env['PUBLIC_URL']}
  export MERCHANT_API_KEY=${env['MERCHANT_API_KEY']}
${env['MERCHANT_WEBHOOK_URL'] === undefined ? '' : `  export MERCHANT_WEBHOOK_SECRET=${env['MERCHANT_WEBHOOK_SECRET']}\n`}
Your page needs the simulated Link, in its <head>; without it, the element loads Plaid’s:

  <script src="${linkScriptUrl}"></script>

Open your page at one of these addresses, or name its own in ALLOWED_ORIGINS:
  ${env['ALLOWED_ORIGINS']?.split(',').join(' ')}

In Link, any bank takes the user name user_good with the password pass_good. Press Ctrl+C to stop.
`;
}

/** One for each port and user, so that another terminal finds it. */
function settingsFile(port: number): string {
  return join(tmpdir(), `finix-bank-connect-dev-${userInfo().uid}-${port}.env`);
}

function readSettingsFile(port: number): string {
  const file = settingsFile(port);
  const stats = lstatSync(file, { throwIfNoEntry: false });
  // A shell runs what is in it, so it must be our own.
  const isOwn = stats?.isFile() && (process.getuid === undefined || stats.uid === process.getuid());
  if (isOwn) return readFileSync(file, 'utf8');
  throw new CommandError(`No server of \`finix-bank-connect-server dev --port ${port}\` runs on this machine.`);
}

function toExports(env: Record<string, string>): string {
  const quoted = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;
  return Object.entries(env)
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    .join('');
}

function readPort(text: string): number {
  const port = wholeNumber(text);
  if (!(port >= 1 && port <= 65_535)) {
    throw new InvalidArgumentError('It must be a whole number from 1 to 65535.');
  }
  return port;
}
