import { setTimeout as sleep } from 'node:timers/promises';
import type { Deliver, Simulator } from '../../demo/simulator/index.ts';
import type { Cluster } from './cluster.ts';
import type { Random } from './random.ts';
import { START_MS } from './times.ts';

export interface DispatcherOptions {
  simulator: () => Simulator;
  cluster: () => Cluster;
  random: Random;
  /** One in so many instances is killed as soon as it has answered 200; undefined: none. */
  killsOneIn?: number | undefined;
  /** Whether both copies of a webhook with this body are delivered without delay. */
  isPrompt?: (body: string) => boolean;
}

/** Longer than the time between any two events of a connection, so that the first event can arrive last. */
const LATE_MS = 700;
/** Providers promise at least one delivery. */
const COPIES = 2;
/** Ever later, as providers do: on a busy machine, repetitions would be most of what it is busy with. */
const RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
/** Plaid retries for a day; here a few minutes are longer than any instance can be away, also on a busy machine. */
const PATIENCE_MS = 5 * 60_000;

export interface WebhookDispatcher {
  deliver: Deliver;
  /** How many webhooks no instance has accepted in all that time. The case proves nothing then. */
  readonly undelivered: number;
}

/**
 * Delivers the providers' webhooks as on a bad day: each twice, to different instances, late, so that they arrive in
 * any order, and again until an instance has answered 200.
 */
export function createWebhookDispatcher({
  simulator,
  cluster,
  random,
  killsOneIn,
  isPrompt = () => false,
}: DispatcherOptions): WebhookDispatcher {
  let isKilling = false;
  let undelivered = 0;

  async function kill(url: string): Promise<void> {
    if (killsOneIn === undefined || isKilling || random.between(1, killsOneIn) > 1) return;
    isKilling = true;
    const instance = cluster().instances.find((one) => one.url === url);
    instance?.signal('SIGKILL');
    await instance?.exited;
    await cluster()
      .whole(START_MS)
      .finally(() => {
        isKilling = false;
      });
  }

  async function deliverTo(url: string, init: RequestInit, place: number): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (let attempts = 0; performance.now() < deadline; attempts++) {
      const base = cluster().url((urls) => urls[(place + attempts) % urls.length] ?? '');
      try {
        if (base === undefined) throw new Error('no instance is up');
        const { status } = await fetch(base + new URL(url).pathname, init);
        if (status === 200) return await kill(base);
      } catch {
        // The instance died, or has not started yet.
      }
      await sleep(Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** attempts));
    }
    undelivered++;
  }

  const deliver: Deliver = async (url, init) => {
    const first = random.between(0, 10);
    // Half of the time at the same moment: then both instances handle it concurrently.
    const latest = isPrompt(init.body) ? 0 : LATE_MS;
    const together = random.between(0, 1) === 1 ? random.between(0, latest) : undefined;
    const copies = Array.from({ length: COPIES }, async (_, copy) => {
      await sleep(together ?? random.between(0, latest));
      const headers: Record<string, string> = { ...init.headers };
      // Signed in another second, as Plaid's repetitions are: the same signature would be stored once.
      if (headers['Plaid-Verification']) {
        headers['Plaid-Verification'] = simulator().webhooks.signPlaid(init.body, Date.now() - copy * 1_000);
      }
      await deliverTo(url, { ...init, headers }, first + copy);
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
