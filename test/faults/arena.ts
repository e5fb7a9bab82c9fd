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
import { judge, type Verdict } from './judge.ts';
import { type PostOffice, postOffice } from './post-office.ts';
import type { Random } from './random.ts';
import { itemOf, judgeStories, type News, type Story, setEnabled, storyOf } from './stories.ts';
import { CALLS, INSTANCE_TIMES, LATE_COMMIT_MS } from './times.ts';

export type Store = 'sqlite' | 'postgres';

export interface ArenaOptions {
  store: Store;
  random: Random;
  postgres: TestPostgres | undefined;
  instances: number;
  control?: Control | undefined;
  verbose?: boolean | undefined;
  /** A folder for the embedded database, made by the row itself. */
  dataDir?: string | undefined;
  /** See Evidence. */
  instancesSuffer?: boolean;
  listLagMs?: number;
  /** How long commits can still be under way when everybody has their answer; the latest that the faults make when left out. */
  settleMs?: number;
  /** See Evidence. */
  identitiesMayDouble?: boolean;
  /** What is told of connections later matters: see webhook-rows.ts. `killsOneIn`: see PostOfficeOptions. */
  webhooks?: { killsOneIn?: number };
  /** How long a customer waits, where it can take longer than usual. */
  patienceMs?: number;
  /** Makes the create call of the instrument take its time too, for what happens during it. Nobody is refused by Finix then. */
  slowInstruments?: boolean;
}

/** A customer waits for as long as anything here can last; whoever is not through by then is lost. */
const PATIENCE_MS = 45_000;
/** So that calls are in flight when something happens to a process. */
const LATENCY_MS = 15;
/** How long surplus instruments and unused logins may take to go once all is calm: the quiet period, its sweep, and a busy machine. */
const CALM_MS = 3 * INSTANCE_TIMES.quietMs + 10_000;

/** A control is not expected to come clean; for what it leaves behind, two sweeps are long enough. */
const CALM_OF_CONTROLS_MS = 3 * INSTANCE_TIMES.quietMs;

/** Only the path counts: the post office brings it to an instance. */
const PLAID_HOOK = 'http://localhost/webhooks/plaid';
const FINIX_HOOK = 'http://localhost/webhooks/finix';
const FINIX_SECRET = 'finix-webhook-secret-of-the-fault-suite';
/** So that not everything happens at once, but nearly. */
const LIVES_MS = 1_000;
/** Between two things that happen to one connection: shorter and longer than what the servers do about the first. */
const PAUSE_MS = 300;

/** One upstream, one database and the instances on it, for one row of the table or one round of it. */
export class Arena {
  readonly outcomes: Outcome[] = [];
  readonly #stories = new Map<string, Story>();
  #named = 0;

  private constructor(
    readonly options: ArenaOptions,
    readonly upstream: RunningSimulator,
    readonly cluster: Cluster,
    private readonly post: PostOffice,
    /** What the merchant is told; undefined without webhooks. */
    private readonly receiver: Receiver | undefined,
    /** DATA_DIR; a folder that does not exist with PostgreSQL. */
    readonly dataDir: string,
    private readonly cleanUp: (() => Promise<void>)[],
  ) {}

  static async open(options: ArenaOptions): Promise<Arena> {
    const cleanUp: (() => Promise<void>)[] = [];
    let cluster: Cluster | undefined;
    const post = postOffice({
      random: options.random,
      cluster: () => cluster as Cluster,
      simulator: () => upstream.simulator,
      ...options.webhooks,
    });
    const webhooks = options.webhooks && {
      deliver: post.deliver,
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
    return new Arena(options, upstream, started, post, receiver, dataDir, cleanUp);
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
      // The simulator's rules for everybody come before those of the customer whom Finix refuses.
      const isRefusal = call.path === '/payment_instruments' && !slowInstruments;
      if (!isRefusal) this.fault({ ...call, kind: 'delay', delayMs: LATENCY_MS });
    }
    const connecting = Array.from({ length: count }, () => {
      const number = this.#named++;
      const email = `customer-${number}@example.com`;
      this.#stories.set(email, storyOf(number));
      return limit(async () => {
        const outcome = await connectBank({
          email,
          kind: number % 10 === 9 && !slowInstruments && !this.options.webhooks ? 'is refused' : 'connects',
          url: url ?? anywhere,
          plaidUrl: this.upstream.plaidUrl,
          random: this.random,
          copies,
          login: this.options.webhooks && { username: storyOf(number).username, webhook: PLAID_HOOK },
          patienceMs: this.options.patienceMs ?? PATIENCE_MS,
        });
        this.outcomes.push(outcome);
      });
    });
    await Promise.all(connecting);
  }

  /** Lets everything happen to the connections that is in their stories. */
  async live(): Promise<void> {
    const { simulator, finixUrl } = this.upstream;
    const living = this.outcomes.map(async (outcome) => {
      const itemId = itemOf(simulator.ledger, outcome);
      const instrument = outcome.told?.connections[0]?.payment_instrument ?? '';
      if (outcome.told?.status !== 'completed' || itemId === undefined) return;
      await sleep(this.random.between(0, LIVES_MS));
      await this.#stories.get(outcome.email)?.happen({
        bank: simulator.bank,
        itemId,
        setEnabled: (enabled) => setEnabled(finixUrl, instrument, enabled),
        pause: () => sleep(this.random.between(0, PAUSE_MS)).then(() => {}),
      });
    });
    await Promise.all(living);
    await simulator.webhooks.settled();
    if (this.post.undelivered > 0) throw new Error(`${this.post.undelivered} webhooks were taken by nobody`);
  }

  /** Lets the dust settle, and judges by the upstream's ledger. What is still wrong after the calm stays wrong. */
  async verdict(): Promise<Verdict> {
    this.upstream.simulator.faults.clear();
    // Commits that were under way come first, or a second instrument is not there yet when it is looked for.
    await sleep(this.options.settleMs ?? LATE_COMMIT_MS);
    const end = performance.now() + (this.options.control ? CALM_OF_CONTROLS_MS : CALM_MS);
    for (;;) {
      const connections = await this.#connections();
      const verdict = this.receiver
        ? this.#judgeStories(connections, this.receiver)
        : judge({
            ledger: this.upstream.simulator.ledger,
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

  #judgeStories(connections: Map<string, Connection[]>, { received }: Receiver): Verdict {
    return judgeStories({
      ledger: this.upstream.simulator.ledger,
      outcomes: this.outcomes,
      stories: this.#stories,
      connections,
      news: received.map(({ body }) => (body as { data: News }).data),
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

export function isClean({ lost, double, needless }: Verdict): boolean {
  return lost.length + double.length + needless.length === 0;
}
