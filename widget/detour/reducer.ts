import type { AuthorizationText, CompleteRequest, HostedPublicToken, Session } from '../contract.ts';
import { type FlowError, flowError, fromProblem, oneOf } from '../errors.ts';
import type { FlowEvent, Transition } from '../flow/events.ts';
import { act, clear, done, NO_TRACE, straight, submit } from '../flow/reducer.ts';
import { type FlowState, isAsking, isBusy, isChecking, isResting } from '../flow/state.ts';
import { open, opened, prepare, read, rest, stay } from '../flow/steps.ts';
import { fail } from './fail.ts';
import { linkExited, linkFailed } from './link-end.ts';

/** The flow where it leaves the straight way (flow/reducer.ts): errors, questions, repairs, and Link elsewhere. */

const COMPLETED = flowError('session_already_completed', 'contact_merchant');
/** This session can never be used again, while another one can. */
const isDead = ({ code }: FlowError) =>
  oneOf(code, 'session_expired', 'session_canceled', 'session_failed', 'unauthorized', 'not_found');
/** Another tab, most likely, has brought this session further. */
const hasMovedOn = ({ code }: FlowError) => oneOf(code, 'session_busy', 'session_already_completed');
const isUnreached = ({ code }: FlowError) => oneOf(code, 'offline', 'timeout', 'network_failed');
// About as long as the server needs to ask Plaid twice.
const READS_ON_RETURN = 3;
const HOSTED: CompleteRequest & { public_token: HostedPublicToken } = { public_token: 'hosted', accounts: [] };

/** Every event in every state. */
export function transition(state: FlowState, event: FlowEvent): Transition {
  return straight(state, event) ?? detour(state, event);
}

function detour(state: FlowState, event: FlowEvent): Transition {
  const { phase } = state;
  switch (event.type) {
    case 'return': {
      const run = state.run + 1;
      const next: FlowState = { ...state, phase: 'returning', run, link: 'preparing', wanted: true };
      return phase === 'rest' ? stay(next, [{ type: 'resume', run }]) : stay(state);
    }
    case 'press':
    case 'act':
      if (state.notice === 'undo') return read({ ...state, notice: null, wanted: true, idle: false }, 'checking');
      return phase === 'done' ? giveUp(state) : authorizeFirst({ ...state, reopened: false });
    case 'prepared': {
      const { hosted = false, embedded = false, authorization = null, repair = state.repair } = event;
      return authorizeFirst({ ...state, hosted, embedded, upfront: authorization, repair });
    }
    case 'prepare_failed':
      return state.link === 'preparing' ? prepareFailed(state, event.error) : stay(state);
    case 'link_failed':
      return linkFailed(state, event);
    case 'link_opened':
      if (phase !== 'rest' || state.link !== 'ready') return stay(state);
      return stay(opened(state), [{ type: 'emit', name: 'open' }]);
    case 'search_lost':
      // An open Link goes on without the search that it was opened from; it is put back at its end.
      if (phase === 'open') return stay({ ...state, link: 'none' });
      return isResting(phase) && state.link === 'ready' ? prepare(state) : stay(state);
    case 'covered':
      return phase === 'open' ? prepare({ ...state, phase: 'rest', wanted: true }, [{ type: 'close' }]) : stay(state);
    case 'uncovered':
      return phase === 'failed' ? prepare({ ...state, phase: 'rest', error: null }, [{ type: 'close' }]) : stay(state);
    case 'link_moved':
      return phase === 'open' || (phase === 'rest' && state.hosted) ? moved(state) : stay(state);
    case 'hosted_offered':
      return phase === 'failed'
        ? stay({ ...state, hosted: true, link: 'ready', offered: true, upfront: event.authorization ?? null })
        : stay(state);
    case 'press_hosted':
      return phase === 'failed' && state.hosted && state.link === 'ready'
        ? (open(state) ?? authorizeFirst(state))
        : stay(state);
    case 'link_exited':
      return linkExited(state, event);
    case 'answered':
      return settle(state, event.session, event.retryAfter);
    case 'unanswered':
      return isAsking(phase) ? unanswered(state, event.error) : stay(state);
    case 'choose':
      return phase === 'choosing' && state.submission && event.ids.length
        ? submit(state, { ...state.submission, accounts: chosen(state.submission, event.ids) })
        : stay(state);
    case 'accept':
      return phase === 'authorizing' && state.authorization ? accept(state, state.authorization) : stay(state);
    case 'decline':
      if (phase !== 'choosing' && phase !== 'authorizing') return stay(state);
      return prepare(
        { ...rest(state), replacing: state.replacing, notice: state.replacing ? 'not_changed' : 'canceled' },
        [
          {
            type: 'emit',
            name: 'canceled',
            step: phase === 'choosing' ? 'choose_account' : 'authorize',
            trace: NO_TRACE,
          },
        ],
      );
    case 'change':
    case 'reset':
      return state.notice === 'undo' ? stay(state) : giveUp(state);
    case 'remove': {
      const { state: next, effects } = clear(state);
      return stay({ ...next, notice: 'undo', idle: true }, effects);
    }
    case 'slow':
      return isBusy(phase) ? stay({ ...state, slow: state.slow === 0 ? 1 : 2 }) : stay(state);
    case 'online':
      return state.error && isUnreached(state.error) ? (act(state, false) ?? stay(state)) : stay(state);
    default:
      return stay(state);
  }
}

/**
 * The page gets an event, so that it can set another session. Where it does not, the bank that the session has can
 * still be used, but only for a press.
 */
