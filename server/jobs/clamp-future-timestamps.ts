import { LONGEST_DELIVERY_WAIT_MS } from '../deliveries/deliveries.ts';
import type { Storage } from '../storage/open.ts';
import { longestWaitMs, type Timing } from '../work/timing.ts';

/** Longer than Hosted Links and addresses of webhooks are put off to. */
const DAY_MS = 24 * 3600_000;

/**
 * After a clock was set back, times that were written before lie further ahead than any wait can be. Work would stand
 * still for as long as the clock was wrong.
 * @param now by the database's clock
 * @param agreed by the clock that create calls are dated by
 */
export async function clampFutureTimestamps(
  { db }: Storage,
  timing: Timing,
  quietMs: number,
  now: number,
  agreed: number,
): Promise<void> {
  // Twice the longest wait that is ever written: no true time is taken for a wrong one.
  const waits = now + 2 * longestWaitMs(timing, quietMs);
  await db
    .updateTable('sessions')
    .set({ next_at: now, lease_until: now })
    .where('status', '=', 'processing')
    .where((eb) => eb.or([eb('next_at', '>', waits), eb('lease_until', '>', now + 2 * timing.leaseMs)]))
    .execute();
  await db
    .updateTable('items')
    .set({ next_at: now })
    .where('status', '=', 'removing')
    .where('next_at', '>', waits)
    .execute();
  await db.updateTable('items').set({ signal_prepare_at: now }).where('signal_prepare_at', '>', waits).execute();
  await db.updateTable('checks').set({ report_at: now }).where('report_at', '>', waits).execute();
  await db.updateTable('connections').set({ sweep_at: now }).where('sweep_at', '>', waits).execute();
  await db
    .updateTable('create_calls')
    .set({ sent_at: agreed, look_at: now })
    .where((eb) => eb.or([eb('look_at', '>', agreed + waits - now), eb('sent_at', '>', agreed + 2 * timing.leaseMs)]))
    .execute();
  await db
    .updateTable('connections')
    .set({ next_at: now, lease_until: now })
    .where('goal', 'is not', null)
    .where((eb) => eb.or([eb('next_at', '>', waits), eb('lease_until', '>', now + 2 * timing.leaseMs)]))
    .execute();
  await db
    .updateTable('inbound_events')
    .set({ next_at: now, lease_until: now })
    .where('status', '=', 'received')
    .where((eb) => eb.or([eb('next_at', '>', waits), eb('lease_until', '>', waits)]))
    .execute();
  await db
    .updateTable('items')
    .set({ next_at: now })
    .where('status', '=', 'linked')
    .where('next_at', '>', now + DAY_MS)
    .execute();
  await db
    .updateTable('hosted_links')
    .set({ next_at: now })
    .where('next_at', '>', now + DAY_MS)
    .execute();
  await db
    .updateTable('deliveries')
    .set({ next_at: now, lease_until: 0 })
    .where('status', '=', 'pending')
    .where('next_at', '>', now + 2 * LONGEST_DELIVERY_WAIT_MS)
    .execute();
}
