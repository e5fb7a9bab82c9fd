import type { Connection } from '../contract.ts';
import type { FbcErrorEvent, FbcOpenEvent } from '../element/events.ts';
import type { LinkTrace } from '../errors.ts';

const BUBBLING = { bubbles: true, composed: true };

/**
 * The customer came to another step, in Link or here. `detail.step` is a lower-case name; Plaid adds names without
 * notice.
 */
export class FbcStepEvent extends CustomEvent<{ step: string }> {
  constructor(step: string) {
    super('fbc-step', { ...BUBBLING, detail: { step } });
  }
}

/**
 * At least one bank account is connected and can be used. The ids are no proof: the merchant's server fetches the
 * connection before charging.
 */
export class FbcConnectedEvent extends CustomEvent<{ connections: Connection[] }> {
  constructor(connections: Connection[]) {
    super('fbc-connected', { ...BUBBLING, detail: { connections } });
  }
}

/**
 * The bank has yet to confirm the account. It may be submitted with the form; the merchant's server gets an event when
 * it ends.
 */
export class FbcPendingEvent extends CustomEvent<{ connections: Connection[] }> {
  constructor(connections: Connection[]) {
    super('fbc-pending', { ...BUBBLING, detail: { connections } });
  }
}

/** The bank wants the customer to sign in again. */
export class FbcNeedsRepairEvent extends CustomEvent<{ connections: Connection[] }> {
  constructor(connections: Connection[]) {
    super('fbc-needs-repair', { ...BUBBLING, detail: { connections } });
  }
}

/** The customer left without connecting; `detail.step` is how far they came, the rest is for support. */
export class FbcCanceledEvent extends CustomEvent<{ step: string } & LinkTrace> {
  constructor(detail: { step: string } & LinkTrace) {
    super('fbc-canceled', { ...BUBBLING, detail });
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
