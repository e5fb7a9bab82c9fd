import type { ElementProperties } from '../element/properties.ts';
import type { FlowState } from '../flow/state.ts';
import { isWebview } from '../link/webview.ts';

// What Plaid asks for: 350 × 300 or 300 × 350 pixels at least.
const NARROWEST = 300;

/**
 * Whether an embedded search can run at the element's place. Plaid allows it neither in frames and webviews nor to
 * repair a login.
 */
export function canEmbed(element: ElementProperties, { repair }: FlowState): boolean {
  const isWanted = element.mode === 'embedded' && !repair.length;
  return isWanted && !isWebview() && window.parent === window && element.clientWidth >= NARROWEST;
}

/**
 * The place of the embedded search: a child of the element, in the page's own document, because Plaid's script does not
 * promise to work in a shadow root. Its size is the element's to give (`::slotted`), so that a page's policy on styles
 * doesn't apply to it.
 */
export function embeddedPlace(element: ElementProperties, state: FlowState): HTMLElement | null {
  if (!canEmbed(element, state)) return null;
  const existing = element.querySelector<HTMLElement>(':scope > [slot="embedded"]');
  if (existing) return existing;
  const place = document.createElement('div');
  place.slot = 'embedded';
  element.append(place);
  return place;
}

/** Only the customer can open Link from the search, so that is where a press leads. */
export function focusSearch(element: HTMLElement): void {
  element.querySelector<HTMLElement>(':scope > [slot="embedded"] iframe')?.focus();
}
