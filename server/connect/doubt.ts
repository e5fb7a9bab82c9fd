import { iso } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Storage } from '../storage/open.ts';

/**
 * Which rows may not be all that was done. Where an older copy of the database was restored, what was made at Finix
 * since the copy has no row: work on rows of before asks Finix what there is before it creates anything.
 */
export interface Doubt {
  /** Work on rows that are older looks first. Milliseconds since 1970. */
  readonly until: number;
  /** What such work looks for can be as old as this. */
  readonly from: number;
}

export interface WatchedDoubt extends Doubt {
  /** Looks whether an older copy of the database was restored since. */
  check(): Promise<void>;
}

const DAY_MS = 24 * 3600_000;
/**
 * For a day after an older copy was restored, every session looks first: those of before end within a day, and so do
 * new ones in their place.
 */
const DOUBTFUL_MS = DAY_MS;
/** Replicas are seconds behind, copies may be a day old; of older ones `reconcile` finds the rest. */
const LOST_MS = DAY_MS;

/** Rows that are older than the process may be of an older copy, which is restored while no process runs. */
export async function watchHistory(storage: Storage, log: Logger): Promise<WatchedDoubt> {
  const startedAt = await storage.now();
  let wentBackAt = 0;
  const doubt = {
    get until() {
      return wentBackAt === 0 ? startedAt : Math.max(startedAt, wentBackAt + DOUBTFUL_MS);
    },
    get from() {
      return wentBackAt === 0 ? Number.POSITIVE_INFINITY : wentBackAt - LOST_MS;
    },
    async check() {
      const latest = await storage.history.check(() => storage.now());
      if (latest === wentBackAt) return;
      wentBackAt = latest;
      if (latest + DOUBTFUL_MS < (await storage.now())) return;
      log.error(
        { noticed_at: iso(latest) },
        'an older copy of the database was restored: run reconcile (docs/operations.md)',
      );
    },
  };
  await doubt.check();
  let isChecking = false;
  // A standby that was promoted is met over a new connection, and a second of it makes sessions.
  storage.onConnect.add(() => {
    if (isChecking) return;
    isChecking = true;
    // The next round of jobs checks as well.
    const checked = doubt.check().catch(() => {});
    void checked.finally(() => {
      isChecking = false;
    });
  });
  return doubt;
}
