import type { AuthorizationText, CompleteRequest, HostedPublicToken, Session } from '../contract.ts';
import { type FlowError, flowError, fromProblem, isRetry, oneOf } from '../errors.ts';
import type { FlowEffect, FlowEvent, Transition } from './events.ts';
import { linkExited, linkFailed, NO_TRACE } from './link-end.ts';
import { type FlowState, isBusy, type Phase, statusOf } from './state.ts';
import { authorize, fail, open, opened, prepare, read, rest, stay } from './steps.ts';

/**
 * The flow as a pure function: (state, event) → state and effects. No DOM, no clock, no network, so that every event in
 * every state can be tested. An event that means nothing in the present state changes nothing. Answers of asynchronous
 * effects carry the `run` that they were asked with; starting something new raises it, and a late answer of what was
 * given up is ignored.
 */

/** This session can never be used again, while another one can. */
const isDead = ({ code }: FlowError) =>
  oneOf(code, 'session_expired', 'session_canceled', 'session_failed', 'unauthorized', 'not_found');
/** Another tab, most likely, has brought this session further. */
const hasMovedOn = ({ code }: FlowError) => oneOf(code, 'session_busy', 'session_already_completed');
const isUnreached = ({ code }: FlowError) => oneOf(code, 'offline', 'timeout', 'network_failed');
const HOSTED: CompleteRequest & { public_token: HostedPublicToken } = { public_token: 'hosted', accounts: [] };
const COMPLETED = flowError('session_already_completed', 'contact_merchant');

export function transition(state: FlowState, event: FlowEvent): Transition {
  if ('run' in event && event.run !== state.run) return { state, effects: [] };
  const { phase } = state;
  switch (event.type) {
    case 'start': {
      const { renewable, hosted = state.hosted, stray } = event;
      const next: FlowState = { ...state, renewable, hosted, notice: stray ?? state.notice };
      if (phase === 'polling') return read(next, 'polling');
      return phase === 'rest' && event.known ? read(next, event.returning ? 'returning' : 'checking') : stay(next);
    }
    case 'return': {
      const run = state.run + 1;
      const next: FlowState = { ...state, phase: 'returning', run, link: 'preparing', wanted: true };
      return phase === 'rest' ? stay(next, [{ type: 'resume', run }]) : stay(state);
    }
    case 'warm': {
      const next = state.warm ? state : { ...state, warm: true };
      return phase === 'rest' && state.link === 'none' && !state.idle ? prepare(next) : stay(next);
    }
    case 'press':
      return press(state);
    case 'prepared':
      if (state.link !== 'preparing') return stay(state);
      return prepared(state, event);
    case 'prepare_failed':
      return state.link === 'preparing' ? prepareFailed(state, event.error) : stay(state);
    case 'expiring':
      return (phase === 'rest' || phase === 'failed') && state.link === 'ready' ? prepare(state) : stay(state);
    case 'outdated':
      return (phase === 'rest' || phase === 'failed') && state.link !== 'none' ? prepare(state) : stay(state);
    case 'link_busy':
      return phase === 'open' ? stay({ ...state, phase: 'rest' }) : stay(state);
    case 'link_opened':
      return phase === 'rest' && state.link === 'ready'
        ? stay(opened(state), [{ type: 'emit', name: 'open' }])
        : stay(state);
    case 'link_failed':
      return linkFailed(state, event.error);
    case 'search_lost':
      // An open Link goes on without the search that it was opened from; it is put back at its end.
      if (phase === 'open') return stay({ ...state, link: 'none' });
      return (phase === 'rest' || phase === 'failed') && state.link === 'ready' ? prepare(state) : stay(state);
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
      return phase === 'failed' && state.hosted && state.link === 'ready' ? open(state) : stay(state);
    case 'link_succeeded':
      return phase === 'open' ? submit(state, event.submission, [{ type: 'close' }]) : stay(state);
    case 'link_exited':
      return phase === 'open' ? linkExited(state, event) : stay(state);
    case 'answered':
      return isAsking(phase) ? settle(state, event.session, event.retryAfter) : stay(state);
    case 'unanswered':
      return isAsking(phase) ? unanswered(state, event.error) : stay(state);
    case 'slow':
      return isBusy(phase) && state.slow < 2 ? stay({ ...state, slow: state.slow === 0 ? 1 : 2 }) : stay(state);
    case 'choose':
      return phase === 'choosing' && state.submission && event.ids.length
        ? submit(state, { ...state.submission, accounts: chosen(state.submission, event.ids) })
        : stay(state);
    case 'accept':
      return phase === 'authorizing' && state.authorization ? accept(state, state.authorization) : stay(state);
    case 'decline':
      if (phase !== 'choosing' && phase !== 'authorizing') return stay(state);
      return prepare({ ...rest(state), notice: 'canceled' }, [
        {
          type: 'emit',
          name: 'canceled',
          step: phase === 'choosing' ? 'choose_account' : 'authorize',
          trace: NO_TRACE,
        },
      ]);
    case 'act':
      return phase === 'failed' ? act(state, true) : stay(state);
    case 'online':
      return phase === 'failed' && state.error && isUnreached(state.error) ? act(state, false) : stay(state);
    case 'change':
      return phase === 'done' ? change(state) : stay(state);
    case 'remove':
      return phase === 'done' ? remove(state, event.id) : stay(state);
    case 'reset':
      return reset(state);
    case 'restart':
      return clear(state);
    case 'leave':
      return leave(state);
  }
}

function isAsking(phase: Phase): boolean {
  return isBusy(phase) || isChecking(phase);
}

