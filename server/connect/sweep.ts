import pLimit from 'p-limit';
import { UpstreamError } from '../clients/outbound.ts';
import type { Logger } from '../log.ts';
import { awaitsInstrument, DISABLED_IN_FINIX, isOutOfUse, lockConnection } from '../records/connections.ts';
import { isBusy } from '../records/items.ts';
import type { DueQuery, Now } from '../storage/due.ts';
import { StorageUnavailableError } from '../storage/errors.ts';
import type { Storage } from '../storage/open.ts';
import type { CreateCallTable, CustomerTable } from '../storage/tables.ts';
import { claimRow } from '../work/claim-row.ts';
import {
  decideLook,
  isInWork,
  type Kept,
  type LookResult,
  nextLook,
  type SeenInstrument,
  toOpenCall,
} from '../work/create-call.ts';
import { backoff, QUICK_ATTEMPTS } from '../work/retry.ts';
import { isTooLong, keepIdentity, look } from './finix-identity.ts';
import type { InstrumentDeps } from './instrument-hold.ts';
import { disableAll, listOwn, type OwnInstrument } from './instrument-list.ts';

/**
 * Looks for what create calls have made whose answer never came, long after the work that sent them has moved on or
 * ended, and disables every instrument that its connection must not have.
 */
export type SweepDeps = Pick<InstrumentDeps, 'storage' | 'clock' | 'finix' | 'quietMs' | 'timing'> & { log: Logger };

/** `known`: an instrument that must go, by its id. `in doubt`: Finix's list shows what the call has made. */
type Certainty = 'known' | 'in doubt';

function dueCalls(db: Storage['db'], now: Now, which: Certainty) {
  const due = db.selectFrom('create_calls').where('look_at', '<=', now);
  return due.where('instrument', which === 'known' ? 'is not' : 'is', null).orderBy('look_at');
}

function dueColumns(db: Storage['db'], now: Now) {
  return db.selectFrom('connections').where('sweep_at', '<=', now).orderBy('sweep_at');
}

export const DUE_DISABLINGS: DueQuery = (db, now) => dueCalls(db, now, 'known').select('id');

export const DUE_LOOKS: readonly DueQuery[] = [
  (db, now) => dueCalls(db, now, 'in doubt').select('id'),
  (db, now) => dueColumns(db, now).select('id'),
];

/** Takes on what is due, `callsAtOnce` connections and customers at the same time. @returns whether more may be due */
export async function sweepDue(deps: SweepDeps, limit: number, callsAtOnce: number): Promise<boolean> {
  await takeOverDue(deps, limit);
  const due = await dueCalls(deps.storage.db, await deps.storage.now(), 'in doubt')
    .select(['kind', 'connection_id', 'tag'])
    .limit(limit)
    .execute();
  const connections = new Set(due.flatMap(({ connection_id }) => connection_id ?? []));
  const identities = new Set(due.flatMap(({ kind, tag }) => (kind === 'identity' ? tag : [])));
  const atOnce = pLimit(callsAtOnce);
  await Promise.all([
    ...[...connections].map((id) => atOnce(sweepConnection, deps, id, 'in doubt' as const)),
    ...[...identities].map((tag) => atOnce(sweepIdentity, deps, tag)),
  ]);
  return due.length === limit;
}

/** As `sweepDue`, of instruments that are known by their ids: they wait for no list of another connection's. */
export async function disableDue(deps: SweepDeps, limit: number, callsAtOnce: number): Promise<boolean> {
  const due = await dueCalls(deps.storage.db, await deps.storage.now(), 'known')
    .select('connection_id')
    .limit(limit)
    .execute();
  const atOnce = pLimit(callsAtOnce);
  const connections = new Set(due.flatMap(({ connection_id }) => connection_id ?? []));
  await Promise.all([...connections].map((id) => atOnce(sweepConnection, deps, id, 'known' as const)));
  return due.length === limit;
}

