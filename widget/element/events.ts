import type { ElementError } from '../errors.ts';

/** What pages can listen to. Those that can not happen before the second chunk has loaded are in lazy/events.ts. */
export abstract class FbcEvent<T> extends CustomEvent<T> {
  constructor(name: string, detail: T, cancelable = false) {
    super(name, { bubbles: true, composed: true, cancelable, detail });
  }
}

/** Before Link opens. `preventDefault()` keeps it closed. */
export class FbcOpenEvent extends FbcEvent<null> {
  constructor() {
    super('fbc-open', null, true);
  }
}

/** Something stopped the element. */
export class FbcErrorEvent extends FbcEvent<{ error: ElementError }> {
  constructor(error: ElementError) {
    super('fbc-error', { error });
  }
}
