import type { CompleteRequest, Connection, Session } from '../contract.ts';
import { type FlowError, isRetry, type LinkTrace, oneOf } from '../errors.ts';
import type { FlowEffect, FlowEvent, LinkFailure, Outcome, Transition } from './events.ts';
import { type FlowState, isAsking, isBusy, isResting, statusOf, usable } from './state.ts';
import { fail, open, prepare, read, rest, stay } from './steps.ts';

/**
 * The flow as a pure function: (state, event) → state and effects. No DOM, no clock, no network, so that every event in
 * every state can be tested. An event that means nothing in the present state changes nothing. Answers of asynchronous
 * effects carry the `run` that they were asked with; starting something new raises it, and a late answer of what was
 * given up is ignored.
 *
 * Here is the straight way, from a button to a connected bank, and what must happen at once. Everything else is in
 * detour/reducer.ts, which comes when a customer needs it.
 */

export const NO_TRACE: LinkTrace = { requestId: null, linkSessionId: null, institution: null };

/** Whether it belongs to what was given up. By its own members, since a page may have given `run` to every object. */
export function isOutdated(of: FlowEvent | FlowEffect, { run }: FlowState): boolean {
  return Object.hasOwn(of, 'run') && (of as { run: number }).run !== run;
}

/** How the flow goes on; null where that is a matter of the detour. */
export function straight(state: FlowState, event: FlowEvent): Transition | null {
  if (isOutdated(event, state)) return stay(state);
  const { phase } = state;
  switch (event.type) {
    case 'start': {
      const { renewable, hosted = state.hosted, unusable } = event;
      const next: FlowState = { ...state, renewable, hosted, notice: unusable ?? state.notice };
      if (phase === 'polling') return read(next, 'polling');
      return phase === 'rest' && event.known ? read(next, event.returning ? 'returning' : 'checking') : stay(next);
    }
    case 'warm': {
      const next = state.warm ? state : { ...state, warm: true };
      return phase === 'rest' && state.link === 'none' && !state.idle ? prepare(next) : stay(next);
    }
    case 'press':
      return press(state);
    case 'withdraw':
      // On the way back from a bank's page the press was on another one.
      return phase === 'returning' || !state.wanted ? stay(state) : stay({ ...state, wanted: false });
    case 'prepared':
      if (state.link !== 'preparing') return stay(state);
      return prepared(state, event);
    case 'expiring':
      return isResting(phase) && state.link === 'ready' ? prepare(state) : stay(state);
    case 'outdated':
      return isResting(phase) && state.link !== 'none' ? prepare(state) : stay(state);
    case 'link_busy':
      return phase === 'open' ? stay({ ...state, phase: 'rest' }) : stay(state);
    case 'link_succeeded':
      return phase === 'open' ? submit(state, event.submission, [{ type: 'close' }]) : stay(state);
    case 'link_exited': {
      const { error, plaid, step, trace = NO_TRACE } = event;
      if (phase !== 'open') return stay(state);
      if (error || plaid) return null;
      const left: FlowState = { ...state, phase: 'rest', notice: state.replacing ? 'not_changed' : 'canceled' };
      const effects: FlowEffect[] = [{ type: 'emit', name: 'canceled', step, trace }];
      // The search that it was opened from is gone.
      return left.link === 'none' ? prepare(left, effects) : stay(left, effects);
    }
    case 'answered':
      return isAsking(phase) ? settle(state, event.session, event.retryAfter) : stay(state);
    case 'act':
      return phase === 'failed' ? act(state, true) : stay(state);
    case 'slow':
      return isBusy(phase) ? null : stay(state);
    // Comes to every page.
    case 'online':
      return phase === 'failed' ? null : stay(state);
    case 'change':
      return phase === 'done' ? change(state) : stay(state);
    case 'remove':
      return phase === 'done' ? remove(state, event.id) : stay(state);
    case 'reset':
      return reset(state);
    case 'restart':
      return clear({ ...state, repair: [], connections: [] });
    case 'leave':
      return leave(state);
    default:
      return null;
  }
}

/** Where the detour can't be fetched: the customer who waits for it sees an error, and can try again. */
export function failWithoutDetour(state: FlowState, event: FlowEvent, unreached: FlowError): Transition {
  // The customer waits for none of these.
  if (isOutdated(event, state) || oneOf(event.type, 'slow', 'online', 'uncovered')) return stay(state);
  const { error = null, plaid = null } = event as Partial<LinkFailure>;
  // A question, and what Link has reported, is understood only with the detour.
  const isQuestion = Boolean(error?.accounts || error?.authorization);
  const isKnown = error && !plaid && !isQuestion && (isRetry(error) || error.action === 'contact_merchant');
  return fail({ ...state, link: 'none' }, isKnown ? error : unreached, [{ type: 'close' }]);
}