/** What servers of version 0.1 have left in their column. */
async function takeOverDue({ storage }: SweepDeps, limit: number): Promise<void> {
  const left = await dueColumns(storage.db, await storage.now())
    .select(['id', 'customer_id'])
    .limit(limit)
    .execute();
  for (const { id, customer_id } of left) {
    await storage.transaction(`customer:${customer_id}`, async (trx) => void (await lockConnection(trx, id)));
  }
}

/** Of all calls with this tag that are due those that this instance has taken; others leave them alone until then. */
class TakenCalls {
  private constructor(
    private readonly deps: SweepDeps,
    readonly rows: CreateCallTable[],
    private readonly now: number,
  ) {}

  static async take(
    deps: SweepDeps,
    column: 'connection_id' | 'tag',
    value: string,
    which: Certainty,
  ): Promise<TakenCalls> {
    const now = await deps.storage.now();
    const rows = await deps.storage.db
      .updateTable('create_calls')
      .set({ look_at: now + deps.timing.jobLeaseMs })
      .where(column, '=', value)
      .where('look_at', '<=', now)
      .where('instrument', which === 'known' ? 'is not' : 'is', null)
      .returningAll()
      .execute();
    return new TakenCalls(deps, rows, now);
  }

  /**
   * Writes what a look has decided at `now`. A row that a late worker has written in the meantime
   * stays.
   */
  async write({ decided, again }: Pick<LookResult, 'decided' | 'again'>, now: number): Promise<void> {
    const { db } = this.deps.storage;
    // The rows' turn comes by the database's clock, also while that is ahead.
    const ahead = Math.max(0, this.now - now);
    const mine = this.rows[0]?.look_at ?? 0;
    if (decided.length > 0) {
      await db.deleteFrom('create_calls').where('id', 'in', decided).where('look_at', '=', mine).execute();
    }
    for (const { id, at } of again) await this.#put(id, { look_at: at + ahead, tries: 0 });
  }

  /** Finix could not be reached, or did not disable an instrument. */
  async postpone(error: unknown): Promise<void> {
    if (!(error instanceof UpstreamError)) throw error;
    const { call, failure, code, details } = error;
    const isOperators = failure === 'misconfigured' || failure === 'refused';
    const [first] = this.rows;
    const about = { connection: first?.connection_id, call, failure, code, ...details };
    this.deps.log[isOperators ? 'error' : 'warn'](about, 'lookup of what a create call has made failed');
    for (const { id, tries } of this.rows) {
      const delay = Math.ceil(backoff(QUICK_ATTEMPTS + tries, this.deps.timing));
      await this.#put(id, { look_at: this.now + delay, tries: tries + 1 });
    }
  }

  async #put(id: string, patch: Pick<CreateCallTable, 'look_at' | 'tries'>): Promise<void> {
    await claimRow(this.deps.storage, 'create_calls', { id, look_at: this.rows[0]?.look_at ?? 0 }, patch);
  }
}

/** Takes on what is due for one connection, as `disableDue` does. Jobs go on with it where the database is gone. */
export async function sweepNow(deps: SweepDeps, connectionId: string): Promise<void> {
  try {
    await sweepConnection(deps, connectionId, 'known');
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
  }
}

async function sweepConnection(deps: SweepDeps, connectionId: string, which: Certainty): Promise<void> {
  const taken = await TakenCalls.take(deps, 'connection_id', connectionId, which);
  try {
    await decideCalls(deps, taken, connectionId);
  } catch (error) {
    await taken.postpone(error);
  }
}

async function decideCalls(deps: SweepDeps, taken: TakenCalls, connectionId: string): Promise<void> {
  const calls = taken.rows;
  if (calls.length === 0) return;
  const { clock, finix, quietMs, log } = deps;
  // Where a worker is in charge, Finix is not asked for its list.
  const early = await keptBy(deps, connectionId);
  const unknown = calls.filter((call) => call.instrument === null && !isInWork(early, call));
  const seen = await list(deps, connectionId, unknown);
  // Read again after the list: an instrument that was adopted in the meantime is no duplicate.
  const kept = await keptBy(deps, connectionId);
  const now = await clock.now();
  const result = decideLook({ kept, calls: calls.map(toOpenCall), seen, now, quietMs });
  await disableAll(finix, result.disable);
  const disabled = result.disable.length;
  if (disabled > 0) log.warn({ connection: connectionId, disabled }, 'disabled duplicate instruments');
  await taken.write(result, now);
}

