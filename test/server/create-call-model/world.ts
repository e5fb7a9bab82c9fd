import type { SeenInstrument } from '../../../server/work/create-call.ts';

/**
 * A small world for one connection: Finix, which carries calls out late, answers or does not, and lists late; a
 * database; workers that crash, freeze and take each other's lease; events that end or renew the connection. explore.ts
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

/** Nothing begins after this tick; a call of before it may be sent once more. */
export const LAST_EVENT = 5;

export function list<Db>({ instruments, now }: World<Db>): SeenInstrument[] {
  return instruments
    .filter(({ visibleAt }) => visibleAt <= now)
    .map(({ id, generation, call, enabled }) => ({ id, generation, call, enabled }));
}

export function disable<Db>(world: World<Db>, ids: readonly string[]): void {
  for (const instrument of world.instruments) if (ids.includes(instrument.id)) instrument.enabled = false;
}
