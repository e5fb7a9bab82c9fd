import { disable, list, QUIET, type Rules, type World } from './world.ts';

/**
 * The rules that version 0.1.0 had, as the negative control: three columns of the connection in place of a row for each
 * call. The search must find what they leave enabled, or it would find nothing in the present ones either.
 */
interface Db {
  status: 'pending' | 'active' | 'ended';
  generation: number;
  instrument: string | null;
  sentAt: number | null;
  tries: number;
  sweepAt: number | null;
}

type OldWorld = World<Db>;

export const oldRules: Rules<Db> = {
  initial: () => ({ status: 'pending', generation: 0, instrument: null, sentAt: null, tries: 0, sweepAt: null }),
  status: (db) => db,
  dated: (db, from) => ({
    ...db,
    sentAt: db.sentAt === null ? null : from(db.sentAt),
    sweepAt: db.sweepAt === null ? null : from(db.sweepAt),
  }),
  isOpen: (db) => db.sweepAt !== null,
  isSweepDue: ({ db, now }) => db.sweepAt !== null && db.sweepAt <= now,

  decide(world, worker) {
    const { db, now } = world;
    if (db.sentAt === null) return true;
    worker.seen = enabledOf(world, worker.generation);
    return worker.seen.length > 0 || now >= db.sentAt + QUIET;
  },

  adopts: (_world, { seen }) => (seen?.length ?? 0) > 0,

  write(world, worker, mayWrite) {
    if (!mayWrite) return 'done';
    const { db, now } = world;
    const [oldest, ...duplicates] = worker.seen ?? [];
    delete worker.seen;
    if (oldest) {
      adopt(world, oldest.id, now + QUIET);
      disable(
        world,
        duplicates.map(({ id }) => id),
      );
      return 'done';
    }
    if (db.status !== 'pending') return 'done';
    worker.call = `call${db.generation}.${db.tries}`;
    worker.sentAt = now;
    db.sentAt = now;
    db.tries++;
    return 'send';
  },

  answered(world, worker, mayWrite) {
    const { db, now } = world;
    if (!mayWrite) db.sweepAt = now + QUIET;
    else if (db.status === 'pending') adopt(world, worker.made ?? '', db.tries === 1 ? null : now + QUIET);
  },

  failed(world, worker, mayWrite) {
    const { db, now } = world;
    if (!mayWrite || db.status !== 'pending') return true;
    const [oldest] = enabledOf(world, worker.generation);
    if (oldest) adopt(world, oldest.id, now + QUIET);
    else db.sentAt = null;
    return oldest !== undefined;
  },

  end(world) {
    const { db, now } = world;
    // What was in use is disabled by its own task; what is in doubt is left to the sweep.
    if (db.status === 'active') disable(world, [db.instrument ?? '']);
    if (db.status === 'active' && db.sentAt === null) db.sweepAt ??= null;
    else db.sweepAt = now + QUIET;
    db.status = 'ended';
  },

  renew(world) {
    const { db } = world;
    if (db.status === 'pending') return false;
    disable(world, [db.instrument ?? '']);
    const next = { status: 'pending', generation: db.generation + 1, instrument: null } as const;
    Object.assign(db, { ...next, tries: db.sentAt === null ? 0 : db.tries, sentAt: null, sweepAt: null });
    return true;
  },

  sweep(world, seen) {
    const { db, now } = world;
    if (db.status === 'pending' || db.sentAt !== null) {
      db.sweepAt = now + QUIET;
      return;
    }
    const duplicates = seen.filter(({ id, enabled }) => enabled && (db.status === 'ended' || id !== db.instrument));
    disable(
      world,
      duplicates.map(({ id }) => id),
    );
    db.sweepAt = null;
  },
};

function enabledOf(world: OldWorld, generation: number) {
  return list(world).filter((one) => one.enabled && one.generation === generation);
}

function adopt({ db }: OldWorld, instrument: string, sweepAt: number | null): void {
  Object.assign(db, { status: 'active', instrument, sentAt: null, sweepAt });
}
