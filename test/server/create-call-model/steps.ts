import { LAST_EVENT, LONG_LAG, list, QUIET, type Rules, type Worker, type World } from './world.ts';

/** Nothing is in progress, and nothing is left to be swept. */
export function isAtRest<Db>(rules: Rules<Db>, { db, worker, frozen, sweep, flights }: World<Db>): boolean {
  return !rules.isOpen(db) && worker === null && frozen === null && sweep === null && flights.length === 0;
}

/** Everything that can happen next. */
export function* successors<Db>(rules: Rules<Db>, world: World<Db>): Generator<[string, World<Db>]> {
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
    const waits = change('waits', (copy) => worker.at === 'start' && !rules.decide(copy, copy.worker as Worker));
    if (waits.length === 0) return;
  }
  yield* change('time passes', (copy) => {
    copy.now++;
    return undefined;
  });
}
