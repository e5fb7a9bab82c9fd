import type { ConnectController } from '../flow/controller.ts';

/**
 * Turbo and htmx 2 keep a copy of a page that the customer leaves, and show it when they go back. Both report it just
 * before: a Link that is open would be in front of the copy, and nothing there could close it.
 */
const COPIES = ['turbo:before-cache', 'htmx:beforeHistorySave'];

/** Of Link, which takes it away only after the call that closes it, and htmx copies at once. */
const FRAMES = 'body > iframe[id^=plaid-link-iframe]';

const watched = new Set<WeakRef<ConnectController>>();

/** Closes the controller's Link before the page is copied. */
export function watchCopies(controller: ConnectController): void {
  // Once, however often it is added.
  for (const name of COPIES) document.addEventListener(name, closeLinks);
  watched.add(new WeakRef(controller));
}

function closeLinks(): void {
  for (const one of watched) {
    const controller = one.deref();
    if (!controller) watched.delete(one);
    else if (controller.state.phase === 'open' && !controller.state.hosted) {
      controller.end('reset');
      for (const { style } of document.querySelectorAll<HTMLElement>(FRAMES)) style.display = 'none';
    }
  }
}
