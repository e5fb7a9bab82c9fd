import type { ElementError } from '../errors.ts';
import type {
  FbcCanceledEvent,
  FbcConnectedEvent,
  FbcNeedsRepairEvent,
  FbcPendingEvent,
  FbcStepEvent,
} from '../lazy/events.ts';

export {
  FbcCanceledEvent,
  FbcConnectedEvent,
  FbcNeedsRepairEvent,
  FbcPendingEvent,
  FbcStepEvent,
} from '../lazy/events.ts';

const BUBBLING = { bubbles: true, composed: true };

/** Before Link opens. `preventDefault()` keeps it closed. */
export class FbcOpenEvent extends CustomEvent<null> {
  constructor() {
    super('fbc-open', { ...BUBBLING, cancelable: true });
  }
}

/** Something stopped the element. */
export class FbcErrorEvent extends CustomEvent<{ error: ElementError }> {
  constructor(error: ElementError) {
    super('fbc-error', { ...BUBBLING, detail: { error } });
  }
}

export interface FbcEventMap {
  'fbc-open': FbcOpenEvent;
  'fbc-step': FbcStepEvent;
  'fbc-connected': FbcConnectedEvent;
  'fbc-pending': FbcPendingEvent;
  'fbc-needs-repair': FbcNeedsRepairEvent;
  'fbc-canceled': FbcCanceledEvent;
  'fbc-error': FbcErrorEvent;
}

declare global {
  interface HTMLElementEventMap extends FbcEventMap {}
}
