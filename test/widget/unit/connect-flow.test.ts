import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FlowEvent, transition } from '../../../widget/connect-flow.ts';
import type { ConnectionStatus } from '../../../widget/contract.ts';
import { flowError } from '../../../widget/errors.ts';
import { initialState, isBusy, statusOf } from '../../../widget/flow-state.ts';
import { answer, type Loose, nameOf, play, submission } from '../helpers/flow.ts';
import { connection, session } from '../helpers/simulated-backend.ts';

const toReady: Loose[] = [{ type: 'start', known: false, renewable: true }, { type: 'warm' }, { type: 'prepared' }];
const toOpen: Loose[] = [...toReady, { type: 'press' }];
const toSubmitting: Loose[] = [...toOpen, { type: 'link_succeeded', submission }];
const exit = (
  code: Parameters<typeof flowError>[0],
  action: Parameters<typeof flowError>[1],
  fresh = false,
): Loose => ({
  type: 'link_exited',
  error: flowError(code, action),
  step: 'x',
  fresh,
});

describe('the flow', () => {
  it('goes from warm-up to connected', () => {
    const { status, names, state } = play([...toSubmitting, { type: 'answered', ...answer('completed', ['active']) }]);
    expect(status).toBe('connected');
    expect(names).toEqual(['prepare', 'open', 'close', 'emit step', 'submit', 'emit connected']);
    expect(state.submission).toBeNull();
  });

  it('opens Link as soon as it is prepared when the customer pressed before', () => {
    const early = play([toReady[0] as Loose, { type: 'press' }]);
    expect(early.status).toBe('loading');
    expect(play([{ type: 'prepared' }], early.state).names).toEqual(['open']);
  });

  it('asks about a session that it did not see begin, and shows its bank', () => {
    const start = play([{ type: 'start', known: true, renewable: false }]);
    expect(start.names).toEqual(['read']);
    expect(play([{ type: 'answered', ...answer('completed', ['active']) }], start.state).status).toBe('connected');
    expect(play([{ type: 'answered', ...answer('processing') }], start.state).status).toBe('connecting');
    const fresh = play([{ type: 'warm' }, { type: 'answered', ...answer('open') }], start.state);
    expect(fresh.names).toEqual(['prepare']);
  });

  it('gets a fresh token by itself and opens Link again, once, when the token was spoiled', () => {
    const once = play([...toOpen, exit('link_expired', 'restart', true)]);
    expect(once.names.slice(-2)).toEqual(['close', 'prepare']);
    const again = play([{ type: 'prepared' }], once.state);
    expect(again.names).toEqual(['open']);
    const twice = play([exit('link_expired', 'restart', true)], again.state);
    expect(twice.status).toBe('error');
    expect(twice.state.error?.code).toBe('link_failed');
  });

  it('does not throw Link at a customer whose token ran out while they were away', () => {
    const { state, status } = play([...toOpen, exit('link_expired', 'restart', false), { type: 'prepared' }]);
    expect(status).toBe('ready');
    expect(state.notice).toBe('expired');
  });

  it('returns to ready when the customer leaves Link, with the same handler', () => {
    const { status, names } = play([
      ...toOpen,
      { type: 'link_exited', error: null, step: 'requires_code', fresh: true },
    ]);
    expect(status).toBe('ready');
    expect(names.at(-1)).toBe('emit canceled');
    expect(names).not.toContain('close');
  });

  it('prepares another Link while the customer reads what went wrong, and opens it on the next press', () => {
    const failed = play([...toOpen, exit('bank_unavailable', 'use_other_bank')]);
    expect(failed.status).toBe('error');
    expect(failed.names.slice(-3)).toEqual(['close', 'emit error', 'prepare']);
    expect(play([{ type: 'prepared' }, { type: 'act' }], failed.state).names).toEqual(['open']);
  });

  it('sends the same public token again with the chosen account', () => {
    const accounts = [{ id: 'b', name: 'Savings', mask: '2', subtype: 'savings' }];
    const asked = play([
      ...toSubmitting,
      { type: 'unanswered', error: { ...flowError('account_selection_required', 'choose_account'), accounts } },
    ]);
    expect(asked.state.phase).toBe('choosing');
    const { effects } = play([{ type: 'choose', ids: ['b'] }], asked.state);
    expect(effects.at(-1)).toMatchObject({
      type: 'submit',
      submission: { public_token: submission.public_token, accounts: [{ id: 'b' }] },
    });
  });

  it('sends the same public token again with the accepted text, keeping the chosen account', () => {
    const authorization = { text: 'I agree', version: '1', text_sha256: 'f'.repeat(64) };
    const asked = play([
      ...toSubmitting,
      { type: 'unanswered', error: { ...flowError('authorization_required', 'retry'), authorization } },
    ]);
    expect(asked.state.phase).toBe('authorizing');
    const { effects } = play([{ type: 'accept' }], asked.state);
    expect(effects.at(-1)).toMatchObject({
      type: 'submit',
      submission: { ...submission, authorization: { accepted: true, text_sha256: 'f'.repeat(64) } },
    });
  });

  it('reads the session when another tab was faster', () => {
    const busy = play([...toSubmitting, { type: 'unanswered', error: flowError('session_busy', 'wait') }]);
    expect(busy.names.at(-1)).toBe('read');
    expect(play([{ type: 'answered', ...answer('completed', ['active']) }], busy.state).status).toBe('connected');
    const early = play([
      ...toReady.slice(0, 2),
      { type: 'prepare_failed', error: flowError('session_already_completed', 'contact_merchant') },
    ]);
    expect(early.names.at(-1)).toBe('read');
  });

  it('keeps the public token for another try only after errors that permit one', () => {
    const lost = play([...toSubmitting, { type: 'unanswered', error: flowError('network_failed', 'retry') }]);
    expect(play([{ type: 'act' }], lost.state).effects.at(-1)).toMatchObject({ type: 'submit', submission });
    const spent = play([...toSubmitting, { type: 'unanswered', error: flowError('restart_required', 'restart') }]);
    expect(spent.state.submission).toBeNull();
    expect(spent.names.at(-1)).toBe('prepare');
  });

  it('takes another session once when this one is over, and says so where there is none to take', () => {
    const over: Loose = { type: 'prepare_failed', error: flowError('session_expired', 'contact_merchant') };
    const renewed = play([...toReady.slice(0, 2), over]);
    expect(renewed.names.slice(-2)).toEqual(['forget', 'prepare']);
    expect(play([over], renewed.state).state.error?.action).toBe('contact_merchant');
    const bound = play([{ type: 'start', known: false, renewable: false }, { type: 'warm' }, over]);
    expect(bound.status).toBe('error');
  });

  it('does not bring back a removed bank unasked when this page has no other session', () => {
    const done = play([
      { type: 'start', known: true, renewable: false },
      { type: 'answered', ...answer('completed', ['active']) },
    ]);
    for (const type of ['change', 'remove', 'reset'] as const) {
      const removed = play([{ type }], done.state);
      expect(removed.state.connections).toEqual([]);
      expect(removed.state.error).toMatchObject({ code: 'session_already_completed', action: 'contact_merchant' });
      expect(removed.names.at(-1)).toBe('emit error');
      const later = play([{ type: 'warm' }, { type: 'act' }, { type: 'reset' }], removed.state);
      expect([later.status, later.names]).toEqual(['error', []]);
    }
  });

  it('begins anew with another session after its own was used up', () => {
    const start: Loose = { type: 'start', known: true, renewable: false };
    const done = play([start, { type: 'answered', ...answer('completed', ['active']) }]);
    const other: Loose[] = [{ type: 'restart' }, start, { type: 'answered', ...answer('open') }, { type: 'warm' }];
    for (const before of [done.state, play([{ type: 'change' }], done.state).state]) {
      const { names, state } = play(other, before);
      expect(names).toEqual(['close', 'read', 'prepare']);
      expect(state.error).toBeNull();
    }
  });

  it('warms up again after a reset when nothing was connected', () => {
    const open = play([{ type: 'start', known: false, renewable: false }, ...toOpen.slice(1)]);
    expect(play([{ type: 'reset' }, { type: 'warm' }, { type: 'prepared' }], open.state).status).toBe('ready');
  });

  it('prepares Link anew when what it is prepared for has changed, except while it is open', () => {
    for (const events of [toReady, toReady.slice(0, 2)]) {
      expect(play([...events, { type: 'outdated' }]).names.at(-1)).toBe('prepare');
    }
    expect(play([...toOpen, { type: 'outdated' }]).status).toBe('open');
    expect(play([{ type: 'outdated' }]).names).toEqual([]);
  });

  it('opens Link by itself when another try, pressed for, succeeds', () => {
    for (const code of ['script_blocked', 'network_failed'] as const) {
      const failed = play([...toReady.slice(0, 2), { type: 'prepare_failed', error: flowError(code, 'retry') }]);
      const opened = play([{ type: 'act' }, { type: 'prepared' }], failed.state);
      expect([opened.status, opened.names]).toEqual(['open', ['prepare', 'open']]);
      const search = play([{ type: 'act' }, { type: 'prepared', embedded: true }], failed.state);
      expect([search.status, search.state.wanted]).toEqual(['ready', false]);
    }
  });

  it('replaces a bank through another session', () => {
    const { names, state } = play([
      ...toSubmitting,
      { type: 'answered', ...answer('completed', ['active']) },
      { type: 'change' },
    ]);
    expect(names.slice(-2)).toEqual(['forget', 'prepare']);
    expect(state.wanted).toBe(true);
  });

  it('ignores answers to what was given up', () => {
    const { state } = play(toSubmitting);
    const reset = transition(state, { type: 'reset' }).state;
    const late = transition(reset, { type: 'answered', run: state.run, ...answer('completed', ['active']) });
    expect(late.state).toBe(reset);
    expect(late.effects).toEqual([]);
  });

  it('takes a bank only from a Link that is open', () => {
    const late: Loose = { type: 'link_succeeded', submission };
    expect(play([...toReady, late]).names).toEqual(['prepare']);
    expect(play([...toSubmitting, late]).names.filter((name) => name === 'submit').length).toBe(1);
  });

  it('goes on polling when the element comes back to a page', () => {
    const polling = play([...toSubmitting, { type: 'answered', ...answer('processing') }]);
    const back = play([{ type: 'leave' }, { type: 'start', known: true, renewable: true }], polling.state);
    expect(back.names).toEqual(['close', 'read']);
  });

  it('tries again when the network is back, if the network was what was missing', () => {
    const offline = play([...toReady.slice(0, 2), { type: 'prepare_failed', error: flowError('offline', 'retry') }]);
    const online = play([{ type: 'online' }, { type: 'prepared' }], offline.state);
    expect([online.status, online.names]).toEqual(['ready', ['prepare']]);
    const other = play([
      ...toReady.slice(0, 2),
      { type: 'prepare_failed', error: flowError('internal_error', 'retry') },
    ]);
    expect(play([{ type: 'online' }], other.state).names).toEqual([]);
  });

  it('says that it takes longer, and then that it takes unusually long, and no more', () => {
    const { state } = play([...toSubmitting, { type: 'slow' }, { type: 'slow' }, { type: 'slow' }]);
    expect(state.slow).toBe(2);
  });
});

