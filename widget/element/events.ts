import type { ElementError } from '../errors.ts';

// What can happen before the second chunk has loaded. The other events are in lazy/events.ts.
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
