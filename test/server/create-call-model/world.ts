import type { SeenInstrument } from '../../../server/work/create-call.ts';

/**
 * A small world for one connection: Finix, which carries calls out late, answers or does not, and lists late; a
 * database; workers that crash, freeze and take each other's lease; events that end or renew the connection. `explore`
 * tries every order of what can happen.
 */

/** Ticks. Two, so that something can happen within the quiet period. */
export const QUIET = 2;
/** A list that shows an instrument later than the quiet period. */
export const LONG_LAG = QUIET + 1;

export interface Instrument extends SeenInstrument {
  visibleAt: number;
}

/** A create call at Finix that has not been carried out yet. */
export interface Flight {
  call: string;
  generation: number;
  sentAt: number;
}

/** A worker that is to give the connection an instrument. */
export interface Worker {
  at: 'start' | 'decided' | 'intent' | 'waits for the answer' | 'answered' | 'refused with 5xx';
  generation: number;
  seen?: SeenInstrument[];
  call?: string;
  sentAt?: number;
  made?: string;
}

export interface World<Db> {
  now: number;
  db: Db;
  instruments: Instrument[];
  flights: Flight[];
  /** The present worker; one that lost its lease, and may come back. */
  worker: Worker | null;
  frozen: Worker | null;
  /** What the sweep has been given by Finix's list and has not acted on yet. */
  sweep: SeenInstrument[] | null;
  /** How often the sweep has asked Finix for its list. */
  sweeps: number;
  /** How often each may still happen; bounds the search. */
  left: { creates: number; crashes: number; freezes: number; ends: number; renewals: number };
}

/** The database and the programs over it. Every function changes the world that it is given. */
export interface Rules<Db> {
  initial(): Db;
  /** Reads, and Finix's list if need be. @returns whether the worker can go on; false: it waits for the clock */
  decide(world: World<Db>, worker: Worker): boolean;
  /** Whether what was decided is to adopt what Finix lists. */
  adopts(world: World<Db>, worker: Worker): boolean;
  /** Writes what was decided: adopts, or commits the intent. @param mayWrite the fence lets this worker write */
  write(world: World<Db>, worker: Worker, mayWrite: boolean): 'done' | 'send' | 'again';
  /** The call has made `worker.made`, and its answer shows it. */
  answered(world: World<Db>, worker: Worker, mayWrite: boolean): void;
  /** An error that may have come after the commit. @returns whether the worker is done */
  failed(world: World<Db>, worker: Worker, mayWrite: boolean): boolean;
  /** The work is given up, or the customer or merchant ends the connection. */
  end(world: World<Db>): void;
  /** The account has new numbers. @returns false when the connection can't be renewed now */
  renew(world: World<Db>): boolean;
  /** Whether a look at Finix's list is due that is not the worker's. */
  isSweepDue(world: World<Db>): boolean;
  /** Acts on `world.sweep`. */
  sweep(world: World<Db>, seen: SeenInstrument[]): void;
  /** Whether anything is left to be looked for, now or later. */
  isOpen(db: Db): boolean;
  /** The database with its times counted from `now`, so that worlds which only differ in the date are one. */
  dated(db: Db, from: (time: number) => number): unknown;
  /** What the connection is. */
  status(db: Db): { status: 'pending' | 'active' | 'ended'; generation: number; instrument: string | null };
}

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

/** Nothing begins after this tick; a call of before it may be sent once more. */
const LAST_EVENT = 5;
/** More than any history needs: three for each of three calls, one for each instrument that was replaced. */
const MOST_SWEEPS = 12;

export function list<Db>({ instruments, now }: World<Db>): SeenInstrument[] {
  return instruments
    .filter(({ visibleAt }) => visibleAt <= now)
    .map(({ id, generation, call, enabled }) => ({ id, generation, call, enabled }));
}

export function disable<Db>(world: World<Db>, ids: readonly string[]): void {
  for (const instrument of world.instruments) if (ids.includes(instrument.id)) instrument.enabled = false;
}

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

