import type { ProblemCode } from '../widget/contract.ts';
import { FINIX_TIMEOUT_MS } from './clients/finix.ts';
import type { ProblemExtras } from './errors.ts';
import { newId } from './ids.ts';
import type { Storage } from './storage/open.ts';
import type { SessionTable } from './storage/tables.ts';

/**
 * How one worker at a time advances a session: a lease taken by compare-and-set says who, a version that grows with every write
 * refuses the writes of a worker whose lease was taken over (also of one that was frozen and comes back).
 */

/** Outlasts two upstream timeouts, so that a healthy worker never loses its lease in the middle of a call. */
export const LEASE_MS = 2 * FINIX_TIMEOUT_MS + 15_000;

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

export type StorageTransaction = Parameters<Parameters<Storage['transaction']>[0]>[0];

/**
 * Takes the lease of a session that is being processed and is due.
 * @returns undefined when another worker has it, or there is nothing to do
 */
export async function claim(storage: Storage, owner: string, id: string): Promise<SessionTable | undefined> {
  const now = await storage.now();
  return storage.db
    .updateTable('sessions')
    .set((eb) => ({ lease_owner: owner, lease_until: now + LEASE_MS, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('status', '=', 'processing')
    .where('lease_until', '<=', now)
    .where('next_at', '<=', now)
    .returningAll()
    .executeTakeFirst();
}

/** A session under this worker's lease. `row` is always as last written, so that the fence stays in step also after an error. */
export class HeldSession {
  constructor(
    private readonly storage: Storage,
    public row: SessionTable,
  ) {}

  /**
   * Writes a step's result and the next point in one short transaction, and renews the lease.
   * @throws Fenced when the session has moved on without us; nothing is written then
   */
  async write(
    patch: Partial<SessionTable>,
    also?: (trx: StorageTransaction, now: number) => Promise<void>,
  ): Promise<void> {
    const now = await this.storage.now();
    const { id, version } = this.row;
    this.row = await this.storage.transaction(async (trx) => {
      const written = await trx
        .updateTable('sessions')
        .set({ lease_until: now + LEASE_MS, ...patch, version: version + 1, updated_at: now })
        .where('id', '=', id)
        .where('version', '=', version)
        .returningAll()
        .executeTakeFirst();
      if (!written) throw new Fenced(`session ${id} was taken over`);
      await also?.(trx, now);
      return written;
    });
  }
}

/** Given with a patch to let go of the session. */
export const RELEASED = { lease_owner: null, lease_until: 0 } as const;

const BACKOFF_BASE_MS = 200;
const BACKOFF_CAP_MS = 5_000;
/** Five tries with at most 0.2 + 0.4 + 0.8 + 1.6 + 3.2 s between them, within a customer's patience. */
export const QUICK_TRIES = 5;
/** After that an upstream is down, not slow: jobs look again every half minute to five minutes. */
const SLOW_BASE_MS = 30_000;
const SLOW_CAP_MS = 300_000;
/** Survives a weekend's outage; then somebody has to be told. */
export const BUDGET_MS = 72 * 3600_000;

/** Full jitter: instances that failed together do not come back together. */
export function backoff(tries: number, random: () => number = Math.random): number {
  if (tries < QUICK_TRIES) return random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** tries);
  const slow = Math.min(SLOW_CAP_MS, SLOW_BASE_MS * 2 ** (tries - QUICK_TRIES));
  // Never less than half: a slow try that comes at once would defeat its purpose.
  return slow / 2 + (random() * slow) / 2;
}
