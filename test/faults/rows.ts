import { setTimeout as sleep } from 'node:timers/promises';
import { openSqliteFile } from '../../server/storage/sqlite.ts';
import type { Arena, ArenaOptions, Store } from './arena.ts';
import { withFullDisk } from './disk.ts';
import { CALLS, INSTANCE_TIMES } from './times.ts';
import { badDay, upstreamRows } from './upstream-rows.ts';
import { webhookRows } from './webhook-rows.ts';

/** One line of the table: what goes wrong, for how many customers. */
export interface Row {
  name: string;
  /** Both when left out. */
  stores?: readonly Store[];
  instances: number | Record<Store, number>;
  /** 0: not in the short form. */
  sessions: { full: number; short: number };
  /** It takes the database from under everybody: no other round runs beside it. */
  alone?: boolean;
  options?: Pick<
    ArenaOptions,
    'instancesSuffer' | 'listLagMs' | 'slowInstruments' | 'identitiesMayDouble' | 'webhooks' | 'patienceMs'
  >;
  /** What a round needs around it, such as a disk of its own. */
  around?: (run: (more: Pick<ArenaOptions, 'dataDir'>) => Promise<void>) => Promise<void>;
  run(arena: Arena, sessions: number): Promise<void>;
}

/** The frozen wake up when others have long taken over, and before those may create again. */
export const FROZEN_MS = 2 * INSTANCE_TIMES.timing.leaseMs;
/** The frozen wake up when others have created again and are done. */
export const FROZEN_LONG_MS = INSTANCE_TIMES.quietMs + INSTANCE_TIMES.timing.leaseMs;
/** How long a killed instance may take to be back before the next is killed. */
const BIRTH_MS = 10_000;
/** SQLite waits 5 s for a lock before it gives up. */
const LOCKED_MS = 6_500;
/** Longer than a restart by hand of a database that has nothing to recover. */
const GONE_MS = 2_500;
const HOUR_MS = 3600_000;
const RESTARTS = 5;
/** A crash's recovery syncs every file of the data directory: ten seconds and more on a busy disk. The first customers see each of them. */
const RESTARTS_MS = 45_000 + RESTARTS * 15_000;

/** SQLite has one machine; two processes on its file are already one more than is needed there. */
const SEVERAL = { sqlite: 2, postgres: 3 };

