// While a page is loading there are better uses for the network; without a free moment for this long, it is fetched
// anyway.
const IDLE_TIMEOUT = 3_000;
// For browsers without `requestIdleCallback` (Safari): the page's own scripts have run by then.
const IDLE_GUESS = 500;

/** Once the page has loaded and has nothing better to do. */
export function whenIdle(act: () => void): void {
  const wait = () => {
    if (typeof requestIdleCallback === 'function') requestIdleCallback(act, { timeout: IDLE_TIMEOUT });
    else setTimeout(act, IDLE_GUESS);
  };
  if (document.readyState === 'complete') wait();
  else addEventListener('load', wait, { once: true });
}
