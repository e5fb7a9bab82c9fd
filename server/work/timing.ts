import { FINIX_TIMEOUT_MS } from '../clients/finix.ts';
import { LONGEST_LOOK_GAP } from './create-call.ts';

/** Leases, waits and intervals of the work, in milliseconds. One set for a process; tests of failures shorten it. */
export interface Timing {
  /** How long a worker may leave its lease on a session without a write; then another worker may take the lease. */
  leaseMs: number;
  /** How long a request waits for the outcome before the page has to poll. */
  answerWithinMs: number;
  /** How often Finix's list is read at first while a call is in doubt. */
  lookAgainMs: number;
  /** An upstream that stays down is asked again after this long, doubled with every attempt up to the cap. */
  slowBaseMs: number;
  slowCapMs: number;
  /** Leases on a task that stops debits and on an incoming webhook. Heartbeats renew them. */
  stopLeaseMs: number;
  inboundLeaseMs: number;
  /** Leases on a delivery, and on any other row of a job. */
  deliveryLeaseMs: number;
  jobLeaseMs: number;
  /** How long a check may stay unanswered by a request that has stopped renewing its lease. */
  checkLeaseMs: number;
  /** How often jobs look for what is due. */
  tickMs: number;
  /** How often jobs delete expired rows, and clamp times that a clock which was set back has left in the future. */
  retentionMs: number;
}

export const TIMING: Timing = {
  // Outlasts two upstream timeouts, so that a healthy worker never loses its lease in the middle of a call.
  leaseMs: 2 * FINIX_TIMEOUT_MS + 15_000,
  answerWithinMs: 20_000,
  // A late commit is then found seconds after it shows.
  lookAgainMs: 5_000,
  // After five quick attempts an upstream is down, not slow.
  slowBaseMs: 30_000,
  slowCapMs: 300_000,
  // A customer is debited until another worker goes on; what is done twice is harmless.
  stopLeaseMs: FINIX_TIMEOUT_MS,
  inboundLeaseMs: FINIX_TIMEOUT_MS,
  // Longer than an attempt's timeout of 15 s.
  deliveryLeaseMs: 60_000,
  // Longer than the calls of any job can take: a list of several pages, and what is in it.
  jobLeaseMs: 5 * 60_000,
  // A merchant's server that asks again after a crash waits no longer; a busy process renews in time.
  checkLeaseMs: 3_000,
  // A customer whose page polls sees a resumed session move on within about this.
  tickMs: 1_000,
  // Nothing that waits for it is in a hurry, and its statements are most of what an idle instance asks.
  retentionMs: 120_000,
};

/**
 * The longest time ahead that any row's work is ever put off to, or claimed for. Deliveries have a schedule of their
 * own.
 */
export function longestWaitMs(timing: Timing, quietMs: number): number {
  const { slowCapMs, leaseMs, stopLeaseMs, inboundLeaseMs, jobLeaseMs } = timing;
  return Math.max(slowCapMs, leaseMs, stopLeaseMs, inboundLeaseMs, jobLeaseMs, LONGEST_LOOK_GAP * quietMs);
}
