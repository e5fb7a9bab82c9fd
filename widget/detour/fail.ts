import { type FlowError, oneOf } from '../errors.ts';
import type { FlowEffect, Transition } from '../flow/events.ts';
import type { FlowState } from '../flow/state.ts';
import { fail as failed, prepare, stay } from '../flow/steps.ts';

/** The customer sees an error, and what they need next is prepared while they read. */
export function fail(before: FlowState, error: FlowError, first: FlowEffect[] = []): Transition {
  const { state, effects } = failed(before, error, first);
  // Where the way forward leads through Link again, the next press opens it at once.
  if (oneOf(error.action, 'restart', 'use_other_bank') && state.link === 'none') {
    return prepare({ ...state, submission: null, wanted: false }, effects);
  }
  return stay(
    state,
    error.code === 'script_blocked' ? [...effects, { type: 'offer_hosted', run: state.run }] : effects,
  );
}
