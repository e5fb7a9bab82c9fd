import type { Hono } from 'hono';
import { createFinixClient, type FinixClient } from './clients/finix.ts';
import { type Observer, readDate, type Tap } from './clients/outbound.ts';
import { createPlaidClient, type PlaidClient } from './clients/plaid.ts';
import { createProviderProblems } from './clients/provider-problems.ts';
import type { Config } from './config.ts';
import { type BankConnector, createBankConnector } from './connect/bank-connector.ts';
import { watchHistory } from './connect/doubt.ts';
import { createInstitutionLogos } from './connect/institution-logos.ts';
import { createOwnerChecks } from './connect/ownership.ts';
import { createDeliveries } from './deliveries/deliveries.ts';
import { createMerchantWebhooks, type MerchantWebhookOptions } from './deliveries/send.ts';
import type { Provider } from './errors.ts';
import { createApp, type DocsBundle, type ScriptBundle } from './http/app.ts';
import type { AppEnv } from './http/context.ts';
import { createMetricsApp } from './http/routes/health.ts';
import { archiveScripts } from './http/script-archive.ts';
import { createJobs, type Jobs } from './jobs/jobs.ts';
import { applyReturns } from './lifecycle/account-returns.ts';
import { createConnectionTasks } from './lifecycle/connection-tasks.ts';
import { type ReconcileOptions, type ReconcileReport, reconcile } from './lifecycle/reconcile.ts';
import type { Logger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { createBacklog } from './records/backlog.ts';
import { createOutbox } from './records/outbox.ts';
import { createProviderCalls } from './records/provider-calls.ts';
import type { Unit } from './records/unit.ts';
import { assertKeys } from './storage/check-keys.ts';
import type { Storage } from './storage/open.ts';
import { createSecrets } from './storage/secrets.ts';
import type { ConnectionTable } from './storage/tables.ts';
import { enableTracing } from './trace.ts';
import { createInbound } from './webhooks/receive.ts';
import { AgreedClock } from './work/agreed-clock.ts';
import { TIMING, type Timing } from './work/timing.ts';

export interface AssembleOptions {
  config: Config;
  storage: Storage;
  log: Logger;
  /** Of this package; shown in the contract and in the pinned script's address. */
  version: string;
  script?: ScriptBundle | undefined;
  docs?: DocsBundle | undefined;
  /** False: a load balancer is to send no more; everything still works. True when left out. */
  isReady?: () => boolean;
  isStopping?: () => boolean;
  /** Milliseconds after which a call to Plaid or Finix is given up; each client's own when left out. */
  timeoutMs?: number;
  /** Milliseconds; the setting's when left out. */
  quietMs?: number;
  /** Milliseconds that `complete` waits for an outcome. */
  answerWithinMs?: number;
  /** Other waiting times than the usual ones. */
  timing?: Partial<Timing>;
  /** Is shown each request to Plaid and Finix, and its answer, without credentials and with tokens. */
  tap?: Tap | undefined;
  /** Puts something between the server and its upstreams, for tests that stop a process at a named point. */
  wrapClients?: (clients: Clients) => Clients;
  /** How webhooks to the merchant are sent; as in production when left out. */
  merchantWebhooks?: MerchantWebhookOptions;
}

export interface Clients {
  plaid: PlaidClient;
  finix: FinixClient;
}

export interface AssembledServer {
  app: Hono<AppEnv>;
  /** For METRICS_PORT: the metrics alone, without a credential. */
  metricsApp: Hono<AppEnv>;
  connector: BankConnector;
  jobs: Jobs;
  plaid: PlaidClient;
  /** See reconcile.ts. */
  reconcile(options: ReconcileOptions): Promise<ReconcileReport>;
}

/**
 * Puts the parts together over an open storage. Starts nothing: the caller serves `app` and starts `jobs`.
 * @throws StorageSetupError when the storage was written with another encryption key
 */
export async function assembleServer(options: AssembleOptions): Promise<AssembledServer> {
  const { config, storage, log, version, script, docs, timeoutMs, tap, wrapClients = (clients) => clients } = options;
  const secrets = createSecrets(config.encryptionKeys);
  await assertKeys(storage, secrets);
  if (script) await archiveScripts(storage, script);
  const metrics = createMetrics(() => connector.inFlight, createBacklog({ storage }));
  storage.onCommit.add(({ action, code }) => metrics.changed(action, code));
  const calls = createProviderCalls({ storage });
  const providerProblems = createProviderProblems();
  if (await enableTracing()) log.debug('@opentelemetry/api is installed: steps and calls are spans');
  const observe =
    (service: Provider): Observer =>
    (observed) => {
      const { call, outcome, seconds, error } = observed;
      metrics.upstream(service, call, outcome, seconds);
      calls.note(service, observed);
      providerProblems.note(service, call, error, outcome === 'ok');
      // Every call passes here: an error that refers to the log refers to this line, however the work ends.
      if (error?.failure === 'misconfigured' || error?.failure === 'unexpected') {
        const { failure, code, details } = error;
        log.error({ service, call, failure, code, ...details }, 'upstream call rejected: operator action needed');
      }
    };
  const clock = new AgreedClock(storage, log, async () => {
    const ask = async (service: Provider) => clock.note(service, await readDate(config[service].baseUrl, config.proxy));
    await Promise.all([ask('finix'), ask('plaid')]);
  });
  const { plaid, finix } = wrapClients({
    plaid: createPlaidClient(config.plaid, {
      proxy: config.proxy,
      timeoutMs,
      observe: observe('plaid'),
      tap,
      onDate: (date) => clock.note('plaid', date),
    }),
    finix: createFinixClient(config.finix, {
      proxy: config.proxy,
      timeoutMs,
      observe: observe('finix'),
      tap,
      onDate: (date) => clock.note('finix', date),
    }),
  });
  const quietMs = options.quietMs ?? config.finix.quietMs;
  const answerWithinMs = options.answerWithinMs ?? options.timing?.answerWithinMs ?? TIMING.answerWithinMs;
  const timing: Timing = { ...TIMING, ...options.timing, answerWithinMs };
  const outbox = createOutbox(config, secrets);
  const doubt = await watchHistory(storage, log);
  const owners = createOwnerChecks({ storage, secrets, plaid, outbox, log });
  const deps = {
    ...{ config, storage, clock, secrets, plaid, finix, quietMs, timing, outbox, log, owners, doubt },
    applyReturns: (unit: Unit, connection: ConnectionTable) =>
      applyReturns(unit, connection, config.returns, 'adopted'),
  };
  const connector = createBankConnector({ ...deps, metrics });
  const tasks = createConnectionTasks(deps);
  const inbound = createInbound({ ...deps, connector, tasks });
  const webhooks =
    config.merchantWebhook && createMerchantWebhooks(config.merchantWebhook, config, options.merchantWebhooks);
  const deliveries = createDeliveries({ config, storage, secrets, log, timing, webhooks, observe: metrics.delivery });
  const hasMerchantWebhook = webhooks !== undefined;
  const jobs = createJobs({ ...deps, connector, tasks, inbound, deliveries, calls, hasMerchantWebhook });
  const { isReady = () => true, isStopping = () => false } = options;
  const app = createApp({
    ...deps,
    connector,
    logos: createInstitutionLogos(plaid),
    tasks,
    inbound,
    deliveries,
    metrics,
    providerProblems,
    version,
    script,
    docs,
    isReady,
    isStopping,
  });
  return {
    app,
    metricsApp: createMetricsApp(metrics),
    connector,
    jobs,
    plaid,
    reconcile: (how) => reconcile({ ...deps, tasks }, how),
  };
}
