import { setTimeout as sleep } from 'node:timers/promises';
import type { Control } from '../controls.ts';
import type { CustomerOptions } from '../customer.ts';
import type { Store } from '../database.ts';
import type { Environment } from '../environment.ts';
import type { Verdict } from '../oracle.ts';
import { asMerchant } from '../requests.ts';
import { addUp, type RunRound } from '../round.ts';
import { ASKS_SIGNAL, CHECK_POINTS, KILLED_CHECKS } from '../scenarios/check-scenarios.ts';
import type { Instance } from '../server-process.ts';
import { FROZEN_LONG_MS, FROZEN_MS, slowly } from '../times.ts';

interface PointCase {
  name: string;
  /** Where the short form runs it. */
  storesInShort: readonly Store[];
  /** At each point. */
  sessions: { full: number; short: number };
  run(round: RunRound, options: { short: boolean; sessions: number; atOnce: number }): Promise<Verdict>;
}

/** How long the first of a few sessions may take to reach a point, on a busy machine. */
const REACHED_MS = slowly(60_000);

/**
 * At every point in turn: a few sessions are in progress, and the process dies when the first of them reaches the
 * point.
 */
const killAtPoints: PointCase = {
  name: 'kill -9 at each recovery point',
  storesInShort: ['postgres'],
  sessions: { full: 4, short: 2 },
  async run(round, { short, sessions, atOnce }) {
    const points = short ? ['after the exchange', 'after creating the instrument'] : await pointsOf(round);
    const options = { instancesSuffer: true, slowInstruments: true };
    const rounds = points.map(
      (point) => () =>
        untilReached(() => round({ instances: 1, options }, {}, (environment) => killAt(environment, point, sessions))),
    );
    return addUp(rounds, atOnce);
  },
};

/** A process that dies inside a check, or while Signal gets its reports: the merchant asks the same once more. */
export function killInCheck(round: RunRound, point: string, sessions: number, control?: Control): Promise<Verdict> {
  const options = { instancesSuffer: true, webhooks: {}, settings: ASKS_SIGNAL };
  return untilReached(() =>
    round({ instances: 1, options }, { control }, async (environment) => {
      const [first] = environment.cluster.instances;
      await first?.send({ order: 'arm', point, action: 'kill' });
      await environment.live(sessions, KILLED_CHECKS);
      if (first?.isAlive) throw new NotReached(`no check reached the point "${point}"`);
    }),
  );
}

const killInChecks: PointCase = {
  name: 'kill -9 at each step of a check',
  storesInShort: [],
  sessions: { full: 2, short: 0 },
  async run(round, { sessions, atOnce }) {
    return addUp(
      CHECK_POINTS.map((point) => () => killInCheck(round, point, sessions)),
      atOnce,
    );
  },
};

function freezeAtPoints(name: string, frozenMs: number, identitiesMayDouble: boolean): PointCase {
  const options = { instancesSuffer: true, slowInstruments: true, identitiesMayDouble };
  return {
    name,
    storesInShort: ['sqlite'],
    sessions: { full: 2, short: identitiesMayDouble ? 0 : 1 },
    async run(round, { short, sessions, atOnce }) {
      const points = short ? ['before the processor token'] : await pointsOf(round);
      const rounds = points.map(
        (point) => () =>
          untilReached(() =>
            round({ instances: 2, options }, {}, (environment) => freezeAt(environment, point, sessions, frozenMs)),
          ),
      );
      return addUp(rounds, atOnce);
    },
  };
}

/** The calls whose answers decide whether an account may be connected at all. */
const OWNER_POINTS = ['before comparing the owner', 'after comparing the owner', 'after creating the identity'];

/**
 * A process that dies with the owner's answer in hand, or before it: the owner is compared again, and then connected.
 */
const killAtOwner: PointCase = {
  name: 'kill -9 while the owner is compared, with ownership: require',
  storesInShort: ['sqlite'],
  sessions: { full: 4, short: 1 },
  async run(round, { sessions, atOnce }) {
    const options = { instancesSuffer: true, slowInstruments: true };
    const customers = { session: { ownership: 'require' }, login: { username: 'user_owner_match' } } as const;
    const rounds = OWNER_POINTS.map(
      (point) => () =>
        untilReached(() =>
          round({ instances: 1, options }, {}, (environment) => killAt(environment, point, sessions, customers)),
        ),
    );
    return addUp(rounds, atOnce);
  },
};

