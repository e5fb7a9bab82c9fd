import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../server/config.ts';
import { startConnectServer } from './connect-server.ts';
import { createConnectApi } from './customers.ts';
import { listen } from './listen.ts';
import { DemoSettingsError, demoConfig, usesSandboxes } from './settings.ts';
import { createShop } from './shop.ts';
import { readShopPages } from './shop-pages.ts';
import { type RunningSimulator, SIMULATOR_CREDENTIALS, startSimulator } from './simulator/index.ts';
import { StepLog } from './steps.ts';

/**
 * The simulated providers answer within two seconds, the slowest scenario included, or never: no need to let a salesperson wait for the 30 s
 * and two minutes that the real ones may take.
 */
const SIMULATED_TIMEOUT_MS = 4_000;
const SIMULATED_QUIET_SECONDS = '5';

export interface DemoOptions {
  /** Of the shop; 0 takes a free one, a busy one gives way to the next. */
  port?: number;
  /** The credentials in it decide between simulator and sandboxes. */
  env?: Record<string, string | undefined>;
  /** Another shop's settings, for tests. */
  adjust?: (config: Config) => void;
}

export interface RunningDemo {
  /** The shop's address, the one to open. */
  url: string;
  connectUrl: string;
  /** Undefined when the real sandboxes are used. */
  simulator: RunningSimulator | undefined;
  /** Closes the listeners and removes what was stored. */
  close(): Promise<void>;
}

/**
 * Three listeners on loopback as in real life: the merchant's shop, the connect server over a fresh database, and the simulator in the place of
 * Plaid and Finix. Nothing leaves this machine, unless the environment has sandbox credentials.
 * @throws DemoSettingsError and ConfigError with what to change
 */
export async function startDemo({ port = 0, env = {}, adjust = () => {} }: DemoOptions = {}): Promise<RunningDemo> {
  const sandboxes = usesSandboxes(env);
  const cleanUp: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of cleanUp.splice(0)) await step();
  };
  try {
    const { dist, version } = await builtFiles();
    const pages = await readShopPages(join(dist, 'demo'));
    const dataDir = await mkdtemp(join(tmpdir(), 'finix-bank-connect-demo-'));
    cleanUp.unshift(() => rm(dataDir, { recursive: true, force: true }));
    const shop = await listen(port);
    cleanUp.unshift(shop.close);
    const connect = await listen(0);
    cleanUp.unshift(connect.close);
    const steps = new StepLog();
    const simulator = sandboxes ? undefined : await startSimulator();
    if (simulator) {
      cleanUp.unshift(() => simulator.close());
      simulator.simulator.on('step', ({ service, at: _simulated, ...step }) => {
        // What happens inside Link is the page's to tell.
        if (service !== 'link') steps.add({ actor: service, ...step });
      });
    }

    const merchantKey = randomBytes(24).toString('base64url');
    const addresses = { shop: shop.url, connect: connect.url, dataDir, merchantKey, isSimulated: !sandboxes };
    const config = demoConfig(simulator ? { LOG_LEVEL: env['LOG_LEVEL'], ...simulated(simulator) } : env, addresses);
    // Not by its setting, which takes no address that Plaid itself would refuse.
    if (simulator) config.plaid.redirectUri = shop.url;
    adjust(config);
    const timeoutMs = simulator ? SIMULATED_TIMEOUT_MS : undefined;
    const server = await startConnectServer({ config, steps, bundle: join(dist, 'cdn'), version, timeoutMs });
    cleanUp.unshift(server.stop);
    connect.answerWith(server.fetch);
    const api = createConnectApi(connect.url, merchantKey, steps);
    const facts = { connectUrl: connect.url, linkScriptUrl: simulator?.linkScriptUrl };
    shop.answerWith(createShop({ ...facts, pages, api, steps, simulated: !sandboxes }).fetch);
    return { url: shop.url, connectUrl: connect.url, simulator, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function simulated({ plaidUrl, finixUrl }: RunningSimulator): Record<string, string> {
  const { plaid, finix } = SIMULATOR_CREDENTIALS;
  return {
    PLAID_CLIENT_ID: plaid.clientId,
    PLAID_SECRET: plaid.secret,
    PLAID_BASE_URL: plaidUrl,
    FINIX_USERNAME: finix.username,
    FINIX_PASSWORD: finix.password,
    FINIX_BASE_URL: finixUrl,
    FINIX_QUIET_SECONDS: SIMULATED_QUIET_SECONDS,
  };
}

/** The build's output, from its own folder (`dist/demo`) as well as from the sources beside it. */
async function builtFiles(): Promise<{ dist: string; version: string }> {
  const here = dirname(fileURLToPath(import.meta.url));
  const project = existsSync(join(here, '..', 'package.json')) ? join(here, '..') : join(here, '..', '..');
  const dist = join(project, 'dist');
  for (const file of ['demo/index.html', 'cdn/finix-bank-connect.js']) {
    if (!existsSync(join(dist, file))) throw new DemoSettingsError(`dist/${file} is not there. Run: npm run build`);
  }
  const { version } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as { version: string };
  return { dist, version };
}
