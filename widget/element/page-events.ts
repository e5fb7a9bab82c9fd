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
  listen(globalThis, 'online', online, signal);
  listen(globalThis, 'pageshow', wake, signal);
  listen(document, 'visibilitychange', wake, signal);
}

/**
 * Until the signal's end. Not by the option `signal`: zone.js before 0.14.3 gives it to the one listener that all of
 * the page share, which would then end with ours.
 */
export function listen(target: EventTarget, type: string, act: () => void, signal: AbortSignal): void {
  target.addEventListener(type, act);
  signal.addEventListener('abort', () => target.removeEventListener(type, act));
}
