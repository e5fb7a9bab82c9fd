import { setTimeout as sleep } from 'node:timers/promises';
import { openSqliteFile } from '../../../server/storage/sqlite.ts';
import { withFullDisk } from '../disk.ts';
import { during, type FaultCase } from '../round.ts';

/** SQLite waits 5 s for a lock before it gives up. */
const LOCKED_MS = 6_500;
/** Longer than a restart by hand of a database that has nothing to recover. */
const GONE_MS = 2_500;
const RESTARTS = 5;
/**
 * A crash's recovery syncs every file of the data directory: ten seconds and more on a busy disk. The first customers
 * see each of them.
 */
const RESTARTS_MS = 45_000 + RESTARTS * 15_000;

/** Databases that are away, locked, full or restarted while customers connect. */
export const storageCases: FaultCase[] = [
  {
    name: 'storage gone',
    stores: ['postgres'],
    alone: true,
    instances: 2,
    sessions: { full: 40, short: 0 },
    options: { slowInstruments: true },
    async run(environment, sessions) {
      await during(environment.connect(sessions, { atOnce: 10 }), async (round) => {
        await sleep(environment.random.between(150, 400));
        if (round < 2) await environment.options.postgres?.without(() => sleep(GONE_MS));
      });
    },
  },
  {
    name: 'storage locked by another process',
    stores: ['sqlite'],
    instances: 2,
    sessions: { full: 20, short: 0 },
    options: { slowInstruments: true },
    async run(environment, sessions) {
      await during(environment.connect(sessions, { atOnce: 5 }), async (round) => {
        await sleep(environment.random.between(100, 200));
        if (round > 0) return;
        const other = await openSqliteFile(environment.dataDir, () => {});
        other.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE');
        await sleep(LOCKED_MS);
        other.exec('ROLLBACK');
        other.close();
      });
    },
  },
  {
    name: 'disk full',
    stores: ['sqlite'],
    instances: 1,
    sessions: { full: 40, short: 0 },
    options: { slowInstruments: true },
    around: withFullDisk.around,
    async run(environment, sessions) {
      await during(environment.connect(sessions, { atOnce: 10 }), async (round) => {
        await sleep(environment.random.between(150, 300));
        if (round < 2) await withFullDisk.fill(environment, () => sleep(GONE_MS));
      });
    },
  },
  {
    name: 'PostgreSQL restarted at once',
    stores: ['postgres'],
    alone: true,
    instances: 2,
    sessions: { full: 60, short: 6 },
    options: { slowInstruments: true, patienceMs: RESTARTS_MS },
    async run(environment, sessions) {
      await during(environment.connect(sessions, { atOnce: 10 }), async (round) => {
        await sleep(environment.random.between(200, 700));
        if (round < RESTARTS) await environment.options.postgres?.restart('immediate');
      });
    },
  },
];
