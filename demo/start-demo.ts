import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tap } from '../server/clients/outbound.ts';
import type { Config } from '../server/config.ts';
import { connectServer, forwardTo } from './server/connect-server.ts';
import { atLoopback, listen } from './server/listen.ts';
import { createMerchantApi } from './server/merchant-api.ts';
import { createPresenter } from './server/presenter.ts';
import { readShopPages } from './server/read-pages.ts';
import { Recorder } from './server/recorder.ts';
import { createShop } from './server/shop-app.ts';
import { Visits } from './server/visits.ts';
import { watchSimulator } from './server/watch-simulator.ts';
import { DemoSettingsError, demoConfig, usesSandboxes } from './settings.ts';
import { type Deliver, type RunningSimulator, SIMULATOR_CREDENTIALS, startSimulator } from './simulator/index.ts';

/**
 * The simulated providers answer within two seconds, the slowest scenario included, or never: no need to let a
 * salesperson wait for the 30 s and two minutes that the real ones may take.
 */
const SIMULATED_TIMEOUT_MS = 4_000;
/** Outlasts two upstream timeouts, as the lease of 75 s does in production. */
const SIMULATED_LEASE_MS = 2 * SIMULATED_TIMEOUT_MS + 1_000;
const SIMULATED_QUIET_SECONDS = '5';
/** The simulator asks for one, and looks no further. */
const SIMULATED_MERCHANT = 'MUsimulated';