/** @param wanted the customer pressed for it, so that Link opens as soon as it can */
export function act(state: FlowState, wanted: boolean): Transition | null {
  const { submission, error } = state;
  if (error?.action === 'contact_merchant') return stay(state);
  if (submission) return submit(state, submission);
  const again = isRetry(error);
  // A Hosted Link that is offered with the error is another way, not a retry.
  if (again && (state.link !== 'ready' || state.hosted)) {
    const next: FlowState = { ...state, phase: 'rest', error: null, hosted: false, wanted: wanted || state.wanted };
    return state.link === 'preparing' ? stay(next) : prepare(next);
  }
  return wanted ? press(state) : stay({ ...state, phase: 'rest', error: null });
}

function prepared(before: FlowState, event: Extract<FlowEvent, { type: 'prepared' }>): Transition | null {
  const { hosted = false, embedded = false, authorization: upfront = null, repair = before.repair } = event;
  const state: FlowState = { ...before, hosted, embedded, upfront, repair };
  // The search only the customer opens.
  if (state.wanted && !state.embedded) return open(state);
  return stay({ ...state, link: 'ready', wanted: false, renewed: false });
}

function press(state: FlowState): Transition | null {
  switch (state.phase) {
    case 'open':
      // Link is in front of the page while it is open: a customer who can press has lost it, and opening it again
      // brings it back. From the search, only the customer opens it.
      return stay(state, state.embedded ? [] : [{ type: 'open' }]);
    case 'checking':
      return stay({ ...state, wanted: true });
    case 'rest':
    case 'failed': {
      if (state.notice === 'undo') return null;
      if (state.link === 'ready') return open({ ...state, reopened: false });
      const link = state.link;
      const next: FlowState = {
        ...state,
        phase: 'rest',
        error: null,
        notice: null,
        submission: null,
        wanted: true,
        reopened: false,
        relinked: false,
        idle: false,
      };
      return link === 'none' ? prepare(next) : stay(next);
    }
    case 'done':
      return statusOf(state) === 'needs_repair' ? change(state) : stay(state);
    default:
      return stay(state);
  }
}

export function submit(state: FlowState, submission: CompleteRequest, effects: FlowEffect[] = []): Transition {
  const run = state.run + 1;
  return {
    state: {
      ...state,
      phase: 'submitting',
      run,
      link: 'none',
      wanted: false,
      submission,
      error: null,
      accounts: [],
      authorization: null,
    },
    effects: [...effects, { type: 'emit', name: 'step', step: 'connecting' }, { type: 'submit', run, submission }],
  };
}

function settle(state: FlowState, session: Session, retryAfter: number): Transition | null {
  const { status, mode, error } = session;
  if (status === 'processing') return read({ ...state, wanted: false }, 'polling', retryAfter);
  if (status === 'open' && state.phase === 'checking' && mode !== 'repair' && !error) {
    const next: FlowState = { ...state, phase: 'rest', repair: [] };
    return state.warm || state.wanted ? prepare(next) : stay(next);
  }
  const connections = usable(session.connections);
  const isDone = status === 'completed' && connections.length > 0;
  return isDone && session.connections.every((one) => one.status !== 'needs_repair') ? done(state, connections) : null;
}

export function done(state: FlowState, connections: Connection[]): Transition {
  const next: FlowState = { ...rest(state), phase: 'done', connections };
  return stay(next, [{ type: 'emit', name: statusOf(next) as Outcome }]);
}

function change(state: FlowState): Transition | null {
  if (!state.renewable) return null;
  return prepare({ ...rest(state), replacing: true, repair: [], wanted: true }, [{ type: 'forget' }]);
}

function remove(state: FlowState, id?: string): Transition | null {
  const connections = id ? state.connections.filter((one) => one.id !== id) : [];
  if (connections.length) return stay({ ...state, connections });
  return state.renewable ? clear(state) : null;
}

/**
 * The session of a connected bank is over: preparing Link with it could only show that bank again, unasked. Where the
 * page has no other session, that is a matter of the detour.
 */
function reset(state: FlowState): Transition | null {
  const isOver = state.connections.length || state.notice === 'undo';
  return isOver && !state.renewable ? null : clear(state);
}

export function clear(state: FlowState): Transition {
  const effects: FlowEffect[] = [{ type: 'close' }];
  if (state.renewable) effects.push({ type: 'forget' });
  const notice = state.connections.length ? 'removed' : null;
  const repair = state.renewable ? [] : state.repair;
  return stay({ ...rest(state), notice, repair }, effects);
}

/** What the server already has goes on; everything that belongs to this page is put away. */
function leave(state: FlowState): Transition {
  if (state.phase === 'submitting' || state.phase === 'done') return stay(state);
  const away: FlowState = { ...state, run: state.run + 1, link: 'none', wanted: false, warm: false };
  if (oneOf(state.phase, 'open', 'checking', 'returning')) away.phase = 'rest';
  return stay(away, [{ type: 'close' }]);
}
