import { type FlowError, flowError } from '../errors.ts';
import type { FlowEvent, Transition } from '../flow/events.ts';
import type { FlowState } from '../flow/state.ts';
import { prepare, stay } from '../flow/steps.ts';
import { fail } from './fail.ts';
import { fromLinkError } from './link-errors.ts';

/** How the flow goes on when Link has ended with an error, or can't begin. */

type LinkError = Pick<Extract<FlowEvent, { type: 'link_exited' }>, 'error' | 'plaid' | 'trace'>;

/** Link's own word for what went wrong comes before ours. */
function errorOf({ error, plaid, trace }: LinkError): FlowError | null {
  return plaid ? { ...fromLinkError({ error_code: plaid }), ...trace } : error;
}

/**
 * Another link token may help, once. Without a press no customer waits for it, so after that no error is shown before
 * one.
 */
export function linkFailed(state: FlowState, event: LinkError): Transition {
  const { phase, link, relinked, wanted } = state;
  if (link === 'none' || (phase !== 'rest' && phase !== 'failed')) return stay(state);
  const next: FlowState = { ...state, link: 'none' };
  if (!relinked) return prepare({ ...next, relinked: true }, [{ type: 'close' }]);
  const error = errorOf(event);
  if (phase === 'failed' || !wanted || !error) return stay({ ...next, idle: true }, [{ type: 'close' }]);
  return fail(next, error.code === 'link_expired' ? flowError('link_failed', 'restart') : error, [{ type: 'close' }]);
}

export function linkExited(state: FlowState, event: Extract<FlowEvent, { type: 'link_exited' }>): Transition {
  const error = errorOf(event);
  if (!error) return stay(state);
  const { fresh } = event;
  const closed: FlowState = { ...state, link: 'none' };
  if (error.code !== 'link_expired') return fail(closed, error, [{ type: 'close' }]);
  if (fresh && state.reopened) return fail(closed, flowError('link_failed', 'restart'), [{ type: 'close' }]);
  // A customer who has just pressed gets Link again without asking; one who was away for long sees why it ended.
  return prepare({ ...closed, phase: 'rest', wanted: fresh, reopened: fresh, notice: fresh ? null : 'expired' }, [
    { type: 'close' },
  ]);
}
