import { setTimeout as sleep } from 'node:timers/promises';
import { during, type FaultCase } from '../round.ts';
import { CALLS, FROZEN_MS, START_MS } from '../times.ts';
import { badDay } from './upstream-cases.ts';

const HOUR_MS = 3600_000;
/** SQLite has one machine; two processes on its file are already one more than is needed there. */
export const SEVERAL = { sqlite: 2, postgres: 3 };

/** Processes that die, freeze, stop or share their work, and clocks that jump. */
export const processCases: FaultCase[] = [
  {
    name: 'kill -9 at random, on a bad day',
    instances: SEVERAL,
    sessions: { full: 100, short: 0 },
    options: { instancesSuffer: true, slowInstruments: true },
    async run(environment, sessions) {
      environment.fault(...badDay(environment.random, Math.ceil(sessions * 1.5)));
      await during(environment.connect(sessions, { atOnce: 12 }), async () => {
        await sleep(environment.random.between(100, 800));
        const instance = environment.random.pick(environment.cluster.places);
        instance?.signal('SIGKILL');
        await instance?.exited;
        // Deaths that come faster than starts would prove nothing else.
        await environment.cluster.whole(START_MS);
      });
    },
  },
  {
    name: 'SIGSTOP at random, longer than the lease',
    instances: SEVERAL,
    sessions: { full: 60, short: 0 },
    options: { instancesSuffer: true, slowInstruments: true },
    async run(environment, sessions) {
      await during(environment.connect(sessions, { atOnce: 8 }), async () => {
        await sleep(environment.random.between(200, 600));
        const instance = environment.random.pick(environment.cluster.places);
        instance?.signal('SIGSTOP');
        await sleep(FROZEN_MS);
        instance?.signal('SIGCONT');
      });
    },
  },
  {
    name: 'a clock that jumps by an hour, both ways',
    instances: 2,
    sessions: { full: 40, short: 0 },
    async run(environment, sessions) {
      const instrument = CALLS[4] ?? CALLS[0];
      if (!instrument) return;
      environment.fault({
        ...instrument,
        kind: 'timeout',
        when: 'after',
        delayMs: 800,
        times: Math.ceil(sessions / 4),
      });
      environment.fault({ ...instrument, kind: 'timeout', times: Math.ceil(sessions / 4) });
      await during(environment.connect(sessions, { atOnce: 10 }), async (round) => {
        await sleep(environment.random.between(300, 900));
        if (round > 5) return;
        const offsetMs = environment.random.pick([HOUR_MS, 0, -HOUR_MS]);
        await Promise.all(environment.cluster.instances.map((instance) => instance.send({ order: 'clock', offsetMs })));
      });
    },
  },
  {
    name: 'the same complete 20 times at once',
    instances: 1,
    sessions: { full: 20, short: 0 },
    run: (environment, sessions) => environment.connect(sessions, { atOnce: 5, copies: 20 }),
  },
  {
    name: 'the same complete 20 times, at different instances',
    instances: SEVERAL,
    sessions: { full: 20, short: 0 },
    run: (environment, sessions) => environment.connect(sessions, { atOnce: 5, copies: 20 }),
  },
  {
    name: 'one of three instances dies and stays away',
    stores: ['postgres'],
    instances: 3,
    sessions: { full: 60, short: 0 },
    options: { instancesSuffer: true, slowInstruments: true },
    async run(environment, sessions) {
      await during(environment.connect(sessions, { atOnce: 20 }), async (round) => {
        await sleep(300);
        if (round === 0) environment.cluster.empty(0)?.signal('SIGKILL');
      });
    },
  },
  {
    name: 'SIGTERM, one instance after the other',
    instances: 2,
    sessions: { full: 40, short: 0 },
    async run(environment, sessions) {
      const slow = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;
      environment.fault({ ...slow, kind: 'delay', delayMs: 300, times: sessions });
      await during(environment.connect(sessions, { atOnce: 6 }), async (round) => {
        await sleep(400);
        const place = round % 2;
        const old = environment.cluster.empty(place);
        old?.signal('SIGTERM');
        await environment.cluster.fill(place);
        await old?.exited;
        if (old && old.exitCode !== 0) throw new Error(`an instance ended with ${old.exitCode} on SIGTERM`);
      });
    },
  },
];