export interface DemoOptions {
  /** Of the shop; 0 takes a free one, a busy one gives way to the next. */
  port?: number;
  /**
   * An address of this machine at which other devices of its network reach the demo, too; loopback only when left out.
   */
  host?: string;
  /** The credentials in it decide between simulator and sandboxes. */
  env?: Record<string, string | undefined>;
  /** Another shop's settings, for tests. */
  adjust?: (config: Config) => void;
  /** What the connect server runs in, for tests; a process of its own when left out. */
  runConnectServer?: typeof connectServer;
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
 * As in real life: the merchants' shop, the connect server in a process of its own over a fresh database, and the
 * simulator in the place of Plaid and Finix, each with an address on loopback. Nothing leaves this machine, unless the
 * environment has sandbox credentials.
 * @throws DemoSettingsError and ConfigError with what to change
 */
export async function startDemo({
  port = 0,
  host,
  env = {},
  adjust = () => {},
  runConnectServer = connectServer,
}: DemoOptions = {}): Promise<RunningDemo> {
  const sandboxes = usesSandboxes(env);
  if (host !== undefined && sandboxes) {
    throw new DemoSettingsError(
      'With credentials the demo listens on this machine only: in a network its pages have no password and no TLS. Leave out --lan, or the credentials.',
    );
  }
  const cleanUp: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of cleanUp.splice(0)) await step();
  };
  try {
    const { dist, version } = await builtFiles();
    const pages = await readShopPages(join(dist, 'demo'));
    const dataDir = await mkdtemp(join(tmpdir(), 'finix-bank-connect-demo-'));
    cleanUp.unshift(() => rm(dataDir, { recursive: true, force: true }));
    const shop = await listen(port, host);
    cleanUp.unshift(shop.close);
    const connect = await listen(0, host);
    cleanUp.unshift(connect.close);
    const visits = new Visits();
    const recorder = new Recorder(visits);
    // Plaid's webhooks go to the server's public address, and the simulator brings them to this machine only.
    const deliver: Deliver = (url, init) =>
      fetch(url.replace(connect.url, connect.localUrl), { ...init, redirect: 'manual' });
    const simulator = sandboxes ? undefined : await startSimulator(host === undefined ? {} : { deliver });
    if (simulator) cleanUp.unshift(() => simulator.close());
    const linkUrl = simulator && (host === undefined ? simulator.url : await shareLink(simulator, host, cleanUp));

    const merchantKey = randomBytes(24).toString('base64url');
    const webhookSecret = `whsec_${randomBytes(24).toString('base64')}`;
    const finixSecret = randomBytes(24).toString('base64url');
    const addresses = {
      shop: shop.localUrl,
      connect: connect.localUrl,
      dataDir,
      merchantKey,
      webhookSecret,
      isSimulated: !sandboxes,
    };
    const given = simulator ? { LOG_LEVEL: env['LOG_LEVEL'], ...simulated(simulator, finixSecret) } : env;
    const config = demoConfig(given, addresses);
    // Not by its setting, which takes no address that Plaid itself would refuse.
    // In a network it would take none at all without https, so that a bank's page there opens in a window of its own.
    if (simulator && host === undefined) config.plaid.redirectUri = `${shop.url}/coffee`;
    if (host !== undefined) {
      // Nor by theirs: http in a network is nothing that the server takes from its settings, simulator or not.
      config.publicUrl = connect.url;
      config.allowedOrigins.push(shop.url);
    }
    adjust(config);
    const timeoutMs = simulator ? SIMULATED_TIMEOUT_MS : undefined;
    const settings = {
      config,
      bundle: join(dist, 'cdn'),
      version,
      timeoutMs,
      isLocal: simulator !== undefined,
      leaseMs: simulator ? SIMULATED_LEASE_MS : undefined,
    };
    // The simulator knows its calls itself.
    const server = runConnectServer(
      join(dist, 'demo', 'connect-process.js'),
      settings,
      simulator ? undefined : recordTo(recorder),
    );
    cleanUp.unshift(() => server.stop());
    const replaced = simulator && linkUrl && host !== undefined ? ([simulator.url, linkUrl] as const) : undefined;
    connect.answerRaw(forwardTo(server, recorder, merchantKey, replaced));
    await server.start();
    const finix = { ...config.finix, merchant: simulator ? SIMULATED_MERCHANT : env['DEMO_FINIX_MERCHANT'] };
    const api = createMerchantApi({
      connectUrl: connect.localUrl,
      merchantKey,
      finix,
      recorder: simulator ? undefined : recorder,
    });
    const presenter = createPresenter({ simulator: simulator?.simulator, visits, api, server });
    if (simulator) {
      simulator.simulator.webhooks.settings.finix = { url: `${connect.localUrl}/webhooks/finix`, secret: finixSecret };
      watchSimulator(simulator, visits, recorder, presenter.instrumentIsAskedFor);
    }
    const facts = { connectUrl: connect.url, linkScriptUrl: linkUrl && `${linkUrl}/link/link-initialize.js` };
    const { fetch: answer } = createShop({
      ...facts,
      pages,
      api,
      visits,
      presenter,
      webhookSecret,
      mode: sandboxes ? 'sandboxes' : 'simulator',
      shownKey: sandboxes ? undefined : merchantKey,
    });
    shop.answerWith(atLoopback(answer));
    return { url: shop.url, connectUrl: connect.url, simulator, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Lets the network see the simulator's Link, which runs in browsers, and neither its providers nor what steers it.
 * @returns where it is
 */
async function shareLink(
  { simulator }: RunningSimulator,
  host: string,
  cleanUp: (() => Promise<unknown>)[],
): Promise<string> {
  const shared = await listen(0, host);
  cleanUp.unshift(shared.close);
  shared.answerWith((request) =>
    new URL(request.url).pathname.startsWith('/link/')
      ? simulator.app.fetch(request)
      : new Response(null, { status: 404 }),
  );
  return shared.url;
}

function recordTo(recorder: Recorder): Tap {
  return ({ service, ...request }) => {
    const sent = recorder.sent({ from: 'connect', to: service, headers: {}, ...request });
    return (answer) => sent.ended({ headers: {}, ...answer });
  };
}

function simulated({ plaidUrl, finixUrl }: RunningSimulator, finixSecret: string): Record<string, string> {
  const { plaid, finix } = SIMULATOR_CREDENTIALS;
  return {
    PLAID_CLIENT_ID: plaid.clientId,
    PLAID_SECRET: plaid.secret,
    PLAID_BASE_URL: plaidUrl,
    FINIX_USERNAME: finix.username,
    FINIX_PASSWORD: finix.password,
    FINIX_BASE_URL: finixUrl,
    FINIX_QUIET_SECONDS: SIMULATED_QUIET_SECONDS,
    FINIX_WEBHOOK_SECRET: finixSecret,
  };
}

/** The build's output, from its own folder (`dist/demo`) as well as from the sources beside it. */
async function builtFiles(): Promise<{ dist: string; version: string }> {
  const here = dirname(fileURLToPath(import.meta.url));
  const project = existsSync(join(here, '..', 'package.json')) ? join(here, '..') : join(here, '..', '..');
  const dist = join(project, 'dist');
  for (const file of ['demo/index.html', 'demo/connect-process.js', 'cdn/finix-bank-connect.js']) {
    if (!existsSync(join(dist, file))) throw new DemoSettingsError(`dist/${file} is not there. Run: npm run build`);
  }
  const { version } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as { version: string };
  return { dist, version };
}
