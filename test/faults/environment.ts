import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { type FaultRule, type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import type { Connection } from '../../widget/contract.ts';
import type { OwnPostgres } from '../helpers/postgres.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { Cluster } from './cluster.ts';
import type { Control } from './controls.ts';
import { copyDatabase, type DatabaseCopy } from './copies.ts';
import { type CustomerOptions, connectBank, type Outcome, readConnections } from './customer.ts';
import { changeRows, type DatabaseSettings, openDatabase, type Store } from './database.ts';
import { checkSessions, isClean, type Verdict } from './oracle.ts';
import type { Random } from './random.ts';
import { checkScenarios, type MerchantEvent } from './scenario-oracle.ts';
import { ScenarioCustomer, type World } from './scenarios/customer.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { UpstreamView } from './scenarios/upstream-view.ts';
import { CALLS, INSTANCE_TIMES, LATE_COMMIT_MS, slowly } from './times.ts';
import { createWebhookDispatcher, type WebhookDispatcher } from './webhook-dispatcher.ts';

export interface EnvironmentOptions {
  store: Store;
  random: Random;
  postgres: OwnPostgres | undefined;
  instances: number;
  control?: Control | undefined;
  /** Another checkout whose server runs; this one when left out. */
  server?: string | undefined;
  /** The version that the first instances run instead; see FaultCase. */
  startsWith?: string;
  /** The server is expected to fail; true in any case with `control`. */
  isControl?: boolean;
  verbose?: boolean | undefined;
  /** A folder for the embedded database, made by the case itself. */
  dataDir?: string | undefined;
  /** See Evidence. */
  instancesSuffer?: boolean;
  listLagMs?: number;
  /**
   * How long commits can still be in flight when every customer has an answer; the latest that the faults make when
   * left out.
   */
  settleMs?: number;
  /** See Evidence. */
  identitiesMayDouble?: boolean;
  /** The providers send webhooks, and so does the server: for scenarios. `killsOneIn`: see DispatcherOptions. */
  webhooks?: { killsOneIn?: number };
  /** How long a customer waits, where it can take longer than usual. */
  patienceMs?: number;
  /** Makes the instrument's create call slow too, for faults that strike during it. Finix refuses no customer then. */
  slowInstruments?: boolean;
  /** Settings of the instances that differ from the usual ones. */
  settings?: Record<string, string>;
}

/** A customer waits longer than any fault here lasts; a customer without an outcome by then is lost. */
const PATIENCE_MS = slowly(45_000);
/** So that calls are in flight when a fault strikes a process. */
const LATENCY_MS = 15;
/**
 * How long duplicate instruments and unused Items may stay once the faults are over: the quiet period, its sweep, and a
 * busy machine, on which a call that is given up is tried again and again. Only what is wrong is waited for.
 */
const CALM_MS = 3 * INSTANCE_TIMES.quietMs + slowly(60_000);
/** A control is not expected to become clean; two sweeps are long enough for what it leaves. */
const CALM_OF_CONTROLS_MS = 3 * INSTANCE_TIMES.quietMs;
/** How long a condition of a scenario may take: an outage in it, the quiet period, and a busy machine. */
const CONDITION_MS = slowly(60_000);
const CONDITION_OF_CONTROLS_MS = slowly(8_000);
/** Nothing is in doubt any more when Finix is not asked for this long: repeated calls come once in a quiet period. */
const UNASKED_MS = INSTANCE_TIMES.quietMs + slowly(1_500);

/** The server's budget is 72 hours. */
const OVER_BUDGET_MS = 73 * 3600_000;

/** Only the path counts: the dispatcher chooses the instance. */
const PLAID_HOOK = 'http://localhost/webhooks/plaid';
const FINIX_HOOK = 'http://localhost/webhooks/finix';
const FINIX_SECRET = 'finix-webhook-secret-of-the-fault-suite';

/** One upstream, one database and the instances on it, for one case of the table or one round of it. */
export class Environment {
  readonly outcomes: Outcome[] = [];
  /** What the case itself found wrong, in words. */
  readonly problems: string[] = [];
  readonly #scenarios = new Map<ScenarioCustomer, Scenario>();
  #named = 0;

  private constructor(
    readonly options: EnvironmentOptions,
    readonly upstream: RunningSimulator,
    readonly view: UpstreamView,
    readonly cluster: Cluster,
    private readonly dispatcher: WebhookDispatcher,
    /** The merchant's endpoint; undefined without webhooks. */
    private readonly receiver: Receiver | undefined,
    public database: DatabaseSettings,
    private readonly cleanUp: (() => Promise<void>)[],
  ) {}

  static async open(options: EnvironmentOptions): Promise<Environment> {
    const cleanUp: (() => Promise<void>)[] = [];
    let cluster: Cluster | undefined;
    const dispatcher = createWebhookDispatcher({
      random: options.random,
      cluster: () => cluster as Cluster,
      simulator: () => upstream.simulator,
      isPrompt: (body) => view.isDeliveredAtOnce(body),
      ...options.webhooks,
    });
    const webhooks = options.webhooks && {
      deliver: dispatcher.deliver,
      finixWebhook: { url: FINIX_HOOK, secret: FINIX_SECRET },
    };
    const upstream: RunningSimulator = await startSimulator({ listLagMs: options.listLagMs ?? 0, ...webhooks });
    const view = new UpstreamView(upstream.simulator);
    cleanUp.push(() => upstream.close());
    const receiver = options.webhooks && (await startReceiver());
    if (receiver) cleanUp.push(() => receiver.close());
    const settings = receiver && {
      FINIX_WEBHOOK_SECRET: FINIX_SECRET,
      MERCHANT_WEBHOOK_URL: receiver.url,
      MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET,
      ...options.settings,
    };
    const database = await openDatabase(options, cleanUp);
    const { control, verbose } = options;
    const server = options.startsWith ?? options.server;
    const running = { upstream, database, settings, control, server, verbose };
    const started = await Cluster.start(running, options.instances);
    cluster = started;
    cleanUp.unshift(() => started.close());
    return new Environment(options, upstream, view, started, dispatcher, receiver, database, cleanUp);
  }

  get random(): Random {
    return this.options.random;
  }

  /** Of the embedded database. */
  get dataDir(): string {
    const { DATA_DIR: dataDir } = this.database;
    if (dataDir === undefined) throw new Error('PostgreSQL has no DATA_DIR');
    return dataDir;
  }

  get #isControl(): boolean {
    return this.options.control !== undefined || this.options.isControl === true;
  }

  /** See Evidence. */
  get #instancesSuffer(): boolean {
    const { instancesSuffer = false, webhooks } = this.options;
    return instancesSuffer || webhooks?.killsOneIn !== undefined || this.cluster.stalls > 0;
  }

  /** Another instance each time. */
  readonly anywhere = () => this.cluster.url((urls) => this.random.pick(urls));

  fault(...rules: FaultRule[]): void {
    for (const rule of rules) this.upstream.simulator.faults.add(rule);
  }

  /** Lets `count` customers connect their banks, `atOnce` at the same time. Every tenth is refused by Finix. */
  async connect(
    count: number,
    {
      atOnce = count,
      copies,
      url,
      ...customers
    }: { atOnce?: number; copies?: number; url?: () => string | undefined } & Partial<
      Pick<CustomerOptions, 'session' | 'login'>
    > = {},
  ): Promise<void> {
    const limit = pLimit(atOnce);
    const { slowInstruments = false } = this.options;
    for (const call of CALLS) {
      // The simulator's rules for all customers come before those of the customer whom Finix refuses.
      const isRefusal = call.path === '/payment_instruments' && !slowInstruments;
      if (!isRefusal) this.fault({ ...call, kind: 'delay', delayMs: LATENCY_MS });
    }
    const connecting = Array.from({ length: count }, () => {
      const number = this.#named++;
      return limit(async () => {
        const outcome = await connectBank({
          email: `customer-${number}@example.com`,
          kind: number % 10 === 9 && !slowInstruments ? 'is refused' : 'connects',
          url: url ?? this.anywhere,
          plaidUrl: this.upstream.plaidUrl,
          random: this.random,
          copies,
          ...customers,
          patienceMs: this.options.patienceMs ?? PATIENCE_MS,
        });
        this.outcomes.push(outcome);
      });
    });
    await Promise.all(connecting);
  }

  /** Lets `count` customers go through the scenarios in turn, `atOnce` at the same time. */
  async live(
    count: number,
    scenarios: readonly Scenario[],
    { atOnce = count, moments = {} }: { atOnce?: number | undefined; moments?: World['moments'] } = {},
  ): Promise<void> {
    const limit = pLimit(atOnce);
    const world: World = {
      upstream: this.view,
      plaidUrl: this.upstream.plaidUrl,
      finixUrl: this.upstream.finixUrl,
      webhook: PLAID_HOOK,
      url: this.anywhere,
      random: this.random,
      patienceMs: this.options.patienceMs ?? PATIENCE_MS,
      moments,
      conditionMs: this.#isControl ? CONDITION_OF_CONTROLS_MS : CONDITION_MS,
      exhaustBudget: (sessionId) => this.#exhaustBudget(sessionId),
    };
    const living = Array.from({ length: count }, () => {
      const number = this.#named++;
      const scenario = scenarios[number % scenarios.length];
      if (!scenario) throw new Error('there are no scenarios');
      const customer = new ScenarioCustomer(world, number, `customer-${number}@example.com`);
      this.#scenarios.set(customer, scenario);
      return limit(() => scenario.live(customer).finally(() => customer.leave()));
    });
    // All of them end, also when one fails: a customer who goes on would disturb the next case.
    for (const end of await Promise.allSettled(living)) if (end.status === 'rejected') throw end.reason;
    await this.upstream.simulator.webhooks.settled();
    const { undelivered } = this.dispatcher;
    if (undelivered > 0) throw new Error(`${undelivered} webhooks were accepted by no instance`);
  }

  /** The oracle's verdict once the faults are over. What is still wrong after the calm is wrong for good. */
  async verdict(): Promise<Verdict> {
    this.upstream.simulator.faults.clear();
    // Commits in flight come first, or a second instrument is not there yet when the oracle looks for it.
    await sleep(this.options.settleMs ?? LATE_COMMIT_MS);
    const end = performance.now() + (this.#isControl ? CALM_OF_CONTROLS_MS : CALM_MS);
    for (;;) {
      const found = await this.#check();
      const verdict = { ...found, lost: [...this.problems, ...found.lost] };
      if (isClean(verdict) && this.#scenarios.size > 0) return this.#checkUnasked(end, verdict);
      if (isClean(verdict) || performance.now() > end) return verdict;
      await sleep(200);
    }
  }

  async #check(): Promise<Verdict> {
    const customers = [...this.#scenarios.keys()];
    const connections = await this.#connections([...this.outcomes, ...customers].map(({ email }) => email));
    if (customers.length > 0) {
      return checkScenarios({
        upstream: this.view,
        scenarios: this.#scenarios,
        connections,
        unanswered: this.cluster.unanswered,
        instancesSuffer: this.#instancesSuffer,
        events: (this.receiver?.received ?? []).map(({ body }) => (body as { data: MerchantEvent }).data),
      });
    }
    return checkSessions({
      upstream: this.upstream.simulator.ledger,
      outcomes: this.outcomes,
      connections,
      instancesSuffer: this.#instancesSuffer,
      identitiesMayDouble: this.options.identitiesMayDouble ?? false,
      unanswered: this.cluster.unanswered,
    });
  }

  /** Once nothing is in doubt, Finix is not asked any more. */
  async #checkUnasked(end: number, clean: Verdict): Promise<Verdict> {
    const calls = () => this.upstream.simulator.ledger.calls().filter(({ service }) => service === 'finix');
    for (;;) {
      const before = calls().length;
      await sleep(UNASKED_MS);
      const asked = calls().slice(before);
      if (asked.length === 0) return this.#check();
      if (performance.now() < end) continue;
      const words = new Set(asked.map(({ method, path, query }) => `${method} ${path} ${JSON.stringify(query)}`));
      return { ...clean, lost: [...words].map((call) => `Finix is still asked though nothing is in doubt: ${call}`) };
    }
  }

  /**
   * Lets work on a session have taken longer than a server goes on with it. The worker that has the session is fenced
   * out, because it counts by itself; the next one reads the row.
   */
  async #exhaustBudget(sessionId: string): Promise<void> {
    const sets = `processing_since = processing_since - ${OVER_BUDGET_MS},
      lease_owner = null, lease_until = 0, next_at = 0, version = version + 1`;
    const change = (more: string) =>
      changeRows(this.database, `update sessions set ${sets}${more} where id = '${sessionId}'`);
    // The earlier version counts from the first column, and does not have this one.
    await change(`, waited_ms = ${OVER_BUDGET_MS}`).catch(() => change(''));
  }

  /** Takes a copy of the database while the instances use it. */
  copy(): Promise<DatabaseCopy> {
    return copyDatabase(this.database, this.options.postgres);
  }

  /**
   * Puts a copy in the place of the database; the instances are stopped before, or killed where the copy is a replica,
   * and start again.
   */
  async putBack(copy: DatabaseCopy, { isReplica = false } = {}): Promise<void> {
    await this.cluster.restart(isReplica ? 'SIGKILL' : 'SIGTERM', async () => {
      this.database = await copy.putBack(isReplica);
      return this.database;
    });
    copy.remove();
  }

  /** Compares the database with Plaid and Finix and fixes what differs; a version that can't do that does nothing. */
  async reconcile(): Promise<void> {
    const [instance] = this.cluster.instances;
    await instance?.send({ order: 'reconcile' });
  }

  async #connections(emails: string[]): Promise<Map<string, Connection[]>> {
    const url = () => this.cluster.url(([first = '']) => first);
    const limit = pLimit(16);
    const read = emails.map((email) =>
      limit(async (): Promise<[string, Connection[]]> => [email, (await readConnections(url, email)) ?? []]),
    );
    return new Map(await Promise.all(read));
  }

  async close(): Promise<void> {
    for (const step of this.cleanUp) await step();
  }
}
