import type { Connection } from '../contract.ts';
import { FbcErrorEvent, FbcOpenEvent } from '../element/events.ts';
import type { ElementError } from '../errors.ts';
import type { FlowEffect } from '../flow/events.ts';
import { FbcCanceledEvent, FbcConnectedEvent, FbcNeedsRepairEvent, FbcPendingEvent, FbcStepEvent } from './events.ts';

const OUTCOMES = {
  connected: FbcConnectedEvent,
  pending_verification: FbcPendingEvent,
  needs_repair: FbcNeedsRepairEvent,
};

/** The event for what the flow reports. */
export function eventFor(
  effect: Extract<FlowEffect, { type: 'emit' }>,
  connections: Connection[],
  error: ElementError | null,
): Event | null {
  switch (effect.name) {
    case 'open':
      return new FbcOpenEvent();
    case 'canceled':
      return new FbcCanceledEvent({ step: effect.step, ...effect.trace });
    case 'step':
      return new FbcStepEvent(effect.step);
    case 'error':
      return error && new FbcErrorEvent(error);
    default:
      // A list of its own, which a listener may sort or empty.
      return new OUTCOMES[effect.name]([...connections]);
  }
}
