/**
 * Renews a short lease for as long as its work goes on. A worker that has been killed or frozen sends none, so that
 * another one takes over soon, and a provider that is slow ends no lease.
 * @param renew may fail: then the lease runs out
 * @returns ends it; resolves when the last renewal has ended
 */
export function startHeartbeat(leaseMs: number, renew: () => Promise<unknown>): () => Promise<void> {
  let beating: Promise<unknown> | undefined;
  // Two may be lost or late.
  const timer = setInterval(() => {
    beating ??= renew()
      .catch(() => {})
      .finally(() => {
        beating = undefined;
      });
  }, leaseMs / 3);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await beating;
  };
}
