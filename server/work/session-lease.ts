import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { newId } from '../ids.ts';
import { StorageUnavailableError } from '../storage/errors.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import { updateRow } from '../storage/row-writes.ts';
import type { ConnectionTable, ItemTable, SessionTable } from '../storage/tables.ts';
import { Fenced } from './retry.ts';
import type { Timing } from './timing.ts';

/**
 * How one worker at a time advances a session: a lease taken by compare-and-set names it, a version that grows with
 * every write refuses the writes of a worker that lost its lease (also of one that was frozen and comes back).
 */

/**
 * Names this process in leases; new at every start, so that a restarted process does not mistake old leases for its
 * own.
 */
export function newOwner(): string {
  return newId('req').replace('req_', 'worker_');
}

/**
 * Every other write counts one: a worker that was cut off from the answer to its commit never takes a claim for its own
 * write.
 */
export const CLAIM_STEP = 2;

/**
 * Takes the lease of a session that is being processed and is due. A lease of `owner` itself counts as free: the caller
 * knows that no work runs under it, as when the answer to its commit was lost.
 * @returns undefined when another worker has it, or there is nothing to do
 */
export async function claim(
  storage: Storage,
  owner: string,
  id: string,
  timing: Timing,
): Promise<SessionTable | undefined> {
  const now = await storage.now();
  return storage.db
    .updateTable('sessions')
    .set((eb) => ({ lease_owner: owner, lease_until: now + timing.leaseMs, version: eb('version', '+', CLAIM_STEP) }))
    .where('id', '=', id)
    .where('status', '=', 'processing')
    .where((eb) => eb.or([eb('lease_until', '<=', now), eb('lease_owner', '=', owner)]))
    .where('next_at', '<=', now)
    .returningAll()
    .executeTakeFirst();
}

/** Storage that is gone is asked again this soon, and then at longer intervals: a restart takes seconds. */
const STORAGE_BASE_MS = 50;
/**
 * Reasons of StorageUnavailableError after which the same database goes on: it was busy or full. After the end of a
 * connection another one may answer.
 */
const SAME_DATABASE = /^(conflict|connection busy|53100|53200|55P03|57014)$/;

/** What else is written in the same transaction; `session` is the row as it is written with it. */
type Also = (trx: StorageTransaction, now: number, session: WrittenSession) => Promise<void>;

/** A session as its worker has written it, with what is true of its customer at that moment. */
export interface WrittenSession extends SessionTable {
  /** 1 while the customer is being erased, else null. */
  is_erased: number | null;
  /** One of the customer's connections of other Items; null: there is none. */
  other_connection: string | null;
}

interface Part {
  patch: Partial<SessionTable>;
  also: Also | undefined;
  scope: 'rows' | undefined;
}

/** Rows that are the session's alone while it is worked on, or that a later write checks again. */
export interface KnownRows {
  item?: ItemTable;
  /** Of the Item. */
  connections?: ConnectionTable[];
  /** The session has had no Item before, and so no connections. */
  isFirstItem?: boolean;
  /** This worker has recorded the connections: no create call was announced for them before. */
  areNew?: boolean;
  /** By the connection's id: being made, and in memory only. */
  processorTokens?: ReadonlyMap<string, Promise<string>>;
  /** All of the session's, as it has ended with them. */
  ended?: ConnectionTable[];
  /** The customer's row has the identity. */
  hasIdentity?: boolean;
}

/**
 * Which rows may not be all that was done. Where an older copy of the database was restored, what was made at Finix
 * since the copy has no row: work on rows of before asks Finix what there is before it creates anything.
 */
export interface Doubt {
  /** Work on rows that are older looks first. Milliseconds since 1970. */
  readonly until: number;
  /** Rows of up to then may lack what was done before. 0: no older copy was restored, as far as is known. */
  readonly restoredUntil: number;
  /** What work on such rows looks for can be as old as this. */
  readonly from: number;
}

/**
 * A session under this worker's lease. `row` is always as last written, so that the fence stays in step also after an
 * error.
 */
export class HeldSession {
  readonly #storage: Storage;
  readonly #timing: Timing;
  readonly #stopping: AbortSignal;
  #stored: SessionTable;
  #joined: Part[] = [];
  #refused: Part | undefined;
  #isReleased = false;
  #writing: Promise<unknown> = Promise.resolve();
  /** What this worker has read or written since it last waited, and does not read again. */
  known: KnownRows;
  readonly #doubt: Doubt;
  #looksFirst: boolean;
  /** Up to when the session's waiting is counted. Not `updated_at`: a step that fails has often written before. */
  countedUntil: number;

  /**
   * @param doubt see connect/doubt.ts
   * @param stopping ends the waiting for storage that is gone
   * @param stage `accepted`: the public token came with this very row, and its exchange is announced in it. `resumed`:
   * another
   * worker, or another life of this process, has worked on it before. `running`: this worker has read all there was to
   * read.
   */
  constructor(
    storage: Storage,
    row: SessionTable,
    timing: Timing,
    stopping: AbortSignal,
    public stage: 'accepted' | 'resumed' | 'running',
    doubt: Doubt = { until: 0, restoredUntil: 0, from: 0 },
    known: KnownRows = {},
  ) {
    this.known = known;
    this.#stored = row;
    this.#storage = storage;
    this.#timing = timing;
    this.#stopping = stopping;
    this.#doubt = doubt;
    this.#looksFirst = stage === 'resumed';
    this.countedUntil = row.updated_at;
  }

