import type { FaultRule } from '../../../demo/simulator/index.ts';
import { LATE_COMMIT_MS } from '../times.ts';

const CREATE_INSTRUMENT = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;
const CREATE_IDENTITY = { service: 'finix', path: '/identities', method: 'POST' } as const;
const PROCESSOR_TOKEN = { service: 'plaid', path: '/processor/token/create' } as const;

/** Ways to lose the answer of a call that was carried out, or will be. */
const LOST: readonly Omit<FaultRule, 'service' | 'path' | 'method'>[] = [
  { kind: 'timeout', when: 'after', times: 1 },
  { kind: 'reset', when: 'after', times: 1 },
  { kind: 'timeout', when: 'after', delayMs: LATE_COMMIT_MS, times: 1 },
  { kind: 'html', when: 'after', times: 1 },
  { kind: 'malformed', when: 'after', times: 1 },
];

function lost(number: number): (typeof LOST)[number] {
  return LOST[number % LOST.length] ?? { kind: 'timeout', when: 'after', times: 1 };
}

/** Finix makes the instrument, and its answer is lost, in another way for each customer. */
export function lostInstrument(number: number): FaultRule {
  return { ...CREATE_INSTRUMENT, ...lost(number) };
}

/** As lostInstrument, for the identity. */
export function lostIdentity(number: number): FaultRule {
  return { ...CREATE_IDENTITY, ...lost(number) };
}

/** Finix makes the instrument and answers 500: a definite answer, after which another one may be made. */
export const INSTRUMENT_AND_500: FaultRule = { ...CREATE_INSTRUMENT, kind: 'status', when: 'after', times: 1 };

/** Finix makes no instrument any more, after the first `made`. */
export function noInstrumentAfter(made: number): FaultRule[] {
  return [...pass(CREATE_INSTRUMENT, made), { ...CREATE_INSTRUMENT, kind: 'status' }];
}

/** Plaid refuses processor tokens, after the first `made`. */
export function noProcessorTokenAfter(made: number, error_code: string): FaultRule[] {
  return [...pass(PROCESSOR_TOKEN, made), { ...PROCESSOR_TOKEN, kind: 'plaid_error', error_code }];
}

/** Plaid can't make processor tokens for now. */
export const PROCESSOR_TOKENS_DOWN: FaultRule = { ...PROCESSOR_TOKEN, kind: 'status' };

/** So that something can happen between one instrument and the next; well within a call's time-out. */
export const SLOW_INSTRUMENT: FaultRule = { ...CREATE_INSTRUMENT, kind: 'delay', delayMs: 200 };

/** Plaid can't read the Item for now. */
export const ITEM_DOWN: readonly FaultRule[] = [
  { service: 'plaid', path: '/accounts/get', kind: 'status' },
  { service: 'plaid', path: '/item/get', kind: 'status' },
  PROCESSOR_TOKENS_DOWN,
];

/** A rule that changes nothing, `times` times: the rules that follow it strike later calls. */
function pass(call: Pick<FaultRule, 'service' | 'path' | 'method'>, times: number): FaultRule[] {
  return times > 0 ? [{ ...call, kind: 'delay', delayMs: 0, times }] : [];
}
