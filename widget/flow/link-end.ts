import { type FlowError, flowError, type LinkTrace } from '../errors.ts';
import type { FlowEffect, FlowEvent, Transition } from './events.ts';
import type { FlowState } from './state.ts';
import { fail, prepare, stay } from './steps.ts';

/** How the flow goes on when Link has ended without a bank, or can't begin. */

export const NO_TRACE: LinkTrace = { requestId: null, linkSessionId: null, institution: null };

/**
 * Another link token may help, once. Without a press no customer waits for it, so after that no error is shown before
 * one.
 */
export function linkFailed(state: FlowState, error: FlowError): Transition {
  const { phase, link, relinked, wanted } = state;
  if (link === 'none' || (phase !== 'rest' && phase !== 'failed')) return stay(state);
  const next: FlowState = { ...state, link: 'none' };
  if (!relinked) return prepare({ ...next, relinked: true }, [{ type: 'close' }]);
  if (phase === 'failed' || !wanted) return stay({ ...next, idle: true }, [{ type: 'close' }]);
  return fail(next, error.code === 'link_expired' ? flowError('link_failed', 'restart') : error, [{ type: 'close' }]);
}

export function linkExited(state: FlowState, event: Extract<FlowEvent, { type: 'link_exited' }>): Transition {
  const { error, step, fresh, trace = NO_TRACE } = event;
  if (!error) {
    const left: FlowState = { ...state, phase: 'rest', notice: 'canceled' };
    const effects: FlowEffect[] = [{ type: 'emit', name: 'canceled', step, trace }];
    // The search that it was opened from is gone.
    return left.link === 'none' ? prepare(left, effects) : stay(left, effects);
  }
  const closed: FlowState = { ...state, link: 'none' };
  if (error.code !== 'link_expired') return fail(closed, error, [{ type: 'close' }]);
  if (fresh && state.reopened) return fail(closed, flowError('link_failed', 'restart'), [{ type: 'close' }]);
  // A customer who has just pressed gets Link again without asking; one who was away for long sees why it ended.
  return prepare({ ...closed, phase: 'rest', wanted: fresh, reopened: fresh, notice: fresh ? null : 'expired' }, [
    { type: 'close' },
  ]);
}
