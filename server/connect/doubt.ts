import { iso } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Storage } from '../storage/open.ts';
import type { Doubt } from '../work/session-lease.ts';

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
  const doubt: WatchedDoubt = {
    get until() {
      return Math.max(startedAt, doubt.restoredUntil);
    },
    get restoredUntil() {
      return wentBackAt === 0 ? 0 : wentBackAt + DOUBTFUL_MS;
    },
    get from() {
      return wentBackAt - LOST_MS;
    },
    async check() {
      const latest = await storage.history.check(() => storage.now());
      // Of two checks at once, the one over an old connection may end last.
      if (latest <= wentBackAt) return;
      wentBackAt = latest;
      if (latest + DOUBTFUL_MS < (await storage.now())) return;
      log.error(
        { noticed_at: iso(latest) },
        'an older copy of the database was restored: run reconcile (docs/operations.md)',
      );
    },
  };
  await doubt.check();
  let checking: 'no' | 'yes' | 'again' = 'no';
  // A standby that was promoted is met over a new connection, and a second of it makes sessions.
  storage.onConnect.add(() => {
    if (checking !== 'no') {
      checking = 'again';
      return;
    }
    void checkConnected();
  });
  async function checkConnected(): Promise<void> {
    let isChecked: boolean;
    do {
      checking = 'yes';
      // While the database is away a pooler may accept a connection and refuse each query.
      // The next round of jobs checks.
      isChecked = await doubt.check().then(
        () => true,
        () => false,
      );
    } while (isChecked && isAgain());
    checking = 'no';
  }
  const isAgain = () => checking === 'again';
  return doubt;
}