/** What Finix lists of the connection. One list for each identity, which is one but after a change of it. */
async function list({ finix }: SweepDeps, connectionId: string, calls: CreateCallTable[]): Promise<OwnInstrument[]> {
  const seen: OwnInstrument[] = [];
  for (const identity of new Set(calls.map(({ finix_identity }) => finix_identity))) {
    const own = calls.filter(({ finix_identity }) => finix_identity === identity);
    seen.push(...(await listOwn(finix, identity, Math.min(...own.map(({ sent_at }) => sent_at)))));
  }
  return seen.filter(({ connection }) => connection === connectionId);
}

async function keptBy({ storage: { db } }: SweepDeps, connectionId: string): Promise<Kept> {
  const row = await db.selectFrom('connections').selectAll().where('id', '=', connectionId).executeTakeFirst();
  if (!row) return { kind: 'none' };
  const { reason, goal, generation, payment_instrument: id } = row;
  const isAtWork = awaitsInstrument(row, generation) && (goal !== null || (await isBusy(db, row.item_id)));
  if (isAtWork) return { kind: 'undecided', generation };
  // Disabled in Finix's dashboard, where it may be enabled again.
  const isUsed = !isOutOfUse(row) || reason === DISABLED_IN_FINIX;
  return isUsed && id !== null ? { kind: 'instrument', id } : { kind: 'none' };
}

/**
 * An identity can't be disabled, and without instruments need not be. One that is found late is used by the customer's
 * next session.
 */
async function sweepIdentity(deps: SweepDeps, tag: string): Promise<void> {
  const { storage, clock, quietMs } = deps;
  const taken = await TakenCalls.take(deps, 'tag', tag, 'in doubt');
  const [first] = taken.rows;
  if (!first) return;
  try {
    const customer = await findCustomer(storage, first);
    const isAtWork = customer !== undefined && customer.lease_until > (await storage.now());
    const seen = isAtWork ? [] : await lookForIdentity(deps, tag, taken.rows);
    const kept: Kept = isAtWork ? { kind: 'undecided', generation: 0 } : { kind: 'none' };
    const now = await clock.now();
    const result = decideLook({ kept, calls: taken.rows.map(toOpenCall), seen, now, quietMs });
    const [oldest] = seen;
    if (oldest && customer) await keepIdentity(deps, customer, oldest.id, []);
    await taken.write(result, now);
  } catch (error) {
    await taken.postpone(error);
  }
}

/**
 * The last look decides, also where Finix has more identities from then on than are looked through: that grows with
 * every day, and an identity without instruments does no harm.
 */
async function lookForIdentity(deps: SweepDeps, tag: string, calls: CreateCallTable[]): Promise<SeenInstrument[]> {
  try {
    return await look(deps, { identity_tag: tag }, Math.min(...calls.map(({ sent_at }) => sent_at)));
  } catch (error) {
    const now = await deps.clock.now();
    const isLast = calls.some(({ sent_at }) => nextLook(sent_at, now, deps.quietMs) === undefined);
    if (!isLast || !isTooLong(error)) throw error;
    deps.log.warn({ tag }, 'Finix lists too many identities to find the one of a lost create call');
    return [];
  }
}

function findCustomer({ db }: Storage, { customer_id, role }: CreateCallTable): Promise<CustomerTable | undefined> {
  return db
    .selectFrom('customers')
    .selectAll()
    .where('customer_id', '=', customer_id)
    .where('role', '=', role)
    .executeTakeFirst();
}
