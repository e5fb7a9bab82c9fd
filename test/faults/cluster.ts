import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { RunningSimulator } from '../../demo/simulator/index.ts';
import { bundle } from '../helpers/bundle.ts';
import { eventually, testEnvironment } from '../helpers/server.ts';
import type { Control } from './controls.ts';
import type { Order } from './times.ts';

/** Bundled once: a suite of dying processes mostly starts them. */
const instanceFile = lazily(() => bundle('test/faults/instance.ts'));

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Node, the server's code and a migration: under a second on an idle machine, several while other instances are at work. */
const START_MS = 30_000;
/** As an orchestrator waits before it restarts a crashing process, only shorter. */
const RESTART_MS = 500;

/** A start takes a core for a second: more at once starve the instances at work, whose time-outs are short. */
const starts = pLimit(2);

export interface ClusterOptions {
  upstream: RunningSimulator;
  /** DATABASE_URL or DATA_DIR. */
  database: Record<string, string>;
  /** Other than a test's usual ones. */
  settings?: Record<string, string> | undefined;
  control?: Control | undefined;
  /** Show the instances' logs. */
  verbose?: boolean | undefined;
}

/** One server process. */
export class Instance {
  /** Lines that it has printed, oldest first. */
  readonly printed: string[] = [];
  readonly #child: ChildProcess;
  readonly exited: Promise<void>;
  url: string | undefined;

  constructor(
    file: string,
    { upstream, database, settings, control, verbose }: ClusterOptions,
    unanswered: Set<string>,
  ) {
    const env = {
      PATH: process.env['PATH'],
      ...testEnvironment({ PLAID_BASE_URL: upstream.plaidUrl, FINIX_BASE_URL: upstream.finixUrl }),
      ...database,
      ...settings,
      LOG_LEVEL: verbose ? 'info' : 'silent',
      ...(control ? { FAULTS_CONTROL: control } : {}),
    };
    this.#child = spawn(process.execPath, ['--enable-source-maps', file], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.exited = once(this.#child, 'exit').then(() => {
      this.url = undefined;
    });
    // An order to a process that has just died is no error of the suite.
    this.#child.stdin?.on('error', () => {});
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.printed.push(line);
      if (line.startsWith('lost ')) unanswered.add(line.slice('lost '.length));
      if (line.startsWith('listening ')) this.url = `http://127.0.0.1:${line.slice('listening '.length)}`;
    });
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  async listening(): Promise<void> {
    await eventually(async () => {
      if (!this.isAlive) throw new Error('an instance ended before it listened; run with --verbose');
      return this.url !== undefined;
    }, START_MS);
  }

  async tell(order: Order): Promise<void> {
    const before = this.printed.length;
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    await eventually(async () => !this.isAlive || this.printed.indexOf(`done ${order.order}`, before) >= 0, START_MS);
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    if (this.isAlive) this.#child.kill(signal);
  }

  async hasPrinted(beginning: string, ms: number): Promise<boolean> {
    const isPrinted = () => this.printed.some((line) => line.startsWith(beginning));
    return eventually(async () => isPrinted(), ms).catch(() => false);
  }
}

/** The instances that serve one database. Each place is filled again when its instance dies, unless it is left empty on purpose. */
export class Cluster {
  readonly places: (Instance | undefined)[] = [];
  /** See Evidence. */
  readonly unanswered = new Set<string>();
  /** How often an instance stalled for about as long as a lease without an order to do so. */
  get stalls(): number {
    return this.#all.flatMap(({ printed }) => printed.filter((line) => line.startsWith('stalled '))).length;
  }
  readonly #all: Instance[] = [];
  readonly #options: ClusterOptions;
  #closed = false;

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  static async start(options: ClusterOptions, instances: number): Promise<Cluster> {
    const cluster = new Cluster(options);
    // Together, which also shows that migrations run once.
    await Promise.all(Array.from({ length: instances }, (_, place) => cluster.fill(place)));
    return cluster;
  }

  /** Starts an instance in this place, and again whenever it dies while it is still in the place. */
  fill(place: number): Promise<Instance> {
    return starts(() => this.#start(place));
  }

  async #start(place: number): Promise<Instance> {
    const file = await instanceFile();
    if (this.#closed) throw new Error('the cluster was closed before this instance was started');
    const instance = new Instance(file, this.#options, this.unanswered);
    this.#all.push(instance);
    this.places[place] = instance;
    instance.exited
      .then(() => this.#refill(place, instance))
      .catch(() => {
        // It died at the start, as it does when its database is away.
        if (!this.#closed && this.places[place] === instance) this.places[place] = undefined;
      });
    await instance.listening().catch(() => {});
    return instance;
  }

  async #refill(place: number, dead: Instance): Promise<void> {
    // An instance that could not start would only die again, and keep the machine busy.
    if (!dead.printed.some((line) => line.startsWith('listening '))) await sleep(RESTART_MS);
    if (this.places[place] === dead && !this.#closed) await this.fill(place);
  }

  empty(place: number): Instance | undefined {
    const instance = this.places[place];
    this.places[place] = undefined;
    return instance;
  }

  /** The address of an instance that listens, chosen by `pick`; undefined while there is none. */
  url(pick: (urls: string[]) => string): string | undefined {
    const urls = this.places.flatMap((instance) => instance?.url ?? []);
    return urls.length > 0 ? pick(urls) : undefined;
  }

  /** Resolves when every place has an instance that listens, or after `ms`: a busy machine takes its time to start one. */
  async whole(ms: number): Promise<void> {
    await eventually(async () => this.places.every((instance) => instance?.url !== undefined), ms).catch(() => {});
  }

  get instances(): Instance[] {
    return this.places.flatMap((instance) => instance ?? []);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const instances = this.instances;
    for (const instance of instances) instance.signal('SIGKILL');
    await Promise.all(instances.map(({ exited }) => exited));
  }
}
