import type { Connection } from '../contract.ts';
import { type FbcErrorEvent, FbcEvent, type FbcOpenEvent } from '../element/events.ts';
import type { LinkTrace } from '../errors.ts';

/**
 * The customer came to another step, in Link or here. `detail.step` is a lower-case name; Plaid adds names without
 * notice.
 */
export class FbcStepEvent extends FbcEvent<{ step: string }> {
  constructor(step: string) {
    super('fbc-step', { step });
  }
}

/**
 * At least one bank account is connected and can be used. The ids are no proof: the merchant's server fetches the
 * connection before charging.
 */
export class FbcConnectedEvent extends FbcEvent<{ connections: Connection[] }> {
  constructor(connections: Connection[]) {
    super('fbc-connected', { connections });
  }
}

/**
 * The bank has yet to confirm the account. It may be submitted with the form; the merchant's server gets an event when
 * it ends.
 */
export class FbcPendingEvent extends FbcEvent<{ connections: Connection[] }> {
  constructor(connections: Connection[]) {
    super('fbc-pending', { connections });
  }
}

/** The bank wants the customer to sign in again. */
export class FbcNeedsRepairEvent extends FbcEvent<{ connections: Connection[] }> {
  constructor(connections: Connection[]) {
    super('fbc-needs-repair', { connections });
  }
}

/** The customer left without connecting; `detail.step` is how far they came, the rest is for support. */
export class FbcCanceledEvent extends FbcEvent<{ step: string } & LinkTrace> {
  constructor(detail: { step: string } & LinkTrace) {
    super('fbc-canceled', detail);
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

/** Events bubble and cross shadow roots, so a page may listen at any of these. */
declare global {
  interface HTMLElementEventMap extends FbcEventMap {}
  interface ShadowRootEventMap extends FbcEventMap {}
  interface DocumentEventMap extends FbcEventMap {}
  interface WindowEventMap extends FbcEventMap {}
}