function isChecking(phase: Phase): boolean {
  return phase === 'checking' || phase === 'returning';
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

function prepared(before: FlowState, event: Extract<FlowEvent, { type: 'prepared' }>): Transition {
  const { hosted = false, embedded = false, authorization: upfront = null } = event;
  const state: FlowState = { ...before, hosted, embedded, upfront };
  // The search only the customer opens.
  if (state.wanted && !state.embedded) return open(state);
  return stay({ ...state, link: 'ready', wanted: false, renewed: false });
}

function moved(state: FlowState): Transition {
  const { state: next, effects } = read({ ...state, link: 'none', notice: null }, 'polling');
  return stay(next, [{ type: 'close' }, ...effects]);
}

function press(state: FlowState): Transition {
  switch (state.phase) {
    case 'open':
      // Link is in front of the page while it is open: a customer who can press has lost it, and opening it again
      // brings it back. From the search, only the customer opens it.
      return stay(state, state.embedded ? [] : [{ type: 'open' }]);
    case 'checking':
      return stay({ ...state, wanted: true });
    case 'rest':
    case 'failed': {
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

function renewOrFail(state: FlowState, error: FlowError): Transition {
  if (state.renewable && !state.renewed) {
    const next = { ...state, phase: 'rest', link: 'none', renewed: true, replacing: false } as const;
    return state.wanted || state.warm ? prepare(next, [{ type: 'forget' }]) : stay(next, [{ type: 'forget' }]);
  }
  return fail({ ...state, link: 'none', submission: null }, { ...error, action: 'contact_merchant', retryable: false });
}

function prepareFailed(state: FlowState, error: FlowError): Transition {
  const next: FlowState = { ...state, link: 'none' };
  // Prepared ahead while an earlier error is on show: that one stays, and the next press tries again.
  if (state.phase === 'failed') {
    const blocked = state.error?.code === 'script_blocked';
    return stay({ ...next, hosted: false }, blocked ? [{ type: 'offer_hosted', run: state.run }] : []);
  }
  if (hasMovedOn(error)) {
    return state.replacing ? renewOrFail(next, error) : read({ ...next, wanted: false }, 'checking');
  }
  // The page may yet get a client secret: only a customer who waits sees an error.
  if (error.code === 'public_sessions_off' && !state.wanted) return stay({ ...next, idle: true });
  return isDead(error) ? renewOrFail(next, error) : fail(next, error);
}

function submit(state: FlowState, submission: CompleteRequest, effects: FlowEffect[] = []): Transition {
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

function settle(state: FlowState, session: Session, retryAfter: number): Transition {
  const problem = session.error && fromProblem(session.error);
  switch (session.status) {
    case 'processing':
      return read({ ...state, wanted: false }, 'polling', retryAfter);
    case 'completed': {
      const connections = session.connections.filter(({ status }) =>
        oneOf(status, 'active', 'pending_verification', 'needs_repair'),
      );
      if (!connections.length) return renewOrFail(state, COMPLETED);
      const done: FlowState = { ...rest(state), phase: 'done', connections, renewed: false, reopened: false };
      const name = { connected: 'connected', pending_verification: 'pending', needs_repair: 'needs-repair' } as const;
      return stay(done, [{ type: 'emit', name: name[statusOf(done) as keyof typeof name] }]);
    }
    case 'open':
    case 'restart_required':
      // The public token of a Hosted Link is the server's, so what it asks can be answered without having seen Link
      // end.
      if (state.hosted && (problem?.accounts?.length || problem?.authorization)) {
        return unanswered({ ...state, phase: 'polling', submission: HOSTED }, problem);
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
      if (problem) return fail({ ...state, submission: null, link: 'none' }, problem);
      return renewOrFail({ ...state, submission: null, warm: true }, dead);
    }
  }
}

function unanswered(state: FlowState, error: FlowError): Transition {
  const { phase, submission } = state;
  if (isChecking(phase)) return isDead(error) ? renewOrFail(state, error) : fail(state, error);
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

/** @param wanted the customer pressed for it, so that Link opens as soon as it can */
function act(state: FlowState, wanted: boolean): Transition {
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

function chosen(submission: CompleteRequest, ids: string[]): CompleteRequest['accounts'] {
  return ids.map((id) => submission.accounts.find((account) => account.id === id) ?? { id });
}

function change(state: FlowState): Transition {
  const next: FlowState = { ...rest(state), replacing: true };
  if (!state.renewable) return fail(next, COMPLETED);
  return prepare({ ...next, wanted: true, replacing: false }, [{ type: 'forget' }]);
}

function remove(state: FlowState, id?: string): Transition {
  const connections = id ? state.connections.filter((one) => one.id !== id) : [];
  return connections.length ? stay({ ...state, connections }) : reset(state);
}

/**
 * The session of a connected bank is over: preparing Link with it could only show that bank again, unasked. Where the
 * page has no other session, it gets an event, so that it can set one.
 */
function reset(state: FlowState): Transition {
  const { state: next, effects } = clear(state);
  if (state.renewable) return stay(next, effects);
  if (state.error?.code === COMPLETED.code) return stay(state);
  return state.connections.length ? fail({ ...next, notice: null }, COMPLETED, effects) : stay(next, effects);
}

function clear(state: FlowState): Transition {
  const effects: FlowEffect[] = [{ type: 'close' }];
  if (state.renewable) effects.push({ type: 'forget' });
  const notice = state.connections.length ? 'removed' : null;
  return stay({ ...rest(state), renewed: false, reopened: false, notice }, effects);
}

/** What the server already has goes on; everything that belongs to this page is put away. */
function leave(state: FlowState): Transition {
  if (state.phase === 'submitting' || state.phase === 'done') return stay(state);
  const away: FlowState = { ...state, run: state.run + 1, link: 'none', wanted: false, warm: false };
  if (oneOf(state.phase, 'open', 'checking', 'returning')) away.phase = 'rest';
  return stay(away, [{ type: 'close' }]);
}
