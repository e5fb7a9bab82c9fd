import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionStatus } from '../../../widget/contract.ts';
import { transition } from '../../../widget/detour/reducer.ts';
import { flowError } from '../../../widget/errors.ts';
import type { FlowEvent } from '../../../widget/flow/events.ts';
import { initialState, isBusy, statusOf } from '../../../widget/flow/state.ts';
import { nameOf, submission } from '../helpers/flow.ts';
import { connection, session } from '../helpers/simulated-backend.ts';

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
const anyText = fc.constantFrom(undefined, { text: 't', version: '1', text_sha256: 'a' });
const anyEvent: fc.Arbitrary<(run: number) => FlowEvent> = fc.oneof(
  fc
    .record({ known: fc.boolean(), renewable: fc.boolean(), hosted: fc.boolean(), returning: fc.boolean() })
    .map((rest) => () => ({ type: 'start' as const, ...rest })),
  fc
    .constantFrom(
      'warm',
      'press',
      'withdraw',
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
    .record({
      late: fc.boolean(),
      hosted: fc.boolean(),
      embedded: fc.boolean(),
      authorization: anyText,
    })
    .map(({ late, ...rest }) => (run: number) => ({ type: 'prepared' as const, run: late ? run - 1 : run, ...rest })),
  anyText.map((authorization) => (run: number) => ({ type: 'hosted_offered' as const, run, authorization })),
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

describe('events in any order', () => {
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
          // Every wait has its request: nothing hangs.
          if (isBusy(after.phase) || after.phase === 'checking' || after.phase === 'returning') {
            const waiting = asked.length > 0 || (after.run === before.run && after.phase === before.phase);
            expect(waiting || event.type === 'leave').toBe(true);
          }
          if (after.link === 'preparing' && before.link !== 'preparing')
            expect(names.some((name) => name === 'prepare' || name === 'resume')).toBe(true);
          // One outcome for each attempt.
          expect(
            names.filter((name) => /emit (connected|pending_verification|needs_repair|error|canceled)/.test(name))
              .length,
          ).toBeLessThanOrEqual(1);
          expect(statusOf(after)).toBeTypeOf('string');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
