import type { Provider } from '../errors.ts';
import { iso } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Storage } from '../storage/open.ts';

interface Reading {
  /** Milliseconds since 1970. */
  at: number;
  /** This process's own clock when the response arrived; nothing sets it. */
  monotonic: number;
}

/**
 * Clocks that are kept by NTP differ by far less; a `Date` header counts whole seconds, and its response took some to
 * arrive. A quarter of the usual quiet period, which a jump within it shortens.
 */
const TOLERANCE_MS = 30_000;
/** How soon the providers are asked again after their responses have not settled it. */
const ASK_AGAIN_MS = 10_000;

/**
 * The time for what can't be undone, and for waits that a wrong clock would cut short: the database's clock within the
 * bounds that the `Date` headers of Plaid and Finix allow. One clock alone can jump ahead by a year within a second,
 * and back.
 */
export class AgreedClock {
  readonly #storage: Pick<Storage, 'now'>;
  readonly #log: Logger;
  readonly #ask: () => Promise<void>;
  readonly #readings = new Map<Provider, Reading>();
  #askedInVain = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #reported: 'agree' | 'ahead' | 'unknown' = 'agree';

  /** @param ask makes a request to a provider, whose response is passed to `note` */
  constructor(storage: Pick<Storage, 'now'>, log: Logger, ask: () => Promise<void>) {
    this.#storage = storage;
    this.#log = log;
    this.#ask = ask;
  }

  /** Takes the `Date` header of a provider's response. */
  note(service: Provider, date: string | null | undefined): void {
    const at = Date.parse(date ?? '');
    if (!Number.isNaN(at)) this.#readings.set(service, { at, monotonic: performance.now() });
  }

  /**
   * Milliseconds since 1970. The database's clock alone until a provider has responded. A time that was written while
   * the clock was behind would be too old once the clock is right again.
   */
  async now(): Promise<number> {
    const now = await this.#storage.now();
    const [earliest, latest] = this.#bounds() ?? [now, now];
    if (now > latest + TOLERANCE_MS) return latest;
    return now < earliest - TOLERANCE_MS ? earliest : now;
  }

  /**
   * As `now`, for what begins a wait that others count from: asks a provider where the database's clock is ahead of the
   * last response, as it is on a machine that was paused together with its clocks.
   */
  async informed(): Promise<number> {
    if (this.#readings.size > 0 && !this.#agrees(await this.#storage.now())) await this.#askOnce();
    return this.now();
  }

  /**
   * Milliseconds since 1970, by two clocks. Asks a provider where the database's clock is ahead of the last response.
   * @returns undefined as long as no provider has responded: nothing is old enough to go then
   */
  async certain(): Promise<number | undefined> {
    const now = await this.#storage.now();
    if (this.#agrees(now)) this.#askedInVain = Number.NEGATIVE_INFINITY;
    else await this.#askOnce();
    const latest = this.#bounds()?.[1];
    this.#report(now, latest);
    return this.#agrees(now) ? now : latest;
  }

  #agrees(now: number): boolean {
    const bounds = this.#bounds();
    return bounds !== undefined && now <= bounds[1] + TOLERANCE_MS;
  }

  /** By the provider whose clock is behind the other's, and by the one whose clock is ahead. */
  #bounds(): [earliest: number, latest: number] | undefined {
    if (this.#readings.size === 0) return undefined;
    const passed = performance.now();
    const times = [...this.#readings.values()].map(({ at, monotonic }) => Math.floor(at + passed - monotonic));
    return [Math.min(...times), Math.max(...times)];
  }

  async #askOnce(): Promise<void> {
    if (performance.now() - this.#askedInVain < ASK_AGAIN_MS) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
    this.#askedInVain = performance.now();
  }

  /** Once for each change: a clock can be wrong for days. */
  #report(now: number, latest: number | undefined): void {
    const found = latest === undefined ? 'unknown' : this.#agrees(now) ? 'agree' : 'ahead';
    if (found === this.#reported) return;
    this.#reported = found;
    if (latest === undefined) {
      this.#log.warn('neither Plaid nor Finix has responded yet: nothing expires or is deleted until one does');
    } else if (found === 'ahead') {
      this.#log.error(
        { clock: iso(now), providers: iso(latest) },
        "the clock is ahead of Plaid's and Finix's: nothing expires or is deleted until they have reached it",
      );
    } else {
      this.#log.info("the clock agrees with Plaid's and Finix's");
    }
  }
}
