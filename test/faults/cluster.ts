import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { eventually } from '../helpers/server.ts';
import { instanceFile } from './checkout.ts';
import { type ClusterOptions, Instance } from './server-process.ts';

/** As an orchestrator waits before it restarts a crashing process, only shorter. */
const RESTART_MS = 500;

/** A start takes a core for a second: more at once starve the running instances, whose time-outs are short. */
const starts = pLimit(2);

/**
 * The instances that serve one database. Each place is filled again when its instance dies, unless it is left empty on
 * purpose.
 */
export class Cluster {
  readonly places: (Instance | undefined)[] = [];
  /** See Evidence. */
  readonly unanswered = new Set<string>();
  readonly #all: Instance[] = [];
  readonly #oneRestart = pLimit(1);
  /** Which checkout's server a place runs, where it differs from the cluster's. */
  readonly #servers = new Map<number, string | undefined>();
  #options: ClusterOptions;
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

  /** How often an instance stalled for about as long as a lease without an order to do so. */
  get stalls(): number {
    return this.#all.flatMap(({ printed }) => printed.filter((line) => line.startsWith('stalled '))).length;
  }

  /** Instances that gave up before they listened; those that were killed are not among them. */
  get failedStarts(): Instance[] {
    return this.#all.filter(
      ({ exitCode, printed }) => exitCode !== null && !printed.some((line) => line.startsWith('listening ')),
    );
  }

  /** Starts an instance in this place, and again whenever it dies while it is still in the place. */
  fill(place: number, server = this.#servers.get(place) ?? this.#options.server): Promise<Instance> {
    this.#servers.set(place, server);
    return starts(() => this.#start(place, server));
  }

  async #start(place: number, server: string | undefined): Promise<Instance> {
    const file = await instanceFile(server);
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

  /** Ends every instance with `signal`, lets `change` do something to the database, and starts as many again. */
  restart(signal: 'SIGKILL' | 'SIGTERM', change: () => Promise<Record<string, string> | undefined>): Promise<void> {
    return this.#oneRestart(() => this.#restart(signal, change));
  }

  async #restart(...[signal, change]: Parameters<Cluster['restart']>): Promise<void> {
    const count = this.places.length;
    const ended = Array.from({ length: count }, (_, place) => this.empty(place)).flatMap((instance) => instance ?? []);
    for (const instance of ended) instance.signal(signal);
    await Promise.all(ended.map(({ exited }) => exited));
    const database = await change();
    if (database) this.#options = { ...this.#options, database };
    await Promise.all(Array.from({ length: count }, (_, place) => this.fill(place)));
  }

  /** The address of an instance that listens, chosen by `pick`; undefined while there is none. */
  url(pick: (urls: string[]) => string): string | undefined {
    const urls = this.places.flatMap((instance) => instance?.url ?? []);
    return urls.length > 0 ? pick(urls) : undefined;
  }

  /**
   * Resolves when every place has an instance that listens, or after `ms`: a busy machine takes its time to start one.
   */
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
