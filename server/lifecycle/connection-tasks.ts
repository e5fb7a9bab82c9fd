import { setTimeout as sleep } from 'node:timers/promises';
import type { ProblemCode } from '../../widget/contract.ts';
import { UpstreamError } from '../clients/outbound.ts';
import { makeInstrument } from '../connect/finix-instrument.ts';
import type { Adoption, InstrumentDeps, InstrumentHold } from '../connect/instrument-hold.ts';
import { disableInstruments } from '../connect/instrument-list.ts';
import type { Logger } from '../log.ts';
import { changeConnection, lockConnection, loginBreak, noMoreDebits, revoke } from '../records/connections.ts';
import { accessTokenOf, findItem } from '../records/items.ts';
import type { Unit } from '../records/unit.ts';
import type { DueQuery, Now } from '../storage/due.ts';
import { StorageUnavailableError } from '../storage/errors.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable, ConnectionTask } from '../storage/tables.ts';
import { depsAbout, traced } from '../trace.ts';
import { claimRow } from '../work/claim-row.ts';
import { startHeartbeat } from '../work/heartbeat.ts';
import {
  BACKOFF_CAP_MS,
  BUDGET_MS,
  backoff,
  countedWait,
  Fenced,
  PermissionRevoked,
  Postpone,
  QUICK_ATTEMPTS,
  Stop,
} from '../work/retry.ts';
import { newOwner } from '../work/session-lease.ts';
import type { Timing } from '../work/timing.ts';
import { releaseItem } from './remove-item.ts';

/**
 * What is done with a connection after its session: a new instrument, disabling, removal. Each is a task in the row,
 * worked on by one worker at a time under a lease and a fence, as sessions are, and begun again from the row wherever
 * it stopped.
 */
export interface ConnectionTasks {
  /**
   * Works on one connection's task if it is due and no other worker has it. Resolves when it can't go further for now,
   * or after `patienceMs`, while it goes on.
   */
  run(id: string, patienceMs?: number): Promise<void>;
  /** Works on what is due, `limit` at once. @returns whether there may be more */
  runDue(limit: number): Promise<boolean>;
  /** Takes no new work, lets the running work finish. */
  stop(): Promise<void>;
}

export interface TaskDeps extends InstrumentDeps {
  secrets: Secrets;
  log: Logger;
}

/** A connection under this worker's lease, as makeInstrument and the other steps write it. */
class HeldConnection implements InstrumentHold {
  /**
   * Up to when the task's waiting was counted. Not the present `updated_at`: an attempt that fails has often written.
   */
  readonly countedUntil: number;

  constructor(
    private readonly deps: TaskDeps,
    public row: ConnectionTable,
  ) {
    this.countedUntil = row.updated_at;
  }

  /**
   * An instrument may have been made before an older copy of the database was restored; looking costs one call, and
   * tasks are rare.
   */
  readonly looksFirst = true;
  readonly isFirst = false;

  get since(): number {
    return this.row.created_at;
  }

  /** @throws Fenced when the connection has moved on without us; nothing is written then */
  async write(also: (trx: StorageTransaction, now: number) => Promise<unknown>): Promise<void> {
    const { storage, timing } = this.deps;
    const now = await storage.now();
    const { id, version, customer_id } = this.row;
    this.row = await storage.transaction(`customer:${customer_id}`, async (trx) => {
      const mine = await trx
        .updateTable('connections')
        .set({ lease_until: now + leaseOf(this.row.goal, timing) })
        .where('id', '=', id)
        .where('version', '=', version)
        .returning('id')
        .executeTakeFirst();
      if (!mine) throw new Fenced(`the lease on connection ${id} was lost`);
      await also(trx, now);
      return trx.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    });
  }

  adopt(also: Adoption): Promise<void> {
    return this.write(also);
  }

  /** Changes the row itself; see changeConnection. */
  change(patch: Partial<ConnectionTable>): Promise<void> {
    return this.changeBy((unit, before) => changeConnection(unit, before, patch));
  }

  changeBy(apply: (unit: Unit, before: ConnectionTable) => Promise<unknown>): Promise<void> {
    return this.write(async (trx, now) => {
      const before = await lockConnection(trx, this.row.id);
      if (before) await apply({ trx, outbox: this.deps.outbox, now, by: { actor: 'job' } }, before);
    });
  }
}