const connectionStatus = fc.constantFrom<ConnectionStatus>(
  'pending',
  'active',
  'pending_verification',
  'needs_repair',
  'revoked',
  'removed',
  'failed',
);
const anySession = fc.record({
  status: fc.constantFrom(
    'open',
    'processing',
    'completed',
    'restart_required',
    'failed',
    'expired',
    'canceled' as const,
  ),
  statuses: fc.array(connectionStatus, { maxLength: 3 }),
});
const anyError = fc
  .tuple(
    fc.constantFrom(
      'network_failed',
      'offline',
      'restart_required',
      'session_busy',
      'session_expired',
      'session_already_completed',
      'link_expired',
      'script_blocked',
      'account_selection_required',
      'authorization_required',
      'instrument_refused' as const,
    ),
    fc.constantFrom(
      'retry',
      'restart',
      'choose_account',
      'use_other_bank',
      'use_other_method',
      'wait',
      'contact_merchant' as const,
    ),
  )
  .map(([code, action]) => ({
    ...flowError(code, action),
    accounts: code === 'account_selection_required' ? [{ id: 'a', name: 'A', mask: '1', subtype: null }] : undefined,
    authorization: code === 'authorization_required' ? { text: 't', version: '1', text_sha256: 'a' } : undefined,
  }));
