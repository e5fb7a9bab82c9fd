import { setTimeout as sleep } from 'node:timers/promises';
import type { ProblemCode } from '../../widget/contract.ts';
import { FINIX_TIMEOUT_MS } from '../clients/finix.ts';
import type { ProblemExtras } from '../errors.ts';
import { newId } from '../ids.ts';
import { StorageUnavailableError } from '../storage/errors.ts';
import type { Storage } from '../storage/open.ts';
import type { SessionTable } from '../storage/tables.ts';

/**
 * How one worker at a time advances a session: a lease taken by compare-and-set says who, a version that grows with every write
 * refuses the writes of a worker whose lease was taken over (also of one that was frozen and comes back).
 */

/** How long the work waits for what. Milliseconds. One set for a process; tests of failures shorten it. */
export interface Timing {
  /** After this long without a word from a worker, another takes its session over. */
  leaseMs: number;
  /** How long a customer waits for an answer before "finishing" is shown and the page polls. */
  answerWithinMs: number;
  /** While a call is in doubt, this often is looked for what came of it at first. */
  lookAgainMs: number;
  /** An upstream that stays down is asked again after this long, doubled with every try up to the cap. */
  slowBaseMs: number;
  slowCapMs: number;
  /** How long whoever takes on a webhook that came in, one that goes out, or another row keeps it from other instances. */
  inboundLeaseMs: number;
  deliveryLeaseMs: number;
  jobLeaseMs: number;
  /** How often jobs look for what is due. */
  tickMs: number;
  /** How often jobs delete what is too old to keep, and mend what a clock that was set back has left in the future. */
  housekeepingMs: number;
}

export const TIMING: Timing = {
  // Outlasts two upstream timeouts, so that a healthy worker never loses its lease in the middle of a call.
  leaseMs: 2 * FINIX_TIMEOUT_MS + 15_000,
  answerWithinMs: 20_000,
  // A late commit is then found seconds after it shows.
  lookAgainMs: 5_000,
  // After five quick tries an upstream is down, not slow.
  slowBaseMs: 30_000,
  slowCapMs: 300_000,
  // Longer than handling takes: it may make one call to Finix and wait for a session's outcome.
  inboundLeaseMs: 2 * 60_000,
  // Longer than a try's timeout of 15 s.
  deliveryLeaseMs: 60_000,
  // Longer than the calls of any job can take: a list of several pages, and what is in it.
  jobLeaseMs: 5 * 60_000,
  // A customer whose page polls sees a resumed session move on within about this.
  tickMs: 1_000,
  housekeepingMs: 60_000,
};

/** Names this process in leases; new at every start, so that a restarted process does not mistake old leases for its own. */
export function newOwner(): string {
  return newId('req').replace('req_', 'worker_');
}

/** Another worker has taken over: whatever this one still wants to write is refused. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** Not now: the step is tried again. Stored nowhere but in the session's next_at. */
export class Postpone extends Error {
  override readonly name = 'Postpone';
  constructor(
    readonly code: ProblemCode,
    /** Milliseconds until the next try; unset: backoff. */
    readonly delayMs?: number,
    /** Waiting for our turn or for news is not a failure and does not count as one. */
    readonly counts = true,
  ) {
    super(code);
  }
}

/** The work on the session ends here, for the customer to go on from `status`. */
export class Stop extends Error {
  override readonly name = 'Stop';
  constructor(
    readonly status: 'open' | 'restart_required' | 'failed',
    readonly code: ProblemCode,
    readonly extras: ProblemExtras = {},
  ) {
    super(code);
  }
}

/** Every other write counts one: a worker that was cut off from the answer to its commit never takes a claim for its own write. */
export const CLAIM_STEP = 2;

export type StorageTransaction = Parameters<Parameters<Storage['transaction']>[1]>[0];

/**
 * Takes the lease of a session that is being processed and is due. A lease of `owner` itself counts as free: the caller knows that no
 * work runs under it, as when the answer to its commit was lost.
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

/** What else is written in the same transaction; `session` is the row as it is written with it. */
type Also = (trx: StorageTransaction, now: number, session: SessionTable) => Promise<void>;

