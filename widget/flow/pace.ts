// Polling slows from the server's pace to this, so that a page left open for hours is no burden. Seconds.
export const POLL_CEILING = 15;
// Seconds by which the pace slows with every minute.
const POLL_EASE = 2;

/** @returns seconds until the next request; `delay` is the server's own figure, and zero stays zero */
export function pollDelay(delay: number, busySince: number): number {
  const minutes = busySince ? (Date.now() - busySince) / 60_000 : 0;
  return delay && Math.max(delay, Math.min(delay + minutes * POLL_EASE, POLL_CEILING));
}