const anyEvent: fc.Arbitrary<(run: number) => FlowEvent> = fc.oneof(
  fc
    .record({ known: fc.boolean(), renewable: fc.boolean(), hosted: fc.boolean(), returning: fc.boolean() })
    .map((rest) => () => ({ type: 'start' as const, ...rest })),
  fc
    .constantFrom(
      'warm',
      'press',
      'expiring',
      'outdated',
      'link_busy',
      'slow',
      'accept',
      'decline',
      'act',
      'online',
      'change',
      'remove',
      'reset',
      'restart',
      'leave',
      'return',
      'link_opened',
      'link_moved',
      'press_hosted' as const,
    )
    .map((type) => () => ({ type })),
  fc
    .record({ late: fc.boolean(), hosted: fc.boolean(), embedded: fc.boolean() })
    .map(({ late, ...rest }) => (run: number) => ({ type: 'prepared' as const, run: late ? run - 1 : run, ...rest })),
  fc.constant((run: number) => ({ type: 'hosted_offered' as const, run })),
  anyError.map((error) => (run: number) => ({ type: 'prepare_failed' as const, run, error })),
  fc.constant(() => ({ type: 'link_succeeded' as const, submission })),
  fc
    .record({ error: fc.option(anyError), fresh: fc.boolean() })
    .map((rest) => () => ({ type: 'link_exited' as const, step: 's', ...rest })),
  anySession.map(({ status, statuses }) => (run: number) => ({
    type: 'answered' as const,
    run,
    retryAfter: 1,
    session: session(
      status as 'open',
      statuses.map((one, i) => connection(`con_${i}`, one)),
    ),
  })),
  anyError.map((error) => (run: number) => ({ type: 'unanswered' as const, run, error })),
  fc.constant(() => ({ type: 'choose' as const, ids: ['a'] })),
);