/** A session under this worker's lease. `row` is always as last written, so that the fence stays in step also after an error. */
export class HeldSession {
  readonly #storage: Storage;
  readonly #timing: Timing;
  readonly #stopping: AbortSignal;

  /**
   * @param stopping ends the waiting for storage that is gone
   * @param stage `accepted`: the public token came with this very row, and its exchange is announced in it. `taken over`: another
   * worker, or another life of this process, was at work before. `under way`: this worker has found out what there was to find out.
   */
  constructor(
    storage: Storage,
    public row: SessionTable,
    timing: Timing,
    stopping: AbortSignal,
    public stage: 'accepted' | 'taken over' | 'under way',
  ) {
    this.#storage = storage;
    this.#timing = timing;
    this.#stopping = stopping;
  }

  /**
   * Writes a step's result and the next point in one short transaction, and renews the lease. While storage is gone it waits for it:
   * the result may be an answer that nobody gives a second time.
   * @throws Fenced when the session has moved on without us; nothing is written then
   * @throws StorageUnavailableError when the process stops before storage is back
   */
  async write(patch: Partial<SessionTable>, also?: Also): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        this.row = await this.#writeOnce(patch, also, tries > 0);
        return;
      } catch (error) {
        if (!(error instanceof StorageUnavailableError) || this.#stopping.aborted) throw error;
      }
      // Twice within the time for which a worker that took over waits for what this one has in hand.
      const longest = Math.min(this.#timing.lookAgainMs / 2, STORAGE_BASE_MS * 2 ** tries);
      await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal: this.#stopping }).catch(() => {});
    }
  }

  async #writeOnce(patch: Partial<SessionTable>, also: Also | undefined, mayBeWritten: boolean): Promise<SessionTable> {
    const now = await this.#storage.now();
    const { id, version, lease_owner, customer_id } = this.row;
    return this.#storage.transaction(`customer:${customer_id}`, async (trx) => {
      const written = await trx
        .updateTable('sessions')
        .set({ lease_until: now + this.#timing.leaseMs, ...patch, version: version + 1, updated_at: now })
        .where('id', '=', id)
        .where('version', '=', version)
        .returningAll()
        .executeTakeFirst();
      if (written) {
        await also?.(trx, now, written);
        return written;
      }
      // Storage went away during the commit: the row then carries our own write. A claim counts more, others change the owner.
      const present = mayBeWritten
        ? await trx.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()
        : undefined;
      const owner = patch.lease_owner === undefined ? lease_owner : patch.lease_owner;
      if (present?.version === version + 1 && present.lease_owner === owner) return present;
      throw new Fenced(`session ${id} was taken over`);
    });
  }
}

/** Given with a patch to let go of the session. */
export const RELEASED = { lease_owner: null, lease_until: 0 } as const;

const BACKOFF_BASE_MS = 200;
const BACKOFF_CAP_MS = 5_000;
/** Five tries with at most 0.2 + 0.4 + 0.8 + 1.6 + 3.2 s between them, within a customer's patience. */
export const QUICK_TRIES = 5;
/** Survives a weekend's outage; then somebody has to be told. */
export const BUDGET_MS = 72 * 3600_000;

/** Full jitter: instances that failed together do not come back together. */
export function quickBackoff(tries: number, random: () => number = Math.random): number {
  return random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** tries);
}

/** Quick at first, then slow. */
export function backoff(tries: number, timing: Timing, random: () => number = Math.random): number {
  if (tries < QUICK_TRIES) return quickBackoff(tries, random);
  const slow = Math.min(timing.slowCapMs, timing.slowBaseMs * 2 ** (tries - QUICK_TRIES));
  // Never less than half: a slow try that comes at once would defeat its purpose.
  return slow / 2 + (random() * slow) / 2;
}

/**
 * How long to wait before the next look at Finix's list after a create call whose answer was lost: often while a customer waits, then
 * once more when the quiet period is over, so that an outage with thousands in doubt is not answered with thousands of lists a second.
 * @returns 0 once the quiet period is over
 */
export function lookAgainIn(sentAt: number, now: number, quietMs: number, timing: Timing): number {
  const left = sentAt + quietMs - now;
  if (left <= 0) return 0;
  const customerWaits = now - sentAt < timing.answerWithinMs;
  return customerWaits ? Math.min(timing.lookAgainMs, left) : left;
}
