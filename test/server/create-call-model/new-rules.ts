import { decideLook, type Kept, nextCreateStep, type OpenCall } from '../../../server/work/create-call.ts';
import { disable, list, QUIET, type Rules, type Worker, type World } from './world.ts';

/**
 * The server's own rules over rows as it writes them: connect/finix-instrument.ts and connect/sweep.ts, without their
 * queries.
 */
interface Db {
  status: 'pending' | 'active' | 'ended';
  generation: number;
  instrument: string | null;
  calls: (OpenCall & { lookAt: number })[];
  /** The workers' decisions, kept by call, as a worker keeps them in memory. */
  calledSoFar: number;
}

type NewWorld = World<Db>;

export const newRules: Rules<Db> = {
  initial: () => ({ status: 'pending', generation: 0, instrument: null, calls: [], calledSoFar: 0 }),
  status: (db) => db,
  dated: (db, from) => ({
    ...db,
    calls: db.calls.map((call) => ({ ...call, sentAt: from(call.sentAt), lookAt: from(call.lookAt) })),
  }),
  isOpen: (db) => db.calls.length > 0,
  isSweepDue: ({ db, now }) => db.calls.some((call) => call.lookAt <= now && !isUndecided(db, call)),

  decide(world, worker) {
    const first = step(world, worker, undefined);
    if (first.kind === 'look') worker.seen = list(world).filter(({ generation }) => generation === worker.generation);
    return step(world, worker, worker.seen).kind !== 'wait';
  },

  adopts: (world, worker) => step(world, worker, worker.seen).kind === 'adopt',

  write(world, worker, mayWrite) {
    const { db } = world;
    const next = step(world, worker, worker.seen);
    if (next.kind === 'wait' || next.kind === 'look') return 'again';
    if (next.kind === 'adopt') {
      if (!mayWrite || !isWanted(db, worker)) return 'done';
      take(
        world,
        worker,
        next.id,
        next.duplicates,
        (worker.seen ?? []).flatMap(({ call }) => call ?? []),
      );
      return 'done';
    }
    if (!mayWrite || !isWanted(db, worker)) return 'done';
    worker.call = `call${++db.calledSoFar}`;
    worker.sentAt = world.now;
    delete worker.seen;
    db.calls.push({
      id: worker.call,
      generation: worker.generation,
      sentAt: world.now,
      outcome: null,
      instrument: null,
      lookAt: world.now + QUIET,
    });
    return 'send';
  },

  answered(world, worker, mayWrite) {
    const { db } = world;
    const made = worker.made ?? '';
    if (mayWrite && isWanted(db, worker)) return take(world, worker, made, [], [worker.call ?? '']);
    // In no row's care otherwise: the row may be gone, after sweeps that came before this answer.
    db.calls = db.calls.filter(({ id }) => id !== worker.call);
    db.calls.push({ ...madeRow(world, worker.generation, made), id: worker.call ?? '' });
  },

  failed(world, worker) {
    const call = world.db.calls.find(({ id }) => id === worker.call);
    if (call) call.outcome = 'error';
    return false;
  },

  end({ db, now }) {
    if (db.instrument !== null) db.calls.push(madeRow({ db, now }, db.generation, db.instrument));
    db.status = 'ended';
  },

  renew(world) {
    const { db } = world;
    if (db.status === 'pending') return false;
    if (db.instrument !== null) db.calls.push(madeRow(world, db.generation, db.instrument));
    Object.assign(db, { status: 'pending', generation: db.generation + 1, instrument: null });
    return true;
  },

  sweep(world, seen) {
    const { db, now } = world;
    const due = db.calls.filter(({ lookAt }) => lookAt <= now);
    const result = decideLook({ kept: keptBy(db), calls: due, seen, now, quietMs: QUIET });
    disable(world, result.disable);
    db.calls = db.calls.filter(({ id }) => !result.decided.includes(id));
    for (const { id, at } of result.again) {
      const call = db.calls.find((one) => one.id === id);
      if (call) call.lookAt = at;
    }
  },
};

function step({ db, now }: NewWorld, worker: Worker, seen: Worker['seen']) {
  const calls = db.calls.filter(({ generation }) => generation === worker.generation);
  return nextCreateStep({ calls, mustLook: false, seen, now, quietMs: QUIET });
}

function isWanted(db: Db, worker: Worker): boolean {
  return db.status === 'pending' && db.generation === worker.generation;
}

function isUndecided(db: Db, call: OpenCall): boolean {
  return db.status === 'pending' && db.generation === call.generation;
}

function keptBy(db: Db): Kept {
  if (db.status === 'pending') return { kind: 'undecided', generation: db.generation };
  return db.status === 'active' && db.instrument !== null
    ? { kind: 'instrument', id: db.instrument }
    : { kind: 'none' };
}

function take(world: NewWorld, worker: Worker, id: string, duplicates: string[], decided: string[]): void {
  const { db } = world;
  Object.assign(db, { status: 'active', instrument: id });
  db.calls = db.calls.filter((call) => !decided.includes(call.id));
  for (const one of duplicates) db.calls.push(madeRow(world, worker.generation, one));
}

function madeRow(
  { db, now }: Pick<NewWorld, 'db' | 'now'>,
  generation: number,
  instrument: string,
): Db['calls'][number] {
  const id = `row${++db.calledSoFar}`;
  return { id, generation, sentAt: now, outcome: 'made', instrument, lookAt: now };
}
