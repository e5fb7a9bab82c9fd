import { isAtRest, successors } from './steps.ts';
import { LAST_EVENT, QUIET, type Rules, type World } from './world.ts';

export interface Violation {
  /** What is wrong at the end. */
  problem: string;
  /** What happened, in order. */
  trace: string[];
}

export interface Exploration {
  worlds: number;
  violations: Violation[];
}

/** More than any history needs: three for each of three calls, one for each instrument that was replaced. */
const MOST_SWEEPS = 12;

/** @param enough how many violations are enough to stop */
export function explore<Db>(rules: Rules<Db>, left: World<Db>['left'], enough = 1): Exploration {
  const first: World<Db> = {
    now: 0,
    db: rules.initial(),
    instruments: [],
    flights: [],
    worker: { at: 'start', generation: 0 },
    frozen: null,
    sweep: null,
    sweeps: 0,
    left,
  };
  const known = new Set<string>();
  const violations: Violation[] = [];
  const open: { world: World<Db>; trace: Trace | undefined }[] = [{ world: first, trace: undefined }];
  for (let next = open.pop(); next && violations.length < enough; next = open.pop()) {
    const { world, trace } = next;
    const problem = problemOf(rules, world);
    if (problem !== undefined) {
      violations.push({ problem, trace: steps(trace) });
      continue;
    }
    for (const [name, after] of successors(rules, world)) {
      const key = keyOf(rules, after);
      if (known.has(key)) continue;
      known.add(key);
      open.push({ world: after, trace: { step: `${after.now}: ${name}`, before: trace } });
    }
  }
  return { worlds: known.size, violations };
}

function keyOf<Db>(rules: Rules<Db>, world: World<Db>): string {
  const { now, db, instruments, flights, worker, frozen, sweep, sweeps, left } = world;
  // Further back than the last look makes no difference.
  const from = (time: number) => Math.max(time - now, -5 * QUIET);
  return JSON.stringify([
    Math.min(now, LAST_EVENT),
    rules.dated(db, from),
    instruments.map((one) => ({ ...one, visibleAt: Math.max(0, one.visibleAt - now) })),
    flights.map((one) => ({ ...one, sentAt: from(one.sentAt) })),
    [worker, frozen].map((one) => one && { ...one, ...(one.sentAt === undefined ? {} : { sentAt: from(one.sentAt) }) }),
    sweep,
    sweeps,
    left,
  ]);
}

interface Trace {
  step: string;
  before: Trace | undefined;
}

function steps(trace: Trace | undefined): string[] {
  const all: string[] = [];
  for (let at = trace; at; at = at.before) all.unshift(at.step);
  return all;
}

/** What must hold whenever nothing is in progress and nothing is left to be swept. */
function problemOf<Db>(rules: Rules<Db>, world: World<Db>): string | undefined {
  const { status, instrument } = rules.status(world.db);
  if (world.sweeps > MOST_SWEEPS) return 'Finix is asked for its list indefinitely';
  if (!isAtRest(rules, world) || status === 'pending') return undefined;
  const enabled = world.instruments.filter((one) => one.enabled).map(({ id }) => id);
  const expected = status === 'active' ? [instrument] : [];
  if (enabled.join() === expected.join()) return undefined;
  return `the connection is ${status} with ${instrument}, and enabled are ${enabled.join(', ') || 'none'}`;
}
