import type { AuthorizationAcceptance } from '../contract.ts';
import type { FlowError } from '../errors.ts';
import type { FlowEffect, Transition } from './events.ts';
import { type FlowState, initialState } from './state.ts';

/** The steps that many events of the flow (reducer.ts) share. */

export function stay(state: FlowState, effects: FlowEffect[] = []): Transition {
  return { state, effects };
}

/** The same customer on the same page, with nothing in progress and nothing shown. */
export function rest(state: FlowState): FlowState {
  const { warm, renewable, repair, run } = state;
  return { ...initialState, warm, renewable, repair, run: run + 1 };
}

export function prepare(
  state: FlowState,
  effects: FlowEffect[] = [],
  agreed?: { authorization: AuthorizationAcceptance; hosted: boolean },
): Transition {
  const run = state.run + 1;
  const effect: FlowEffect = { type: 'prepare', run, ...(agreed && { agreed }) };
  const next: FlowState = { ...state, run, link: 'preparing', upfront: null, offered: false };
  return { state: next, effects: [...effects, effect] };
}

/** Null where the customer has to accept something first, which the detour asks. */
export function open(state: FlowState): Transition | null {
  return state.upfront ? null : stay(opened(state), [{ type: 'open' }]);
}

export function opened(state: FlowState): FlowState {
  return {
    ...state,
    phase: 'open',
    link: 'ready',
    wanted: false,
    renewed: false,
    error: null,
    notice: null,
    submission: null,
  };
}

export function read(state: FlowState, phase: 'checking' | 'returning' | 'polling', delay = 0): Transition {
  const run = state.run + 1;
  return { state: { ...state, phase, run, error: null }, effects: [{ type: 'read', run, delay }] };
}

export function fail(state: FlowState, error: FlowError, effects: FlowEffect[] = []): Transition {
  return stay({ ...state, phase: 'failed', error, slow: 0, accounts: [], authorization: null }, [
    ...effects,
    { type: 'emit', name: 'error' },
  ]);
}
