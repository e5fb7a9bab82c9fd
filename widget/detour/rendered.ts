import { languageOf } from '../element/language.ts';
import type { ElementProperties } from '../element/properties.ts';
import { oneOf } from '../errors.ts';
import type { ConnectController } from '../flow/controller.ts';
import { given } from '../i18n/given.ts';
import { markOwnStrings } from './own-strings.ts';
import { schemeOf } from './page-scheme.ts';
import { followReturned } from './returned-session.ts';

/**
 * After each rendering.
 * @param foreign the language of our texts, where the page is in another one
 */
export function rendered(element: ElementProperties, controller: ConnectController, foreign: string | null): void {
  followReturned(element, controller);
  const { phase } = controller.state;
  const root = element.shadowRoot as ShadowRoot;
  const { strings } = element;
  if (strings) markOwnStrings(root, given(strings), foreign && languageOf(element));
  const dialog = root.querySelector('dialog');
  // A modal dialog that is not drawn, because the page hides the element, would leave the page with nothing to press.
  const isDrawn = isVisible(root.querySelector('.frame'));
  const asks = oneOf(phase, 'choosing', 'authorizing') && element.isConnected && !!isDrawn;
  if (!dialog || dialog.open === asks) return;
  dialog.style.colorScheme = schemeOf(element);
  if (asks) dialog.showModal();
  else dialog.close();
}

/**
 * What is in a closed `<details>`, or under `content-visibility: hidden`, has a place and is not drawn all the same.
 */
function isVisible(frame: Element | null): boolean {
  return !!frame?.getClientRects().length && (frame.checkVisibility?.() ?? true);
}
