/**
 * For a page: what waits for seconds, as for a network that has died, waits for a fraction of them. From here on, and
 * not what waits already.
 */
export function shortenWaits(): void {
  const { setTimeout: wait } = globalThis;
  globalThis.setTimeout = ((act: () => void, delay = 0) =>
    wait(act, delay >= 4_000 ? delay / 20 : delay)) as typeof setTimeout;
}
