import type { ElementProperties } from '../element/properties.ts';
import type { ConnectController } from '../flow/controller.ts';

/** The element has another place in its document: a frame in it begins again there, and knows nothing of its Link. */
export function moved(element: ElementProperties, controller: ConnectController): void {
  // The browser leaves a question in the page that is open and no longer in front of it.
  element.shadowRoot?.querySelector('dialog')?.close();
  element.requestUpdate();
  if (controller.state.embedded) controller.dispatch({ type: 'search_lost' });
}
