import type { FlowEffect } from './connect-flow.ts';
import type { Connection } from './contract.ts';
import type { ElementError } from './errors.ts';

const BUBBLING = { bubbles: true, composed: true };

/** Before Link opens. `preventDefault()` keeps it closed. */
export class FbcOpenEvent extends CustomEvent<null> {
  constructor() {
    super('fbc-open', { ...BUBBLING, cancelable: true });
  }
}

/** The customer came to another step, in Link or here. `detail.step` is a lower-case name; Plaid adds names without notice. */
export class FbcStepEvent extends CustomEvent<{ step: string }> {
  constructor(step: string) {
    super('fbc-step', { ...BUBBLING, detail: { step } });
  }
}

/** At least one bank account is connected and can be used. The ids are no proof: the merchant's server fetches the connection before charging. */
export class FbcConnectedEvent extends CustomEvent<{ connections: Connection[] }> {
  constructor(connections: Connection[]) {
    super('fbc-connected', { ...BUBBLING, detail: { connections } });
  }
}

/** The bank has yet to confirm the account. It may be submitted with the form; the merchant's server hears how it ends. */
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

/** The customer left without connecting; `detail.step` is how far they came. */
export class FbcCanceledEvent extends CustomEvent<{ step: string }> {
  constructor(step: string) {
    super('fbc-canceled', { ...BUBBLING, detail: { step } });
  }
}

export class FbcErrorEvent extends CustomEvent<{ error: ElementError }> {
  constructor(error: ElementError) {
    super('fbc-error', { ...BUBBLING, detail: { error } });
  }
}

/** The event that belongs to what the flow has to tell. */
export function eventFor(
  news: Extract<FlowEffect, { type: 'emit' }>,
  connections: Connection[],
  error: ElementError | null,
): Event | null {
  switch (news.name) {
    case 'open':
      return new FbcOpenEvent();
    case 'connected':
      return new FbcConnectedEvent(connections);
    case 'pending':
      return new FbcPendingEvent(connections);
    case 'needs-repair':
      return new FbcNeedsRepairEvent(connections);
    case 'canceled':
      return new FbcCanceledEvent(news.step);
    case 'step':
      return new FbcStepEvent(news.step);
    case 'error':
      return error && new FbcErrorEvent(error);
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
