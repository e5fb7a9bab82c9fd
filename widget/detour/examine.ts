import type { ElementProperties } from '../element/properties.ts';
import type { ConnectController } from '../flow/controller.ts';
import { watchCopies } from './page-copies.ts';
import { hint } from './wrong-values.ts';

/** A closer look at an element and its page, one of which is not as most are. */
export function examine(element: ElementProperties, controller: ConnectController): void {
  hint(element);
  watchCopies(controller);
}
