import type { ElementProperties } from '../element/properties.ts';
import { isRetry, oneOf } from '../errors.ts';
import type { ConnectController } from '../flow/controller.ts';
import { detours } from './load-detour.ts';

/**
 * Handles a press on the element.
 * @param mayOpen asks the page; only where Link is about to open, now or as soon as it can
 */
export function press(element: ElementProperties, controller: ConnectController, mayOpen: () => boolean): void {
  const { phase, error, embedded, link, submission, renewable, notice } = controller.state;
  if (embedded && phase === 'rest' && link === 'ready') {
    detours.now?.focusSearch(element);
    return;
  }
  if (oneOf(phase, 'submitting', 'polling', 'choosing', 'authorizing', 'returning')) return;
  // Where the bank asks for another sign-in, that needs another session.
  if (phase === 'done' && (element.value || !renewable)) return;
  if (phase === 'failed' && error?.action === 'contact_merchant') return;
  const again = phase === 'failed' && isRetry(error);
  const type = again ? 'act' : 'press';
  // What Link gave is sent again; the search is put back; or the bank that was removed is.
  const isWithoutLink = again ? submission || detours.now?.canEmbed(element, controller.state) : notice === 'undo';
  if (isWithoutLink || (!controller.isTaken && mayOpen())) controller.press(type);
}