/** At every point in turn. A process that freezes loses its lease to another one, then wakes up and goes on. */
export const pointCases: PointCase[] = [
  killAtPoints,
  killAtOwner,
  killInChecks,
  freezeAtPoints('SIGSTOP at each recovery point, longer than the lease', FROZEN_MS, false),
  freezeAtPoints('SIGSTOP at each recovery point, longer than the quiet period', FROZEN_LONG_MS, true),
];

class NotReached extends Error {
  override readonly name = 'NotReached';
}

/**
 * How often a round is started: a call that is repeated on a busy machine leads to other commits than the usual ones.
 */
const STARTS = 3;

export async function untilReached(round: () => Promise<Verdict>): Promise<Verdict> {
  for (let start = 1; ; start++) {
    try {
      return await round();
    } catch (error) {
      if (!(error instanceof NotReached) || start === STARTS) throw error;
    }
  }
}

async function killAt(
  environment: Environment,
  point: string,
  sessions: number,
  customers: Partial<Pick<CustomerOptions, 'session' | 'login'>> = {},
): Promise<void> {
  const [first] = environment.cluster.instances;
  await first?.send({ order: 'arm', point, action: 'kill' });
  await environment.connect(sessions, customers);
  if (first?.isAlive) throw new NotReached(`no session reached the point "${point}"`);
}

/** A frozen process wakes up when most is done; the rest goes on at the same time. */
export function freezeAt(environment: Environment, point: string, sessions: number, frozenMs: number): Promise<void> {
  return stopAt(environment, point, sessions, 'freeze', async (first) => {
    await sleep(frozenMs);
    first.signal('SIGCONT');
  });
}

/**
 * One worker is held until another instance has ended its session, then does what it was about to do. Its process goes
 * on: a frozen one may hold SQLite's lock, and then no other worker can take anything over.
 */
export function overtakeAt(environment: Environment, point: string, sessions: number): Promise<void> {
  return stopAt(environment, point, sessions, 'hold', async (first, connecting) => {
    await connecting;
    await first.send({ order: 'go' });
    await first.send({ order: 'rest' });
  });
}

/**
 * As overtakeAt, before the worker reads its accounts: by then the bank is down, and the worker gives the session back
 * to its customer, whose bank is connected. The merchant cancels what is left open, which removes the login at Plaid.
 */
export function overtakeBeforeOutage(environment: Environment, sessions: number): Promise<void> {
  return stopAt(environment, 'before reading accounts', sessions, 'hold', async (first, connecting) => {
    await connecting;
    // The delays of connecting come first otherwise.
    environment.upstream.simulator.faults.clear();
    const down = { service: 'plaid', path: '/accounts/get', kind: 'plaid_error' } as const;
    environment.fault({ ...down, error_code: 'INSTITUTION_DOWN' });
    await first.send({ order: 'go' });
    await first.send({ order: 'rest' });
    for (const { sessionId } of environment.outcomes) {
      await asMerchant(environment.anywhere, 'POST', `/v1/sessions/${sessionId}/cancel`);
    }
  });
}

/** Every customer talks to the first instance until it stops at the point, then to the second. */
async function stopAt(
  environment: Environment,
  point: string,
  sessions: number,
  action: 'freeze' | 'hold',
  act: (first: Instance, connecting: Promise<void>) => Promise<void>,
): Promise<void> {
  const [first, second] = environment.cluster.instances;
  if (!first || !second) throw new Error('stopping one instance takes two');
  await first.send({ order: 'arm', point, action });
  let isStopped = false;
  const connecting = environment.connect(sessions, { url: () => (isStopped ? second.url : first.url) });
  const isReached = (ms: number) => first.hasPrinted(action, ms);
  if (!(await Promise.race([isReached(REACHED_MS), connecting.then(() => isReached(0))]))) {
    await connecting;
    throw new NotReached(`no session reached the point "${point}"`);
  }
  isStopped = true;
  await act(first, connecting);
  await connecting;
}

/** Every point that a session passes when nothing goes wrong, traced in a run of one session. */
async function pointsOf(round: RunRound): Promise<string[]> {
  let points: string[] = [];
  await round({ instances: 1 }, {}, async (environment) => {
    const [instance] = environment.cluster.instances;
    await instance?.send({ order: 'trace' });
    await environment.connect(1);
    points = (instance?.printed ?? []).flatMap((line) =>
      line.startsWith('point ') ? line.slice('point '.length) : [],
    );
  });
  if (points.length === 0) throw new Error('no points: the wrappers around clients and storage are broken');
  return points;
}