/** Stopping debits is begun again soon where its worker has gone, and may be done twice; a create call must not. */
function leaseOf(task: ConnectionTask | null, { leaseMs, stopLeaseMs }: Timing): number {
  return task === 'disable' || task === 'remove' ? stopLeaseMs : leaseMs;
}

const DONE = { goal: null, goal_since: null, tries: 0, lease_owner: null, lease_until: 0 } as const;

const TASKS: Record<ConnectionTask, (deps: TaskDeps, held: HeldConnection) => Promise<void>> = {
  instrument: renewInstrument,
  disable: async (deps, held) => {
    await disableInstruments(deps, held.row);
    // The account is of no use any more: its login only bills.
    if (held.row.status === 'failed') await releaseItem(deps, held.row);
    await held.change({ ...DONE, instrument_sent_at: null });
  },
  remove: async (deps, held) => {
    await disableInstruments(deps, held.row);
    await releaseItem(deps, held.row);
    await held.change({
      ...DONE,
      instrument_sent_at: null,
      status: 'removed',
      removed_at: await deps.storage.now(),
    });
  },
};

/** It gets no instrument. Its login, which is of no use any more, goes with the next task. */
function givenUp(row: ConnectionTable, code: ProblemCode, now: number): Partial<ConnectionTable> {
  const patch = { instrument_sent_at: null, status: 'failed', error_code: code, reason: code } as const;
  return { ...DONE, ...patch, ...noMoreDebits(row, now) };
}

/** Its customer has taken it back, or is to sign in again, for the reason of an event if one has come. */
function signInAgain(unit: Unit, before: ConnectionTable, stop: Stop): Promise<ConnectionTable> {
  if (stop instanceof PermissionRevoked) return revoke(unit, before, stop.reason);
  const reason = loginBreak(before) ?? stop.code;
  const patch = { ...DONE, instrument_sent_at: null, status: 'needs_repair', reason, error_code: null } as const;
  return changeConnection(unit, before, patch);
}

/** The old numbers are out of use before the new ones come in: a debit of the old would be returned. */
async function renewInstrument(deps: TaskDeps, held: HeldConnection): Promise<void> {
  const { payment_instrument: present, previous_payment_instrument: previous, status } = held.row;
  if (status === 'pending' && previous !== null) await disableInstruments(deps, held.row, [previous]);
  const item = await findItem(deps.storage.db, held.row.item_id);
  const accessToken = item ? accessTokenOf(deps.secrets, item) : null;
  if (accessToken === null) throw new Stop('restart_required', 'restart_required');
  if (present === null && status !== 'failed') await makeInstrument(deps, held, held.row, accessToken);
  // A return of the account has stopped its debits: that is another task now.
  if (held.row.goal !== 'instrument') return;
  // Plaid's webhook has reported the account as verified, and its API does not know yet.
  if (held.row.status === 'pending_verification') throw new Postpone('plaid_unavailable');
  if (held.row.status === 'failed') await releaseItem(deps, held.row);
  await held.change(DONE);
}

function dueTasks(db: Storage['db'], now: Now) {
  return db
    .selectFrom('connections')
    .where('goal', 'is not', null)
    .where('next_at', '<=', now)
    .where('lease_until', '<=', now)
    .orderBy('next_at');
}

export const DUE_TASKS: DueQuery = (db, now) => dueTasks(db, now).select('id');

