import type { CreateStep } from '../work/create-call.ts';
import { lookAgainIn, Postpone } from '../work/retry.ts';
import type { InstrumentDeps } from './instrument-hold.ts';

/**
 * Ends the work for now while the outcome of an earlier create call is unknown: creating again could make a second
 * object at Finix.
 * @throws Postpone
 */
export async function waitForQuietPeriod(
  { clock, quietMs, timing }: Pick<InstrumentDeps, 'clock' | 'quietMs' | 'timing'>,
  step: CreateStep,
): Promise<void> {
  if (step.kind !== 'wait' && step.kind !== 'look') return;
  const sentAt = step.kind === 'wait' ? step.until - quietMs : 0;
  throw new Postpone('finix_unavailable', lookAgainIn(sentAt, await clock.now(), quietMs, timing), false);
}
