import type { Storage } from '../storage/open.ts';

/**
 * Begins to count how long a piece of work takes, in milliseconds of the database's clock: a machine may be paused
 * together with its own clocks, which then show nothing of it. One clock, unlike AgreedClock, whose bounds stand still
 * with the machine.
 */
export async function countElapsed(storage: Pick<Storage, 'now'>): Promise<() => Promise<number>> {
  const began = await storage.now();
  return async () => (await storage.now(true)) - began;
}
