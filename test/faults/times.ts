import type { FaultRule } from '../../demo/simulator/index.ts';

/**
 * The suite's own waiting times, in milliseconds: the usual ones divided by forty or so, in the same order of size. A
 * call is given up after 500, so a busy machine does not look like a lost answer; the lease outlasts two of them; the
 * quiet period outlasts the lease, and the latest commit that the faults make.
 */
export const INSTANCE_TIMES = {
  timeoutMs: 500,
  quietMs: 3_000,
  graceMs: 2_000,
  timing: {
    leaseMs: 1_200,
    answerWithinMs: 2_000,
    lookAgainMs: 200,
    slowBaseMs: 500,
    slowCapMs: 1_000,
    stopLeaseMs: 750,
    inboundLeaseMs: 1_500,
    deliveryLeaseMs: 1_500,
    jobLeaseMs: 2_500,
    checkLeaseMs: 600,
    tickMs: 100,
    retentionMs: 500,
  },
};

/**
 * How long after a call was given up a late commit happens, at most: well within the quiet period that counts from its
 * sending.
 */
export const LATE_COMMIT_MS = 1_000;
/** A frozen process wakes up when another worker has long had the lease, and before that worker may create again. */
export const FROZEN_MS = 2 * INSTANCE_TIMES.timing.leaseMs;
/** A frozen process wakes up when another worker has created again and is done. */
export const FROZEN_LONG_MS = INSTANCE_TIMES.quietMs + INSTANCE_TIMES.timing.leaseMs;
/** How long a killed instance may take to be back before the next one is killed. */
export const START_MS = 10_000;

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
