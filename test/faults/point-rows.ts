import { setTimeout as sleep } from 'node:timers/promises';
import type { Arena } from './arena.ts';
import type { Verdict } from './judge.ts';
import { FROZEN_LONG_MS, FROZEN_MS } from './rows.ts';
import { addUp, type RunRound } from './suite.ts';

interface PointRow {
  name: string;
  /** At each point. */
  sessions: { full: number; short: number };
  run(round: RunRound, options: { short: boolean; sessions: number; atOnce: number }): Promise<Verdict>;
}

/** How long the first of a few sessions may take to come to any point, on a busy machine. */
const REACHED_MS = 15_000;

/** At every point in turn: a few sessions on the way, and the process dies when the first of them comes there. */
const killAtPoints: PointRow = {
  name: 'kill -9 at each recovery point',
  sessions: { full: 4, short: 2 },
  async run(round, { short, sessions, atOnce }) {
    const points = short ? ['after the exchange', 'after creating the instrument'] : await pointsOf(round);
    const options = { instancesSuffer: true, slowInstruments: true };
    const rounds = points.map(
      (point) => () =>
        untilReached(() => round({ instances: 1, options }, {}, (arena) => killAt(arena, point, sessions))),
    );
    return addUp(rounds, atOnce);
  },
};

function freezeAtPoints(name: string, frozenMs: number, identitiesMayDouble: boolean): PointRow {
  const options = { instancesSuffer: true, slowInstruments: true, identitiesMayDouble };
  return {
    name,
    sessions: { full: 2, short: identitiesMayDouble ? 0 : 1 },
    async run(round, { short, sessions, atOnce }) {
      const points = short ? ['before the processor token'] : await pointsOf(round);
      const rounds = points.map(
        (point) => () =>
          untilReached(() =>
            round({ instances: 2, options }, {}, (arena) => freezeAt(arena, point, sessions, frozenMs)),
          ),
      );
      return addUp(rounds, atOnce);
    },
  };
}

/** At every point in turn. Freezing: another process takes over, and then the frozen one wakes up and goes on. */
export const pointRows: PointRow[] = [
  killAtPoints,
  freezeAtPoints('SIGSTOP at each recovery point, longer than the lease', FROZEN_MS, false),
  freezeAtPoints('SIGSTOP at each recovery point, longer than the quiet period', FROZEN_LONG_MS, true),
];

class NotReached extends Error {
  override readonly name = 'NotReached';
}

/** How often a round is begun: a call that is repeated on a busy machine brings other commits than the usual ones. */
const BEGINNINGS = 3;

async function untilReached(round: () => Promise<Verdict>): Promise<Verdict> {
  for (let beginning = 1; ; beginning++) {
    try {
      return await round();
    } catch (error) {
      if (!(error instanceof NotReached) || beginning === BEGINNINGS) throw error;
    }
  }
}

async function killAt(arena: Arena, point: string, sessions: number): Promise<void> {
  const [first] = arena.cluster.instances;
  await first?.tell({ order: 'arm', point, action: 'kill' });
  await arena.connect(sessions);
  if (first?.isAlive) throw new NotReached(`nobody came to the point "${point}"`);
}

/** Sends everybody to the first instance until it freezes, then to the second. */
export async function freezeAt(arena: Arena, point: string, sessions: number, frozenMs: number): Promise<void> {
  const [first, second] = arena.cluster.instances;
  if (!first || !second) throw new Error('freezing takes two instances');
  await first.tell({ order: 'arm', point, action: 'freeze' });
  let frozen = false;
  const connecting = arena.connect(sessions, { url: () => (frozen ? second.url : first.url) });
  if (!(await first.hasSaid('freeze', REACHED_MS))) {
    await connecting;
    throw new NotReached(`nobody came to the point "${point}"`);
  }
  frozen = true;
  // Most is done by then; the rest goes on beside the one that wakes up.
  await sleep(frozenMs);
  first.signal('SIGCONT');
  await connecting;
}

/** Every point that a session passes when nothing goes wrong, from a run of one. */
async function pointsOf(round: RunRound): Promise<string[]> {
  let points: string[] = [];
  await round({ instances: 1 }, {}, async (arena) => {
    const [instance] = arena.cluster.instances;
    await instance?.tell({ order: 'trace' });
    await arena.connect(1);
    points = (instance?.said ?? []).flatMap((line) => (line.startsWith('point ') ? line.slice('point '.length) : []));
  });
  if (points.length === 0) throw new Error('no points: the way around clients and storage is broken');
  return points;
}
