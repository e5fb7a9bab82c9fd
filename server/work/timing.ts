import { FINIX_TIMEOUT_MS } from '../clients/finix.ts';

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
  retentionMs: number;
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
  retentionMs: 60_000,
};
