import { describe, expect, it } from 'vitest';
import { transition } from '../../../widget/detour/reducer.ts';
import { flowError } from '../../../widget/errors.ts';
import { answer, type Loose, play, submission } from '../helpers/flow.ts';

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
    const consumed = play([...toSubmitting, { type: 'unanswered', error: flowError('restart_required', 'restart') }]);
    expect(consumed.state.submission).toBeNull();
    expect(consumed.names.at(-1)).toBe('prepare');
  });

  it('the flow takes another session once when this one is over, and shows an error where there is none', () => {
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
    for (const type of ['change', 'reset'] as const) {
      const removed = play([{ type }], done.state);
      expect(removed.state.connections).toEqual([]);
      expect(removed.state.error).toMatchObject({ code: 'session_already_completed', action: 'contact_merchant' });
      expect(removed.names.at(-1)).toBe('emit error');
      const later = play([{ type: 'warm' }, { type: 'act' }, { type: 'reset' }], removed.state);
      expect([later.status, later.names]).toEqual(['error', []]);
    }
    const broken = play([
      { type: 'start', known: true, renewable: false },
      { type: 'answered', ...answer('completed', ['needs_repair']) },
      { type: 'press' },
    ]);
    expect([broken.status, broken.names.at(-1)]).toEqual(['error', 'emit error']);
    const removed = play([{ type: 'remove' }, { type: 'warm' }, { type: 'reset' }, { type: 'warm' }], done.state);
    expect([removed.status, removed.names, removed.state.connections]).toEqual(['loading', ['close'], []]);
    const back = play([{ type: 'press' }, { type: 'answered', ...answer('completed', ['active']) }], removed.state);
    expect([back.status, back.names]).toEqual(['connected', ['read', 'emit connected']]);
  });

  it('the flow starts again with another session after its own is over', () => {
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

  it('the flow prepares Link again when what it is prepared for has changed, except while it is open', () => {
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

  it('the flow shows that it takes longer, and then that it takes unusually long, and no more', () => {
    const { state } = play([...toSubmitting, { type: 'slow' }, { type: 'slow' }, { type: 'slow' }]);
    expect(state.slow).toBe(2);
  });
});
