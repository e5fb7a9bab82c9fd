import type { FaultRule } from '../../demo/simulator/index.ts';

/**
 * So many times as long as on an idle machine with two cores: for a machine that runs other things too, as one of
 * continuous integration does. There a call that is slow and not lost would be given up, and what repeats it would make
 * the machine slower still.
 */
export const PATIENCE = Number(process.env['FAULTS_PATIENCE'] ?? (process.env['CI'] ? 2 : 1));
if (!(PATIENCE > 0)) throw new Error('FAULTS_PATIENCE must be a number greater than 0.');

/** A time of the suite, in milliseconds, on this machine. */
export function slowly(ms: number): number {
  return Math.ceil(ms * PATIENCE);
}

/**
 * The suite's own waiting times, in milliseconds: the usual ones divided by forty or so, in the same order of size. A
 * call is given up after 500, so a busy machine does not look like a lost answer; the lease outlasts two of them; the
 * quiet period outlasts the lease, and the latest commit that the faults make.
 */
export const INSTANCE_TIMES = {
  timeoutMs: slowly(500),
  quietMs: slowly(3_000),
  graceMs: slowly(2_000),
  timing: {
    leaseMs: slowly(1_200),
    answerWithinMs: slowly(2_000),
    lookAgainMs: slowly(200),
    slowBaseMs: slowly(500),
    slowCapMs: slowly(1_000),
    stopLeaseMs: slowly(750),
    inboundLeaseMs: slowly(1_500),
    deliveryLeaseMs: slowly(1_500),
    jobLeaseMs: slowly(2_500),
    checkLeaseMs: slowly(600),
    tickMs: slowly(100),
    retentionMs: slowly(500),
  },
};

/**
 * How long after a call was given up a late commit happens, at most: well within the quiet period that counts from its
 * sending.
 */
export const LATE_COMMIT_MS = slowly(1_000);
/** A frozen process wakes up when another worker has long had the lease, and before that worker may create again. */
export const FROZEN_MS = 2 * INSTANCE_TIMES.timing.leaseMs;
/** A frozen process wakes up when another worker has created again and is done. */
export const FROZEN_LONG_MS = INSTANCE_TIMES.quietMs + INSTANCE_TIMES.timing.leaseMs;
/** How long a killed instance may take to be back before the next one is killed. */
export const START_MS = slowly(10_000);

/** The calls that the money path makes, in its order. */
export const CALLS: readonly Pick<FaultRule, 'service' | 'path' | 'method'>[] = [
  { service: 'plaid', path: '/item/public_token/exchange' },
  { service: 'plaid', path: '/accounts/get' },
  { service: 'finix', path: '/identities', method: 'POST' },
  { service: 'plaid', path: '/identity/match' },
  { service: 'plaid', path: '/processor/token/create' },
  { service: 'plaid', path: '/processor/token/permissions/set' },
  { service: 'finix', path: '/payment_instruments', method: 'POST' },
];

/** Orders of the suite to an instance. */
export type Order =
  | { order: 'arm'; point: string; action: 'kill' | 'freeze' | 'hold' }
  | { order: 'go' }
  | { order: 'trace' }
  /** Answered when the instance works on no session any more. */
  | { order: 'rest' }
  | { order: 'clock'; offsetMs: number }
  | { order: 'full'; full: boolean }
  | { order: 'reconcile' };