  /**
   * Something may have been made at Finix that has no row: by another worker, or by one whose rows were lost, because
   * an older copy of the database was restored, also while this worker was at it. Then Finix is asked before anything
   * is created.
   */
  get looksFirst(): boolean {
    return this.#looksFirst || this.#stored.created_at < this.#doubt.until;
  }

  /** From here on, also where no older copy is known to have been restored. */
  lookFirst(): void {
    this.#looksFirst = true;
  }

  /** As `lookFirst`, where what comes back may be a replica that was behind. */
  lookFirstAfter({ reason }: StorageUnavailableError): void {
    if (this.#storage.dialect === 'postgres' && !SAME_DATABASE.test(reason)) this.lookFirst();
  }

  /** Milliseconds since 1970: no instrument or identity that is looked for can be older. */
  get since(): number {
    const { created_at } = this.#stored;
    const { restoredUntil, from } = this.#doubt;
    return created_at < restoredUntil ? Math.min(created_at, from) : created_at;
  }

  /**
   * Writes a step's result and the next point in one short transaction, and renews the lease. While storage is gone it
   * waits for it: the result may be an answer that is never given a second time.
   * @param scope `rows` where `also` decides by rows that it locks; see Scope
   * @throws Fenced when the session has moved on without us, or this worker has released it; nothing is written then
   * @throws StorageUnavailableError when the process stops before storage is back
   */
  write(patch: Partial<SessionTable>, also?: Also, scope?: 'rows'): Promise<void> {
    // One after the other: a second write, such as the release of a process that ends, must not overtake what is joined
    // to the first.
    const written = this.#writing.then(() => this.#write(patch, also, scope));
    this.#writing = written.catch(() => {});
    return written;
  }

  async #write(patch: Partial<SessionTable>, also?: Also, scope?: 'rows'): Promise<void> {
    // Another worker may take it at any moment, and would wait for a lease that is renewed here.
    if (this.#isReleased) throw new Fenced(`the lease on session ${this.#stored.id} was given back`);
    const joined = this.#joined;
    this.#joined = [];
    for (let attempt = 0; ; attempt++) {
      try {
        this.#stored = await this.#writeOnce([...joined, { patch, also, scope }], attempt > 0);
        this.#isReleased = patch.lease_owner === null;
        return;
      } catch (error) {
        if (!(error instanceof StorageUnavailableError) || this.#stopping.aborted) {
          // What was to be written with it is as true as before, up to the part that has refused to be written.
          const refused = this.#refused ? joined.indexOf(this.#refused) : -1;
          this.#joined = [...(refused < 0 ? joined : joined.slice(0, refused)), ...this.#joined];
          throw error;
        }
        this.lookFirstAfter(error);
      }
      // Twice within the time for which a worker that took over waits for what this one has in hand.
      const longest = Math.min(this.#timing.lookAgainMs / 2, STORAGE_BASE_MS * 2 ** attempt);
      await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal: this.#stopping }).catch(() => {});
    }
  }

  /**
   * A result that is written together with the next one, in one transaction and before anything else of it. For what a
   * crash may take back, because the worker that resumes the session finds it out again.
   */
  join(patch: Partial<SessionTable>, also?: Also, scope?: 'rows'): void {
    this.#joined.push({ patch, also, scope });
  }

  /** Whether a result waits for the next write: what is stored is not all that is known. */
  get hasJoined(): boolean {
    return this.#joined.length > 0;
  }

  /** As last written, with what is joined to the next write. */
  get row(): SessionTable {
    return Object.assign({}, this.#stored, ...this.#joined.map(({ patch }) => patch));
  }

  async #writeOnce(parts: readonly Part[], mayBeWritten: boolean): Promise<SessionTable> {
    const now = await this.#storage.now();
    const { id, version, lease_owner, customer_id, item_id } = this.#stored;
    const patch: Partial<SessionTable> = Object.assign({}, ...parts.map((part) => part.patch));
    // The session's row is locked by the fence.
    const isOfRows = parts.every(({ also, scope }) => also === undefined || scope === 'rows');
    return this.#storage.transaction(isOfRows ? 'rows' : `customer:${customer_id}`, async (trx) => {
      this.#refused = undefined;
      const fields = {
        lease_until: now + this.#timing.leaseMs,
        ...patch,
        version: version + 1,
        updated_at: Math.max(now, this.#stored.updated_at + 1),
      };
      const { rows } = await sql<WrittenSession>`${updateRow('sessions', { id, version }, fields)} returning *,
        (select 1 from erasures where customer_id = ${customer_id}) as is_erased,
        (select id from connections where customer_id = ${customer_id} and item_id != ${item_id ?? ''} limit 1)
          as other_connection`.execute(trx);
      const [written] = rows;
      if (written) {
        for (const part of parts) {
          this.#refused = part;
          await part.also?.(trx, now, written);
        }
        this.#refused = undefined;
        return written;
      }
      // Storage went away during the commit: the row then carries our own write. A claim counts more, others change the
      // owner.
      const present = mayBeWritten
        ? await trx.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()
        : undefined;
      const owner = patch.lease_owner === undefined ? lease_owner : patch.lease_owner;
      if (present?.version === version + 1 && present.lease_owner === owner) return present;
      throw new Fenced(`the lease on session ${id} was lost`);
    });
  }
}

/** Given with a patch to release the session. */
export const RELEASED = { lease_owner: null, lease_until: 0 } as const;