function giveUp(state: FlowState): Transition {
  const { state: next, effects } = clear(state);
  return fail({ ...next, notice: 'undo' }, COMPLETED, effects);
}

function authorize(state: FlowState, authorization: AuthorizationText): Transition {
  return stay({ ...state, phase: 'authorizing', authorization, slow: 0 }, [
    { type: 'emit', name: 'step', step: 'authorize' },
  ]);
}

/** Of a Link at whose end this page may be gone. */
function authorizeFirst(state: FlowState): Transition {
  return state.upfront ? authorize(opened(state), state.upfront) : stay(state);
}

/**
 * What Link gave is sent again with the answer; where Link is still to come, the answer is given with its link token.
 */
function accept(state: FlowState, { text_sha256 }: AuthorizationText): Transition {
  const authorization = { accepted: true, text_sha256 };
  if (state.submission) return submit(state, { ...state.submission, authorization });
  const agreed = { authorization, hosted: state.offered };
  return prepare({ ...state, phase: 'rest', wanted: true, authorization: null }, [], agreed);
}

function moved(state: FlowState): Transition {
  const { state: next, effects } = read({ ...state, link: 'none', notice: null }, 'polling');
  return stay(next, [{ type: 'close' }, ...effects]);
}

function renewOrFail(state: FlowState, error: FlowError): Transition {
  if (state.renewable && !state.renewed) {
    const rested = { ...state, phase: 'rest', link: 'none', renewed: true, slow: 0 } as const;
    const next: FlowState = { ...rested, repair: [] };
    return state.wanted || state.warm ? prepare(next, [{ type: 'forget' }]) : stay(next, [{ type: 'forget' }]);
  }
  return fail({ ...state, link: 'none', submission: null }, over(error));
}

function prepareFailed(state: FlowState, error: FlowError): Transition {
  const next: FlowState = { ...state, link: 'none' };
  // Prepared ahead while an earlier error is on show: that one stays, and the next press tries again.
  if (state.phase === 'failed') {
    // Unless it is known to fail.
    const isOver = isDead(error) ? !state.renewable : error.action === 'contact_merchant';
    if (isOver && state.error?.action !== 'contact_merchant') return fail(next, over(error));
    const blocked = state.error?.code === 'script_blocked';
    return stay({ ...next, hosted: false }, blocked ? [{ type: 'offer_hosted', run: state.run }] : []);
  }
  if (hasMovedOn(error)) return read({ ...next, wanted: false }, 'checking');
  // The page may yet get a client secret: only a customer who waits sees an error.
  if (error.code === 'public_sessions_off' && !state.wanted) return stay({ ...next, idle: true });
  return isDead(error) ? renewOrFail(next, error) : fail(next, error);
}

/** A session without a usable bank. */
function settle(state: FlowState, session: Session, retryAfter: number): Transition {
  const problem = session.error && fromProblem(session.error);
  switch (session.status) {
    case 'processing':
      return stay(state);
    case 'completed': {
      const connections = session.connections.filter(({ status }) =>
        oneOf(status, 'active', 'pending_verification', 'needs_repair'),
      );
      return connections.length ? done(state, connections) : renewOrFail(state, COMPLETED);
    }
    case 'open':
    case 'restart_required':
      // The public token of a Hosted Link is the server's, so what it asks can be answered without having seen Link
      // end.
      if (state.hosted && (problem?.accounts?.length || problem?.authorization)) {
        return unanswered({ ...state, phase: 'polling', submission: HOSTED }, problem);
      }
      // Plaid sends the customer back before it has reported how it went.
      if (state.phase === 'returning' && session.status === 'open' && !problem && state.reads < READS_ON_RETURN) {
        return read({ ...state, reads: state.reads + 1 }, 'returning', retryAfter);
      }
      if (isChecking(state.phase)) {
        const next: FlowState = {
          ...state,
          phase: 'rest',
          repair: session.mode === 'repair' ? session.connections : [],
        };
        return state.warm || state.wanted ? prepare(next) : stay(next);
      }
      return unanswered(state, problem ?? flowError('restart_required', 'restart'));
    default: {
      const dead = flowError(`session_${session.status}`, 'contact_merchant');
      if (isChecking(state.phase) && state.renewable) return renewOrFail(state, dead);
      if (problem) return fail({ ...state, submission: null, link: 'none' }, state.renewable ? problem : over(problem));
      return renewOrFail({ ...state, submission: null, warm: true }, dead);
    }
  }
}

/** What the customer could do about it needs another session, which this page can't have. */
function over(problem: FlowError): FlowError {
  return { ...problem, action: 'contact_merchant', retryable: false };
}

function unanswered(state: FlowState, error: FlowError): Transition {
  const { phase, submission } = state;
  if (isDead(error) && (isChecking(phase) || !state.renewable)) return renewOrFail(state, error);
  if (isChecking(phase)) return fail(state, error);
  if (hasMovedOn(error)) return read({ ...state, submission: null }, 'polling');
  if (submission && error.accounts?.length) {
    return stay({ ...state, phase: 'choosing', accounts: error.accounts, slow: 0 }, [
      { type: 'emit', name: 'step', step: 'choose_account' },
    ]);
  }
  if (submission && error.authorization) {
    return authorize(state, error.authorization);
  }
  // The same public token is good for another try only where the server allows it, or was never reached.
  const again = error.retryable || isUnreached(error);
  return fail(again ? state : { ...state, submission: null }, error);
}

function chosen(submission: CompleteRequest, ids: string[]): CompleteRequest['accounts'] {
  return ids.map((id) => submission.accounts.find((account) => account.id === id) ?? { id });
}
