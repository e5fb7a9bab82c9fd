import type { Storage } from '../storage/open.ts';

/**
 * Begins to count how long a piece of work takes, in whole milliseconds: by the database's clock, because a machine may
 * be paused together with its own clocks, and by this machine's, because the database's may be set back. One clock
 * each, unlike AgreedClock, whose bounds stand still with the machine.
 */
export async function countElapsed(storage: Pick<Storage, 'now'>): Promise<() => Promise<number>> {
  const began = await storage.now();
  const own = performance.now();
  return async () => Math.max((await storage.now(true)) - began, Math.floor(performance.now() - own));
}