/** Nothing is in progress, and nothing is left to be swept. */
function isAtRest<Db>(rules: Rules<Db>, { db, worker, frozen, sweep, flights }: World<Db>): boolean {
  return !rules.isOpen(db) && worker === null && frozen === null && sweep === null && flights.length === 0;
}

/** Everything that can happen next. */
function* successors<Db>(rules: Rules<Db>, world: World<Db>): Generator<[string, World<Db>]> {
  const text = JSON.stringify(world);
  const change = (name: string, apply: (copy: World<Db>) => boolean | undefined): [string, World<Db>][] => {
    const copy = JSON.parse(text) as World<Db>;
    return apply(copy) === false ? [] : [[name, copy]];
  };
  yield* workerSteps(rules, world, 'worker', change);
  yield* workerSteps(rules, world, 'frozen', change);
  yield* finixSteps(world, change);
  const { status } = rules.status(world.db);
  const { left, worker, frozen } = world;
  if (worker && left.crashes > 0) {
    yield* change('the worker crashes, and another goes on', (copy) => {
      copy.left.crashes--;
      copy.worker = { at: 'start', generation: rules.status(copy.db).generation };
      return undefined;
    });
  }
  if (worker && !frozen && left.freezes > 0 && worker.at !== 'start') {
    yield* change('the worker freezes, and another takes its lease', (copy) => {
      copy.left.freezes--;
      copy.frozen = copy.worker;
      copy.worker = { at: 'start', generation: rules.status(copy.db).generation };
      return undefined;
    });
  }
  // Late enough before the last tick that every look comes before it.
  const isEarly = world.now < LAST_EVENT;
  if (left.ends > 0 && isEarly && status !== 'ended') {
    yield* change('the connection ends', (copy) => {
      copy.left.ends--;
      rules.end(copy);
      return undefined;
    });
  }
  if (left.renewals > 0 && isEarly) {
    yield* change('the connection is renewed', (copy) => {
      copy.left.renewals--;
      if (!rules.renew(copy)) return false;
      // A worker of before is out: the version has moved on. It may come back only where the search is for that.
      if (copy.worker && copy.left.freezes > 0 && copy.frozen === null) {
        copy.left.freezes--;
        copy.frozen = copy.worker;
      }
      copy.worker = { at: 'start', generation: rules.status(copy.db).generation };
      return undefined;
    });
  }
  if (world.sweep) {
    yield* change('the sweep acts', (copy) => {
      rules.sweep(copy, copy.sweep ?? []);
      copy.sweep = null;
      return undefined;
    });
  } else if (rules.isSweepDue(world)) {
    yield* change('the sweep asks Finix for its list', (copy) => {
      copy.sweep = list(copy);
      copy.sweeps++;
      return undefined;
    });
  }
  yield* tick(rules, world, change);
}

type Change<Db> = (name: string, apply: (copy: World<Db>) => boolean | undefined) => [string, World<Db>][];

