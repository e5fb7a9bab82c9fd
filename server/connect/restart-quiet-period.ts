import { putCall } from '../records/create-calls.ts';
import type { CreateCallTable } from '../storage/tables.ts';
import type { InstrumentDeps } from './instrument-hold.ts';

/**
 * A worker that was frozen in the middle may have sent the call just now, and the lookups for it may be over: its quiet
 * period begins again.
 * @param call with the outcome that is now known
 * @param elapsedMs since the call was announced; see countElapsed
 * @returns the call as its row is from now on
 */
export async function restartQuietPeriod(
  { storage, clock, quietMs, timing }: Pick<InstrumentDeps, 'storage' | 'clock' | 'quietMs' | 'timing'>,
  call: CreateCallTable,
  elapsedMs: number,
): Promise<CreateCallTable> {
  if (elapsedMs <= timing.leaseMs) return call;
  // The later one: the agreed time stands still with a machine that was paused together with its clocks.
  const sent_at = Math.max(await clock.informed(), call.sent_at + elapsedMs);
  const restarted = { ...call, sent_at, look_at: sent_at + quietMs };
  await putCall(storage.db, restarted);
  return restarted;
}
