import { warnCovered } from '../diagnose.ts';
import { isBehindCover, isReached, parentOf } from '../link/cover.ts';

/**
 * Warns the merchant on the console.
 * @returns whether what is in front of Link (link/cover.ts) keeps every click from it. A modal dialog makes everything
 * outside of it inert, and a manual popover in the middle of the window, where Link is, goes away for no click. In
 * front of other popovers and drawn dialogs the customer can still use Link.
 */
export function hidesLink(element: Element): boolean {
  warnCovered();
  for (let at: Element | null = element; at; at = parentOf(at)) {
    if (at.matches(':is(:modal)') || isUndismissable(at)) return true;
  }
  return !isBehindCover(element) && !isReached(1, 1);
}

function isUndismissable(element: Element): boolean {
  if (element.getAttribute('popover') !== 'manual' || !element.matches(':is(:popover-open)')) return false;
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return left < innerWidth / 2 && right > innerWidth / 2 && top < innerHeight / 2 && bottom > innerHeight / 2;
}