function* workerSteps<Db>(
  rules: Rules<Db>,
  world: World<Db>,
  who: 'worker' | 'frozen',
  change: Change<Db>,
): Generator<[string, World<Db>]> {
  const present = world[who];
  if (!present) return;
  const mayWrite = who === 'worker';
  const name = mayWrite ? 'the worker' : 'the overtaken worker';
  const step = (what: string, apply: (copy: World<Db>, worker: Worker) => boolean | undefined) =>
    change(`${name} ${what}`, (copy) => apply(copy, copy[who] as Worker));
  if (present.at === 'start') {
    if (!mayWrite) return yield* step('finds that it was overtaken', (copy) => leave(copy, who));
    yield* step('reads and decides', (copy, worker) => {
      if (rules.status(copy.db).status !== 'pending') return leave(copy, who);
      if (!rules.decide(copy, worker)) return false;
      worker.at = 'decided';
      return undefined;
    });
  } else if (present.at === 'decided') {
    if (world.left.creates <= 0) {
      yield* step('has tried for long enough, and gives the work up', (copy) => {
        if (mayWrite && rules.status(copy.db).status === 'pending') rules.end(copy);
        copy[who] = null;
        return undefined;
      });
    }
    yield* step('writes', (copy, worker) => {
      if (world.left.creates <= 0 && !rules.adopts(copy, worker)) return false;
      const outcome = rules.write(copy, worker, mayWrite);
      if (outcome === 'done') copy[who] = null;
      else worker.at = outcome === 'send' ? 'intent' : 'start';
      return undefined;
    });
  } else if (present.at === 'intent') {
    yield* step('sends', (copy, worker) => {
      const { call = '', generation, sentAt = 0 } = worker;
      // It sweeps at the clock before it sends.
      if (copy.now > sentAt) worker.at = 'start';
      else {
        copy.left.creates--;
        copy.flights.push({ call, generation, sentAt: copy.now });
        worker.at = 'waits for the answer';
      }
      return undefined;
    });
  } else if (present.at === 'answered') {
    yield* step('has the answer', (copy, worker) => {
      rules.answered(copy, worker, mayWrite);
      copy[who] = null;
      return undefined;
    });
  } else if (present.at === 'refused with 5xx') {
    yield* step('has an error', (copy, worker) => {
      if (rules.failed(copy, worker, mayWrite)) copy[who] = null;
      else worker.at = 'start';
      return undefined;
    });
  } else {
    yield* step('has no answer in time', (_copy, worker) => {
      worker.at = 'start';
      return undefined;
    });
  }
}

function leave<Db>(world: World<Db>, who: 'worker' | 'frozen'): undefined {
  world[who] = null;
}

function* finixSteps<Db>(world: World<Db>, change: Change<Db>): Generator<[string, World<Db>]> {
  for (const [index, flight] of world.flights.entries()) {
    const waits = (copy: World<Db>) =>
      [copy.worker, copy.frozen].find((one) => one?.at === 'waits for the answer' && one.call === flight.call);
    const commit = (copy: World<Db>, lag: number): string => {
      copy.flights.splice(index, 1);
      const id = `PI${copy.instruments.length + 1}`;
      const { generation, call } = flight;
      copy.instruments.push({ id, generation, call, enabled: true, visibleAt: copy.now + lag });
      return id;
    };
    for (const lag of [0, LONG_LAG]) {
      const name = lag === 0 ? '' : ', and lists it late';
      if (waits(world)) {
        yield* change(`Finix makes an instrument and answers${name}`, (copy) => {
          Object.assign(waits(copy) ?? {}, { at: 'answered', made: commit(copy, lag) });
          return undefined;
        });
        yield* change(`Finix makes an instrument and answers 5xx${name}`, (copy) => {
          const worker = waits(copy);
          commit(copy, lag);
          if (worker) worker.at = 'refused with 5xx';
          return undefined;
        });
      }
      yield* change(`Finix makes an instrument, and the answer is lost${name}`, (copy) => {
        const worker = waits(copy);
        commit(copy, lag);
        if (worker) worker.at = 'start';
        return undefined;
      });
    }
    yield* change('Finix never gets the call', (copy) => {
      const worker = waits(copy);
      copy.flights.splice(index, 1);
      if (worker) worker.at = 'start';
      return undefined;
    });
  }
}

function* tick<Db>(rules: Rules<Db>, world: World<Db>, change: Change<Db>): Generator<[string, World<Db>]> {
  if (isAtRest(rules, world)) return;
  if (world.frozen && world.now >= LAST_EVENT) return;
  // What jobs do is done within a tick; Finix carries out a call within the quiet period.
  if (world.sweep || rules.isSweepDue(world)) return;
  if (world.flights.some(({ sentAt }) => world.now >= sentAt + QUIET)) return;
  // A worker that could go on does, unless it is the frozen one; the instance that took over is not frozen too.
  const { worker } = world;
  if (worker && worker.at !== 'waits for the answer') {
    const copy = structuredClone(world);
    const waits = worker.at === 'start' && !rules.decide(copy, copy.worker as Worker);
    if (!waits) return;
  }
  yield* change('time passes', (copy) => {
    copy.now++;
    return undefined;
  });
}
