import { networkInterfaces } from 'node:os';
import { parseArgs } from 'node:util';
import { ConfigError } from '../server/config.ts';
import { networkAddress, requireOwnAddress } from './server/network.ts';
import { DemoSettingsError } from './settings.ts';
import { startDemo } from './start-demo.ts';

const DEFAULT_PORT = 4173;
const HELP = `The demo of finix-bank-connect: a shop whose customers pay by bank

  npm run demo                    start it; needs no credentials and no network
  npm run demo -- --port 5000     on another port (${DEFAULT_PORT} otherwise); a busy one gives way to the next
  npm run demo -- --lan           also for phones in the same network, with the simulator only; no password protects it
  npm run demo -- --host address  the same at one of this machine's addresses, where it has several
  npm run demo -- --help          this text

With PLAID_CLIENT_ID, PLAID_SECRET, FINIX_USERNAME and FINIX_PASSWORD in the environment it uses the sandboxes of Plaid and Finix
instead of the simulator.
`;

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  lan: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Printed at a second request to stop: what runs is at a recovery point anyway, and its database goes with the demo.
 */
const IMPATIENT = 130;

/** Options that the command does not know; shells expect 2 for it. */
class UsageError extends DemoSettingsError {}

async function main(): Promise<void> {
  const { port, host, help } = options();
  if (help) return void process.stdout.write(HELP);
  const demo = await startDemo({ port, host, env: process.env });
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(IMPATIENT);
    stopping = true;
    demo.close().then(
      () => process.exit(0),
      (error: unknown) => {
        fail(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  if (process.env['npm_lifecycle_event']) whenParentEnds(stop);
  const providers = demo.simulator
    ? 'Plaid and Finix are simulated on this machine: nothing is real, nothing leaves it.'
    : 'It uses the real sandboxes of Plaid and Finix, with your credentials.';
  const others = host
    ? '  Every device in this network can open it, too. No password protects it: stop it after the meeting.\n'
    : '';
  process.stdout.write(`\n  Open ${demo.url}\n\n  ${providers}\n${others}  Press Ctrl+C to stop.\n\n`);
}

/** How long the demo may outlive npm: shorter than it takes to start it again. */
const PARENT_LOOK_MS = 500;

/** npm starts a shell, and passes a signal on to the shell alone. */
function whenParentEnds(stop: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, PARENT_LOOK_MS);
  timer.unref();
}

function options(): { port: number; host: string | undefined; help: boolean } {
  let values: { port?: string; host?: string; lan?: boolean; help?: boolean };
  try {
    ({ values } = parseArgs({ options: OPTIONS }));
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${HELP}`);
  }
  const port = Number(values.port ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError('--port must be a whole number from 0 (any free port) to 65535.');
  }
  if (values.help) return { port, host: undefined, help: true };
  const interfaces = networkInterfaces();
  const named = values.host === undefined ? undefined : requireOwnAddress(values.host, interfaces);
  return { port, host: named ?? (values.lan ? networkAddress(interfaces) : undefined), help: false };
}

function fail(error: unknown): void {
  const expected = error instanceof DemoSettingsError || error instanceof ConfigError;
  process.stderr.write(`${expected ? error.message : (error as Error).stack}\n`);
}

main().catch((error: unknown) => {
  fail(error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
