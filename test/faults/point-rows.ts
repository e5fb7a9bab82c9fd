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
    const points = await pointsOf(round, short ? few : all);
    const rounds = points.map(
      (point) => () =>
        round({ instances: 1, options: { instancesSuffer: true, slowInstruments: true } }, {}, async (arena) => {
          await arena.cluster.instances[0]?.tell({ order: 'arm', point, action: 'kill' });
          const [first] = arena.cluster.instances;
          await arena.connect(sessions);
          if (first?.isAlive) throw new Error(`nobody came to the point "${point}"`);
        }),
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
      const points = await pointsOf(round, short ? few : all);
      const rounds = points.map(
        (point) => () => round({ instances: 2, options }, {}, (arena) => freezeAt(arena, point, sessions, frozenMs)),
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

/** Sends everybody to the first instance until it freezes, then to the second. */
export async function freezeAt(arena: Arena, point: string, sessions: number, frozenMs: number): Promise<void> {
  const [first, second] = arena.cluster.instances;
  if (!first || !second) throw new Error('freezing takes two instances');
  await first.tell({ order: 'arm', point, action: 'freeze' });
  let frozen = false;
  const connecting = arena.connect(sessions, { url: () => (frozen ? second.url : first.url) });
  if (!(await first.hasSaid('freeze', REACHED_MS))) throw new Error(`nobody came to the point "${point}"`);
  frozen = true;
  // Most is done by then; the rest goes on beside the one that wakes up.
  await sleep(frozenMs);
  first.signal('SIGCONT');
  await connecting;
}

const all = (points: string[]) => points;
/** A tenth of them: the short form is for what breaks everything. */
const few = (points: string[]) => points.filter((_, i) => i % 10 === 4);

/** Every point that a session passes when nothing goes wrong, from a run of one. */
async function pointsOf(round: RunRound, choose: (points: string[]) => string[]): Promise<string[]> {
  let points: string[] = [];
  await round({ instances: 1 }, {}, async (arena) => {
    const [instance] = arena.cluster.instances;
    await instance?.tell({ order: 'trace' });
    await arena.connect(1);
    points = (instance?.said ?? []).flatMap((line) => (line.startsWith('point ') ? line.slice('point '.length) : []));
  });
  if (points.length === 0) throw new Error('no points: the way around clients and storage is broken');
  return choose(points);
}