describe('whatever happens, in any order,', () => {
  it('the flow stays in a state that makes sense', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let state = initialState;
        for (const make of events) {
          const before = state;
          const event = make(state.run);
          const { state: after, effects } = transition(before, event);
          state = after;
          const names = effects.map(nameOf);
          // An error is there exactly when it is shown.
          expect(after.error !== null).toBe(after.phase === 'failed');
          // The public token is gone as soon as nothing more can be done with it.
          if (after.submission)
            expect(['submitting', 'polling', 'choosing', 'authorizing', 'failed']).toContain(after.phase);
          if (after.phase === 'choosing') expect(after.accounts.length).toBeGreaterThan(0);
          if (after.phase === 'authorizing') expect(after.authorization).not.toBeNull();
          expect(after.connections.length > 0).toBe(after.phase === 'done');
          if (after.slow) expect(isBusy(after.phase)).toBe(true);
          // Link opens only where it exists, and never behind the customer's back after an error.
          if (names.includes('open')) expect(after.phase).toBe('open');
          if (after.phase === 'open') expect(after.link).toBe('ready');
          // At most one thing is asked for at a time, and always under the newest run.
          const asked = effects.filter((effect) => 'run' in effect);
          expect(asked.length).toBeLessThanOrEqual(1);
          for (const effect of asked) expect(effect.run).toBe(after.run);
          expect(after.run).toBeGreaterThanOrEqual(before.run);
          // Whatever waits has been asked for: nothing hangs.
          if (isBusy(after.phase) || after.phase === 'checking' || after.phase === 'returning') {
            const waiting = asked.length > 0 || (after.run === before.run && after.phase === before.phase);
            expect(waiting || event.type === 'leave').toBe(true);
          }
          if (after.link === 'preparing' && before.link !== 'preparing')
            expect(names.some((name) => name === 'prepare' || name === 'resume')).toBe(true);
          // One outcome for each attempt.
          expect(
            names.filter((name) => /emit (connected|pending|needs-repair|error|canceled)/.test(name)).length,
          ).toBeLessThanOrEqual(1);
          expect(statusOf(after)).toBeTypeOf('string');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
