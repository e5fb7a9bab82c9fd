import type { FlowError } from '../errors.ts';
import type { StringKey } from './en.ts';

const BY_CODE: Partial<Record<FlowError['code'], StringKey>> = {
  session_already_completed: 'error_completed',
  session_expired: 'error_session',
  session_canceled: 'error_session',
  account_unknown: 'error_account',
  account_not_supported: 'error_account',
  bank_not_supported: 'error_bank',
  bank_unavailable: 'error_bank_down',
  bank_login_failed: 'error_login',
  bank_login_locked: 'error_locked',
  bank_access_refused: 'error_access',
  verification_failed: 'error_verification',
  instrument_refused: 'error_refused',
  offline: 'error_offline',
  timeout: 'error_timeout',
  script_blocked: 'error_blocked',
};

const BY_ACTION: Record<FlowError['action'], StringKey> = {
  retry: 'error_general',
  restart: 'error_restart',
  choose_account: 'error_account',
  use_other_bank: 'error_bank',
  use_other_method: 'error_merchant',
  wait: 'error_wait',
  contact_merchant: 'error_merchant',
};

/** The sentence a customer reads: by code where there is something particular to say, else by what they can do. Also right for codes of a newer server. */
export function messageKey(error: FlowError): StringKey {
  return BY_CODE[error.code] ?? BY_ACTION[error.action] ?? 'error_general';
}
