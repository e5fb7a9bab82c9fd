import type { CompleteRequest, ConnectionStatus } from '../../../widget/contract.ts';
import { transition } from '../../../widget/detour/reducer.ts';
import type { FlowEffect, FlowEvent } from '../../../widget/flow/events.ts';
import { type FlowState, initialState, statusOf } from '../../../widget/flow/state.ts';
import { session } from './simulated-backend.ts';

export const submission: CompleteRequest = { public_token: 'public-sandbox-1', accounts: [{ id: 'a' }, { id: 'b' }] };
export const answer = (status: Parameters<typeof session>[0], connections: ConnectionStatus[] = []) => ({
  session: session(status, connections),
  retryAfter: 2,
});

/** Plays events, giving those that answer something the run that it was asked with. */
export function play(events: Loose[], from: FlowState = initialState) {
  let state = from;
  const effects: FlowEffect[] = [];
  for (const event of events) {
    const next = transition(state, { run: state.run, ...event } as FlowEvent);
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects, status: statusOf(state), names: effects.map(nameOf) };
}

export type Loose = FlowEvent extends infer E ? (E extends FlowEvent ? Omit<E, 'run'> : never) : never;

export const nameOf = (effect: FlowEffect) => (effect.type === 'emit' ? `emit ${effect.name}` : effect.type);