export function createConnectionTasks(deps: TaskDeps): ConnectionTasks {
  const { storage, log, timing } = deps;
  const inFlight = new Set<Promise<void>>();
  let stopped = false;

  async function claim(id: string): Promise<ConnectionTable | undefined> {
    const now = await storage.now();
    return (
      storage.db
        .updateTable('connections')
        // Each claim has its own owner: one that was fenced gives back its own lease and no other.
        .set((eb) => ({
          lease_owner: newOwner(),
          lease_until: eb
            .case()
            .when('goal', '=', 'instrument')
            .then(now + leaseOf('instrument', timing))
            .else(now + leaseOf('disable', timing))
            .end(),
          version: eb('version', '+', 1),
        }))
        .where('id', '=', id)
        .where('goal', 'is not', null)
        .where('next_at', '<=', now)
        .where('lease_until', '<=', now)
        .returningAll()
        .executeTakeFirst()
    );
  }

  async function work(held: HeldConnection, task: ConnectionTask): Promise<void> {
    try {
      const { id, session_id } = held.row;
      await TASKS[task](depsAbout(deps, { session: session_id, connection: id }), held);
      log.info({ connection: held.row.id, task, status: held.row.status }, 'connection task completed');
    } catch (error) {
      if (error instanceof Fenced || error instanceof StorageUnavailableError) throw error;
      await settle(held, task, error);
    }
  }

  async function settle(held: HeldConnection, task: ConnectionTask, error: unknown): Promise<void> {
    const { id, tries } = held.row;
    const now = await storage.now();
    if (error instanceof Stop) {
      // Plaid refuses the Item until its customer comes back.
      if (error.status !== 'restart_required') return held.change(givenUp(held.row, error.code, now));
      return held.changeBy((unit, before) => signInAgain(unit, before, error));
    }
    if (error instanceof UpstreamError) {
      const { service, call, failure, code, details } = error;
      log.warn({ connection: id, task, service, call, failure, code, ...details }, 'upstream call failed');
    } else if (!(error instanceof Postpone)) {
      log.error({ connection: id, task, err: error }, 'unexpected error in a connection task');
    }
    // Disabling is never given up: the customer would be debited against their will.
    const waited_ms = held.row.waited_ms + countedWait(held.countedUntil, now);
    if (task === 'instrument' && waited_ms > BUDGET_MS) {
      const code = error instanceof Postpone ? error.code : 'finix_unavailable';
      return held.change(givenUp(held.row, code, now));
    }
    const counts = !(error instanceof Postpone) || error.counts;
    const asked = error instanceof Postpone ? error.delayMs : retryAfterOf(error);
    // Disabling twice is harmless, and a customer is debited until it is done: no provider's wish puts it off for long.
    const isStop = task !== 'instrument' && tries < QUICK_ATTEMPTS;
    const longest = error instanceof Postpone ? Number.POSITIVE_INFINITY : isStop ? BACKOFF_CAP_MS : timing.slowCapMs;
    const delay = Math.ceil(Math.min(asked ?? backoff(tries, timing), longest));
    const attempted = tries + (counts ? 1 : 0);
    await held.change({ tries: attempted, waited_ms, next_at: now + delay, lease_owner: null, lease_until: 0 });
  }

  /**
   * The row was changed by other work, whose writer took no lease: the task goes on at once from the row as it is now.
   */
  async function giveBack({ id, lease_owner }: ConnectionTable): Promise<boolean> {
    return claimRow(storage, 'connections', { id, lease_owner }, { lease_owner: null, lease_until: 0 });
  }

  /** Each claim has its own owner. */
  async function renewLease({ id, lease_owner, goal }: ConnectionTable): Promise<void> {
    const lease_until = (await storage.now()) + leaseOf(goal, timing);
    await claimRow(storage, 'connections', { id, lease_owner }, { lease_until });
  }

  async function run(id: string, patienceMs?: number): Promise<void> {
    if (stopped) return;
    const row = await claim(id);
    if (!row?.goal) return;
    const { goal, session_id } = row;
    const endHeartbeat = startHeartbeat(leaseOf(goal, timing), () => renewLease(row));
    const facts = { session: session_id, connection: id, task: goal };
    const running = traced('connection_task', facts, () =>
      work(new HeldConnection(deps, row), goal).finally(endHeartbeat),
    ).catch(async (error: unknown) => {
      // The worker that took over, or the next one once storage is back, continues from the row.
      if (!(error instanceof Fenced)) return log.warn({ connection: id, err: error }, 'connection task interrupted');
      if (await giveBack(row)) await run(id);
    });
    inFlight.add(running);
    const ended = running.finally(() => inFlight.delete(running));
    const patience = new AbortController();
    const waits =
      patienceMs === undefined ? [] : [sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => {})];
    await Promise.race([ended, ...waits]).finally(() => patience.abort());
  }

  return {
    run,
    async runDue(limit) {
      const now = await storage.now();
      const due = await dueTasks(storage.db, now).select('id').limit(limit).execute();
      await Promise.all(due.map(({ id }) => run(id)));
      return due.length === limit;
    },
    async stop() {
      stopped = true;
      await Promise.allSettled(inFlight);
    },
  };
}

function retryAfterOf(error: unknown): number | undefined {
  const seconds = error instanceof UpstreamError ? error.details.retryAfter : undefined;
  return seconds === undefined ? undefined : seconds * 1000;
}
