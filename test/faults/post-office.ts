import { setTimeout as sleep } from 'node:timers/promises';
import type { Deliver, Simulator } from '../../demo/simulator/index.ts';
import type { Cluster } from './cluster.ts';
import type { Random } from './random.ts';

export interface PostOfficeOptions {
  simulator: () => Simulator;
  cluster: () => Cluster;
  random: Random;
  /** One in so many instances is killed as soon as it has answered 200; undefined: none. */
  killsOneIn?: number | undefined;
}

/** Later than any two things that happen to a connection are apart, so that what happened first can come last. */
const LATE_MS = 700;
/** Providers say at least once. */
const COPIES = 2;
/** Plaid's are minutes, for a day; a minute here is longer than any instance can be away. */
const AGAIN_MS = 100;
const PATIENCE_MS = 60_000;
/** How long a killed instance may take to be back before the next is killed. */
const BIRTH_MS = 10_000;

export interface PostOffice {
  deliver: Deliver;
  /** How many letters nobody has taken in all that time. Then nothing can be said of who is to blame. */
  readonly undelivered: number;
}

/**
 * Brings the providers' webhooks as a bad day does: each twice, to different instances, late, so that they come in any order, and again
 * until somebody has answered 200.
 */
export function postOffice({ simulator, cluster, random, killsOneIn }: PostOfficeOptions): PostOffice {
  let isKilling = false;
  let undelivered = 0;

  async function kill(url: string): Promise<void> {
    if (killsOneIn === undefined || isKilling || random.between(1, killsOneIn) > 1) return;
    isKilling = true;
    const instance = cluster().instances.find((one) => one.url === url);
    instance?.signal('SIGKILL');
    await instance?.exited;
    await cluster()
      .whole(BIRTH_MS)
      .finally(() => {
        isKilling = false;
      });
  }

  async function bring(url: string, init: RequestInit, place: number): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (let tries = 0; performance.now() < deadline; tries++) {
      const base = cluster().url((urls) => urls[(place + tries) % urls.length] ?? '');
      try {
        if (base === undefined) throw new Error('nobody is up');
        const { status } = await fetch(base + new URL(url).pathname, init);
        if (status === 200) return await kill(base);
      } catch {
        // It died, or is not there yet.
      }
      await sleep(AGAIN_MS);
    }
    undelivered++;
  }

  const deliver: Deliver = async (url, init) => {
    const first = random.between(0, 10);
    // Half of the time at the very same moment: then both instances handle it beside each other.
    const together = random.between(0, 1) === 1 ? random.between(0, LATE_MS) : undefined;
    const copies = Array.from({ length: COPIES }, async (_, copy) => {
      await sleep(together ?? random.between(0, LATE_MS));
      const headers: Record<string, string> = { ...init.headers };
      // Of another second, as what Plaid repeats is: the same signature would be stored once.
      if (headers['Plaid-Verification']) {
        headers['Plaid-Verification'] = simulator().webhooks.signPlaid(init.body, Date.now() - copy * 1_000);
      }
      await bring(url, { ...init, headers }, first + copy);
    });
    await Promise.all(copies);
    return new Response(null, { status: 200 });
  };
  return {
    deliver,
    get undelivered() {
      return undelivered;
    },
  };
}
