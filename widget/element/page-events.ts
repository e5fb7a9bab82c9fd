export interface PageListener {
  /**
   * The page can be seen again: after a pause in the background, or kept whole by the browser when the customer went
   * back to it.
   */
  awake(): void;
  online(): void;
}

/**
 * None of these keeps a browser from holding on to the page when the customer leaves, as a listener for `unload` would.
 */
export function watchPage(signal: AbortSignal, { awake, online }: PageListener): void {
  const wake = () => {
    if (!document.hidden) awake();
  };
  addEventListener('online', online, { signal });
  addEventListener('pageshow', wake, { signal });
  document.addEventListener('visibilitychange', wake, { signal });
}