export const rows: Row[] = [
  {
    name: 'nothing',
    instances: 1,
    sessions: { full: 10, short: 0 },
    run: (arena, sessions) => arena.connect(sessions),
  },
  ...upstreamRows,
  {
    name: 'lists that lag, after lost answers',
    instances: 2,
    sessions: { full: 20, short: 0 },
    options: { listLagMs: 700 },
    async run(arena, sessions) {
      for (const call of CALLS.filter(({ service }) => service === 'finix')) {
        arena.fault({ ...call, kind: 'timeout', when: 'after', times: Math.ceil(sessions / 2) });
      }
      await arena.connect(sessions);
    },
  },
  {
    name: 'kill -9 at random, on a bad day',
    instances: SEVERAL,
    sessions: { full: 100, short: 0 },
    options: { instancesSuffer: true, slowInstruments: true },
    async run(arena, sessions) {
      arena.fault(...badDay(arena.random, Math.ceil(sessions * 1.5)));
      await during(arena.connect(sessions, { atOnce: 12 }), async () => {
        await sleep(arena.random.between(100, 800));
        const instance = arena.random.pick(arena.cluster.places);
        instance?.signal('SIGKILL');
        await instance?.exited;
        // Deaths that come faster than births would prove nothing but that.
        await arena.cluster.whole(BIRTH_MS);
      });
    },
  },
  {
    name: 'SIGSTOP at random, longer than the lease',
    instances: SEVERAL,
    sessions: { full: 60, short: 0 },
    options: { instancesSuffer: true, slowInstruments: true },
    async run(arena, sessions) {
      await during(arena.connect(sessions, { atOnce: 8 }), async () => {
        await sleep(arena.random.between(200, 600));
        const instance = arena.random.pick(arena.cluster.places);
        instance?.signal('SIGSTOP');
        await sleep(FROZEN_MS);
        instance?.signal('SIGCONT');
      });
    },
  },
  {
    name: 'storage gone',
    stores: ['postgres'],
    alone: true,
    instances: 2,
    sessions: { full: 40, short: 0 },
    options: { slowInstruments: true },
    async run(arena, sessions) {
      await during(arena.connect(sessions, { atOnce: 10 }), async (round) => {
        await sleep(arena.random.between(150, 400));
        if (round < 2) await arena.options.postgres?.without(() => sleep(GONE_MS));
      });
    },
  },
  {
    name: 'storage locked by somebody else',
    stores: ['sqlite'],
    instances: 2,
    sessions: { full: 20, short: 0 },
    options: { slowInstruments: true },
    async run(arena, sessions) {
      await during(arena.connect(sessions, { atOnce: 5 }), async (round) => {
        await sleep(arena.random.between(100, 200));
        if (round > 0) return;
        const other = await openSqliteFile(arena.dataDir, () => {});
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
    async run(arena, sessions) {
      await during(arena.connect(sessions, { atOnce: 10 }), async (round) => {
        await sleep(arena.random.between(150, 300));
        if (round < 2) await withFullDisk.fill(arena, () => sleep(GONE_MS));
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
    async run(arena, sessions) {
      await during(arena.connect(sessions, { atOnce: 10 }), async (round) => {
        await sleep(arena.random.between(200, 700));
        if (round < RESTARTS) await arena.options.postgres?.restart('immediate');
      });
    },
  },
  {
    name: 'a clock that jumps by an hour, both ways',
    instances: 2,
    sessions: { full: 40, short: 0 },
    async run(arena, sessions) {
      const instrument = CALLS[4] ?? CALLS[0];
      if (!instrument) return;
      arena.fault({ ...instrument, kind: 'timeout', when: 'after', delayMs: 800, times: Math.ceil(sessions / 4) });
      arena.fault({ ...instrument, kind: 'timeout', times: Math.ceil(sessions / 4) });
      await during(arena.connect(sessions, { atOnce: 10 }), async (round) => {
        await sleep(arena.random.between(300, 900));
        if (round > 5) return;
        const offsetMs = arena.random.pick([HOUR_MS, 0, -HOUR_MS]);
        await Promise.all(arena.cluster.instances.map((instance) => instance.tell({ order: 'clock', offsetMs })));
      });
    },
  },
  {
    name: 'the same complete 20 times at once',
    instances: 1,
    sessions: { full: 20, short: 0 },
    run: (arena, sessions) => arena.connect(sessions, { atOnce: 5, copies: 20 }),
  },
  {
    name: 'the same complete 20 times, at different instances',
    instances: SEVERAL,
    sessions: { full: 20, short: 0 },
    run: (arena, sessions) => arena.connect(sessions, { atOnce: 5, copies: 20 }),
  },
  {
    name: 'one of three instances dies for good',
    stores: ['postgres'],
    instances: 3,
    sessions: { full: 60, short: 0 },
    options: { instancesSuffer: true, slowInstruments: true },
    async run(arena, sessions) {
      await during(arena.connect(sessions, { atOnce: 20 }), async (round) => {
        await sleep(300);
        if (round === 0) arena.cluster.empty(0)?.signal('SIGKILL');
      });
    },
  },
  ...webhookRows,
  {
    name: 'SIGTERM, one instance after the other',
    instances: 2,
    sessions: { full: 40, short: 0 },
    async run(arena, sessions) {
      const slow = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;
      arena.fault({ ...slow, kind: 'delay', delayMs: 300, times: sessions });
      await during(arena.connect(sessions, { atOnce: 6 }), async (round) => {
        await sleep(400);
        const place = round % 2;
        const old = arena.cluster.empty(place);
        old?.signal('SIGTERM');
        await arena.cluster.fill(place);
        await old?.exited;
        if (old && old.exitCode !== 0) throw new Error(`an instance ended with ${old.exitCode} on SIGTERM`);
      });
    },
  },
];

/** Repeats `act` until `work` has ended. */
export async function during(work: Promise<void>, act: (round: number) => Promise<void>): Promise<void> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  const acting = (async () => {
    for (let round = 0; !over; round++) await act(round);
  })();
  await Promise.all([ended, acting]);
}
