import type { Purpose } from '../contract.ts';
import type { ElementError, ErrorReason, FlowError } from '../errors.ts';
import { fill } from './fill.ts';
import type { StringKey, Strings } from './index.ts';

const BY_REASON: Partial<Record<ErrorReason, StringKey>> = {
  timed_out: 'expired',
  setup: 'error_setup',
  ended: 'error_ended',
  not_ready: 'error_not_ready',
};

const BY_CODE: Partial<Record<FlowError['code'], StringKey>> = {
  session_busy: 'error_wait',
  rate_limited: 'error_wait',
  plaid_unavailable: 'error_wait',
  finix_unavailable: 'error_wait',
  storage_unavailable: 'error_wait',
  shutting_down: 'error_wait',
  network_failed: 'error_wait',
  timeout: 'error_wait',
  // Only a repair can miss an account: it was there before, and was not shared again.
  account_unknown: 'error_access',
  account_not_supported: 'error_account',
  bank_not_supported: 'error_bank',
  bank_unavailable: 'error_bank_down',
  bank_login_failed: 'error_login',
  bank_login_locked: 'error_locked',
  bank_access_refused: 'error_access',
  verification_failed: 'error_verification',
  owner_mismatch: 'error_owner_mismatch',
  owner_unknown: 'error_owner_unknown',
  instrument_refused: 'error_refused',
  offline: 'error_offline',
  script_blocked: 'error_blocked',
};

const BY_ACTION: Record<FlowError['action'], StringKey> = {
  retry: 'error_general',
  restart: 'error_restart',
  choose_account: 'error_account_choice',
  use_other_bank: 'error_bank',
  use_other_method: 'error_merchant',
  wait: 'error_wait',
  contact_merchant: 'error_merchant',
};

/**
 * Where nothing can be pressed any more: what is over for this session goes on only in another, which the merchant
 * gives.
 */
const ENDS: Partial<Record<FlowError['code'], StringKey>> = {
  session_already_completed: 'error_completed',
  session_expired: 'error_session',
  session_canceled: 'error_session',
  session_failed: 'error_session',
  restart_required: 'error_ended_merchant',
  instrument_refused: 'error_refused_merchant',
  link_covered: 'close_dialog',
};

/**
 * The sentence a customer reads: by code where there is something particular to say, else by what they can do. Also
 * right for codes of a newer server.
 */
export function messageKey({ code, action, reason }: FlowError, purpose: Purpose = 'debit'): StringKey {
  const key = action === 'contact_merchant' ? (ENDS[code] ?? 'error_merchant') : keyOf(code, action, reason);
  return key === 'error_merchant' && purpose !== 'debit' ? 'error_merchant_payout' : key;
}

/** A frame with its content in an attribute has its page's origin, and no address. */
const hostOf = (origin: string) => /^https?:\/\/(?:www\.)?([^:/]+)/.exec(origin)?.[1] ?? '';

/** The same in words. */
export function messageOf(error: FlowError, strings: Strings, { merchant, purpose }: Asker): string {
  const key = messageKey(error, purpose);
  const name = merchant || hostOf(String(globalThis.origin));
  // A document without an address, before the server has named the merchant.
  if (!name && strings[key].includes('{merchant}')) return strings.error_reload;
  const text = fill(strings[key], { merchant: name });
  return key === 'error_session' ? `${text} ${strings.reload}` : text;
}

/** An error as the page gets it. */
export function describe(error: FlowError, strings: Strings, asker: Asker): ElementError {
  const { code, retryable, action, requestId, linkSessionId = null, institution = null } = error;
  const message = messageOf(error, strings, asker);
  return { code, message, retryable, action, requestId, linkSessionId, institution };
}

interface Asker {
  merchant: string;
  purpose: Purpose;
}

function keyOf(code: FlowError['code'], action: FlowError['action'], reason?: ErrorReason): StringKey {
  if (code === 'account_not_supported' && action === 'choose_account') return 'error_account_choice';
  return (reason && BY_REASON[reason]) ?? BY_CODE[code] ?? BY_ACTION[action] ?? 'error_general';
}

const CAPTIONS: Partial<Record<FlowError['action'], StringKey>> = {
  restart: 'restart',
  choose_account: 'other_account',
  use_other_bank: 'other_bank',
  use_other_method: 'other_bank',
  contact_merchant: 'unavailable',
};

const CAPTIONS_BY_CODE: Partial<Record<FlowError['code'], StringKey>> = {
  account_unknown: 'restart',
  owner_mismatch: 'other_account',
  instrument_refused: 'other_account',
};

/** What the button says that leads out of the error: the way forward that the sentence names. */
export function captionKey({ code, action }: FlowError): StringKey {
  return (action !== 'contact_merchant' && CAPTIONS_BY_CODE[code]) || (CAPTIONS[action] ?? 'retry');
}
