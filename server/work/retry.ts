import type { ProblemCode } from '../../widget/contract.ts';
import type { ProblemExtras } from '../errors.ts';
import type { Timing } from './timing.ts';

/** Another worker has the lease: further writes of this one are refused. */
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
    /** Waiting for a turn or for a quiet period is not a failure and does not count as one. */
    readonly counts = true,
  ) {
    super(code);
  }
}

/**
 * Why work waits although no call has failed. `in_use`: a session works on the same Item, or another worker on the same
 * event. `changed`: a row has changed since it was read. `unknown`: what an event is about may be stored in a moment.
 * `in_doubt`: Plaid has not answered whether an event is still true.
 */
export type WaitReason = 'in_use' | 'changed' | 'unknown' | 'in_doubt' | 'limited';

/** Not now, and no failure: the work is begun again from what is stored then. It does not count as an attempt. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
  constructor(
    readonly reason: WaitReason,
    /** Milliseconds until then; unset: backoff. */
    readonly delayMs?: number,
  ) {
    super(reason);
  }
}

export function isWait(error: unknown): error is Postpone | NotNow {
  return error instanceof Postpone || error instanceof NotNow;
}

/** The session stopped here, for the customer to go on from `status`. */
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

/** As a Stop that asks for a new sign-in: Plaid answers that the customer has taken the permission back. */
export class PermissionRevoked extends Stop {
  /** @param reason Plaid's word for it */
  constructor(readonly reason: string) {
    super('restart_required', 'restart_required');
  }
}

const BACKOFF_BASE_MS = 200;
/** The longest wait between two quick attempts. */
export const BACKOFF_CAP_MS = 5_000;
/** Five attempts with at most 0.2 + 0.4 + 0.8 + 1.6 + 3.2 s between them, within a customer's patience. */
export const QUICK_ATTEMPTS = 5;
/** How long work may wait in all. Survives a weekend's outage; then the customer or the merchant must learn of it. */
export const BUDGET_MS = 72 * 3600_000;
/**
 * Well above any wait between two attempts: what a clock claims beyond it is not counted, or one wrong reading would
 * use up a budget.
 */
const LONGEST_COUNTED_MS = 3600_000;

/** How much of a budget the time between two attempts uses up. */
export function countedWait(from: number, now: number): number {
  return Math.min(Math.max(now - from, 0), LONGEST_COUNTED_MS);
}

/** Full jitter: instances that failed together do not come back together. */
export function quickBackoff(attempts: number, random: () => number = Math.random): number {
  return random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempts);
}

/** Quick at first, then slow. */
export function backoff(attempts: number, timing: Timing, random: () => number = Math.random): number {
  if (attempts < QUICK_ATTEMPTS) return quickBackoff(attempts, random);
  const slow = Math.min(timing.slowCapMs, timing.slowBaseMs * 2 ** (attempts - QUICK_ATTEMPTS));
  // Never less than half: a slow try that comes at once would defeat its purpose.
  return slow / 2 + (random() * slow) / 2;
}

/**
 * How long to wait before the next look at Finix's list after a create call whose answer was lost: often while a
 * customer waits, then once more when the quiet period is over, so that an outage with thousands in doubt is not
 * answered with thousands of lists a second.
 * @returns 0 once the quiet period is over
 */
export function lookAgainIn(sentAt: number, now: number, quietMs: number, timing: Timing): number {
  const left = sentAt + quietMs - now;
  if (left <= 0) return 0;
  const customerWaits = now - sentAt < timing.answerWithinMs;
  return customerWaits ? Math.min(timing.lookAgainMs, left) : left;
}
