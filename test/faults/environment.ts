import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { type FaultRule, type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import type { Connection } from '../../widget/contract.ts';
import type { TestPostgres } from '../helpers/postgres.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { Cluster } from './cluster.ts';
import type { Control } from './controls.ts';
import { connectBank, type Outcome, readConnections } from './customer.ts';
import { checkSessions, isClean, type Verdict } from './oracle.ts';
import type { Random } from './random.ts';
import { checkScenarios, itemOf, type MerchantEvent, type Scenario, scenarioOf, setEnabled } from './scenarios.ts';
import { CALLS, INSTANCE_TIMES, LATE_COMMIT_MS } from './times.ts';
import { createWebhookDispatcher, type WebhookDispatcher } from './webhook-dispatcher.ts';

export type Store = 'sqlite' | 'postgres';

export interface EnvironmentOptions {
  store: Store;
  random: Random;
  postgres: TestPostgres | undefined;
  instances: number;
  control?: Control | undefined;
  verbose?: boolean | undefined;
  /** A folder for the embedded database, made by the case itself. */
  dataDir?: string | undefined;
  /** See Evidence. */
  instancesSuffer?: boolean;
  listLagMs?: number;
  /** How long commits can still be under way when every customer has an answer; the latest that the faults make when left out. */
  settleMs?: number;
  /** See Evidence. */
  identitiesMayDouble?: boolean;
  /** The providers send webhooks, and so does the server: see webhook-cases.ts. `killsOneIn`: see DispatcherOptions. */
  webhooks?: { killsOneIn?: number };
  /** How long a customer waits, where it can take longer than usual. */
  patienceMs?: number;
  /** Makes the instrument's create call slow too, for faults that strike during it. Finix refuses no customer then. */
  slowInstruments?: boolean;
}

/** A customer waits longer than any fault here lasts; a customer without an outcome by then is lost. */
const PATIENCE_MS = 45_000;
/** So that calls are in flight when a fault strikes a process. */
const LATENCY_MS = 15;
/** How long surplus instruments and unused Items may stay once the faults are over: the quiet period, its sweep, and a busy machine. */
const CALM_MS = 3 * INSTANCE_TIMES.quietMs + 10_000;

/** A control is not expected to become clean; two sweeps are long enough for what it leaves. */
const CALM_OF_CONTROLS_MS = 3 * INSTANCE_TIMES.quietMs;

/** Only the path counts: the dispatcher chooses the instance. */
const PLAID_HOOK = 'http://localhost/webhooks/plaid';
const FINIX_HOOK = 'http://localhost/webhooks/finix';
const FINIX_SECRET = 'finix-webhook-secret-of-the-fault-suite';
/** Scenarios start within this time, so that they overlap without being in step. */
const SPREAD_MS = 1_000;
/** Between two events of one connection: shorter and longer than the server takes to handle the first. */
const PAUSE_MS = 300;

/** One upstream, one database and the instances on it, for one case of the table or one round of it. */
export class Environment {
  readonly outcomes: Outcome[] = [];
  readonly #scenarios = new Map<string, Scenario>();
  #named = 0;

  private constructor(
    readonly options: EnvironmentOptions,
    readonly upstream: RunningSimulator,
    readonly cluster: Cluster,
    private readonly dispatcher: WebhookDispatcher,
    /** The merchant's endpoint; undefined without webhooks. */
    private readonly receiver: Receiver | undefined,
    /** DATA_DIR; a folder that does not exist with PostgreSQL. */
    readonly dataDir: string,
    private readonly cleanUp: (() => Promise<void>)[],
  ) {}

  static async open(options: EnvironmentOptions): Promise<Environment> {
    const cleanUp: (() => Promise<void>)[] = [];
    let cluster: Cluster | undefined;
    const dispatcher = createWebhookDispatcher({
      random: options.random,
      cluster: () => cluster as Cluster,
      simulator: () => upstream.simulator,
      ...options.webhooks,
    });
    const webhooks = options.webhooks && {
      deliver: dispatcher.deliver,
      finixWebhook: { url: FINIX_HOOK, secret: FINIX_SECRET },
    };
    const upstream: RunningSimulator = await startSimulator({ listLagMs: options.listLagMs ?? 0, ...webhooks });
    cleanUp.push(() => upstream.close());
    const receiver = options.webhooks && (await startReceiver());
    if (receiver) cleanUp.push(() => receiver.close());
    const settings = receiver && {
      FINIX_WEBHOOK_SECRET: FINIX_SECRET,
      MERCHANT_WEBHOOK_URL: receiver.url,
      MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET,
    };
    let dataDir = options.dataDir ?? '/nonexistent';
    const database: Record<string, string> = {};
    if (options.store === 'postgres') {
      if (!options.postgres) throw new Error('there is no PostgreSQL');
      database['DATABASE_URL'] = await options.postgres.createDatabase();
    } else {
      if (options.dataDir === undefined) {
        const made = await mkdtemp(join(tmpdir(), 'fbc-faults-'));
        cleanUp.push(() => rm(made, { recursive: true, force: true }));
        dataDir = made;
      }
      database['DATA_DIR'] = dataDir;
    }
    const { control, verbose } = options;
    const started = await Cluster.start({ upstream, database, settings, control, verbose }, options.instances);
    cluster = started;
    cleanUp.unshift(() => started.close());
    return new Environment(options, upstream, started, dispatcher, receiver, dataDir, cleanUp);
  }

  get random(): Random {
    return this.options.random;
  }

  fault(...rules: FaultRule[]): void {
    for (const rule of rules) this.upstream.simulator.faults.add(rule);
  }

  /** Lets `count` customers connect their banks, `atOnce` at the same time. Every tenth is refused by Finix. */
  async connect(
    count: number,
    { atOnce = count, copies, url }: { atOnce?: number; copies?: number; url?: () => string | undefined } = {},
  ): Promise<void> {
    const limit = pLimit(atOnce);
    const anywhere = () => this.cluster.url((urls) => this.random.pick(urls));
    const { slowInstruments = false } = this.options;
    for (const call of CALLS) {
      // The simulator's rules for all customers come before those of the customer whom Finix refuses.
      const isRefusal = call.path === '/payment_instruments' && !slowInstruments;
      if (!isRefusal) this.fault({ ...call, kind: 'delay', delayMs: LATENCY_MS });
    }
    const connecting = Array.from({ length: count }, () => {
      const number = this.#named++;
      const email = `customer-${number}@example.com`;
      this.#scenarios.set(email, scenarioOf(number));
      return limit(async () => {
        const outcome = await connectBank({
          email,
          kind: number % 10 === 9 && !slowInstruments && !this.options.webhooks ? 'is refused' : 'connects',
          url: url ?? anywhere,
          plaidUrl: this.upstream.plaidUrl,
          random: this.random,
          copies,
          login: this.options.webhooks && { username: scenarioOf(number).username, webhook: PLAID_HOOK },
          patienceMs: this.options.patienceMs ?? PATIENCE_MS,
        });
        this.outcomes.push(outcome);
      });
    });
    await Promise.all(connecting);
  }

  /** Lets the connections go through their scenarios. */
  async live(): Promise<void> {
    const { simulator, finixUrl } = this.upstream;
    const running = this.outcomes.map(async (outcome) => {
      const itemId = itemOf(simulator.ledger, outcome);
      const instrument = outcome.final?.connections[0]?.payment_instrument ?? '';
      if (outcome.final?.status !== 'completed' || itemId === undefined) return;
      await sleep(this.random.between(0, SPREAD_MS));
      await this.#scenarios.get(outcome.email)?.happen({
        bank: simulator.bank,
        itemId,
        setEnabled: (enabled) => setEnabled(finixUrl, instrument, enabled),
        pause: () => sleep(this.random.between(0, PAUSE_MS)).then(() => {}),
      });
    });
    await Promise.all(running);
    await simulator.webhooks.settled();
    if (this.dispatcher.undelivered > 0)
      throw new Error(`${this.dispatcher.undelivered} webhooks were accepted by no instance`);
  }

  /** The oracle's verdict once the faults are over. What is still wrong after the calm is wrong for good. */
  async verdict(): Promise<Verdict> {
    this.upstream.simulator.faults.clear();
    // Commits that are under way come first, or a second instrument is not there yet when the oracle looks for it.
    await sleep(this.options.settleMs ?? LATE_COMMIT_MS);
    const end = performance.now() + (this.options.control ? CALM_OF_CONTROLS_MS : CALM_MS);
    for (;;) {
      const connections = await this.#connections();
      const verdict = this.receiver
        ? this.#checkScenarios(connections, this.receiver)
        : checkSessions({
            upstream: this.upstream.simulator.ledger,
            outcomes: this.outcomes,
            connections,
            instancesSuffer: this.options.instancesSuffer === true || this.cluster.stalls > 0,
            identitiesMayDouble: this.options.identitiesMayDouble ?? false,
            unanswered: this.cluster.unanswered,
          });
      if (isClean(verdict) || performance.now() > end) return verdict;
      await sleep(200);
    }
  }

  #checkScenarios(connections: Map<string, Connection[]>, { received }: Receiver): Verdict {
    return checkScenarios({
      upstream: this.upstream.simulator.ledger,
      outcomes: this.outcomes,
      scenarios: this.#scenarios,
      connections,
      events: received.map(({ body }) => (body as { data: MerchantEvent }).data),
    });
  }

  async #connections(): Promise<Map<string, Connection[]>> {
    const url = () => this.cluster.url(([first = '']) => first);
    const limit = pLimit(16);
    const read = this.outcomes.map(({ email }) =>
      limit(async (): Promise<[string, Connection[]]> => [email, (await readConnections({ url }, email)) ?? []]),
    );
    return new Map(await Promise.all(read));
  }

  async close(): Promise<void> {
    for (const step of this.cleanUp) await step();
  }
}
