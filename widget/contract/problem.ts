/** What can go wrong, as it travels. */

/** Why a request or a session could not go on. A closed list: programs switch on it, people read `detail`. */
export type ProblemCode =
  // the request itself
  | 'invalid_json'
  | 'invalid_request'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'not_found'
  | 'method_not_allowed'
  | 'idempotency_key_reused'
  // who is asking
  | 'unauthorized'
  | 'merchant_key_in_browser'
  | 'origin_not_allowed'
  | 'public_sessions_off'
  | 'rate_limited'
  // the session's status
  | 'session_busy'
  | 'session_already_completed'
  | 'session_expired'
  | 'session_canceled'
  | 'session_failed'
  | 'restart_required'
  | 'account_selection_required'
  | 'authorization_required'
  // what the bank account is
  | 'account_unknown'
  | 'account_not_supported'
  | 'bank_not_supported'
  | 'bank_unavailable'
  | 'verification_failed'
  | 'owner_mismatch'
  | 'owner_unknown'
  // who else is needed
  | 'plaid_unavailable'
  | 'finix_unavailable'
  | 'provider_misconfigured'
  | 'instrument_refused'
  | 'storage_unavailable'
  | 'shutting_down'
  | 'internal_error';

/** What the customer, or the page for them, can do next. A closed list. */
export type ProblemAction =
  | 'retry'
  | 'restart'
  | 'choose_account'
  | 'use_other_bank'
  | 'use_other_method'
  | 'wait'
  | 'contact_merchant';

/** One wrong field. `path` is dotted (`identity.email`, `accounts.0.id`); empty for the body as a whole. */
export interface FieldError {
  path: string;
  message: string;
}

/** RFC 9457 problem document, sent as `application/problem+json`. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  /** Whether sending the same request again can succeed. */
  retryable: boolean;
  action: ProblemAction;
  /** The same as the `X-Request-Id` header; for support. */
  request_id: string;
  /** With `invalid_request`, `invalid_json` and the account codes: which fields. */
  errors?: FieldError[];
  /** With `account_selection_required`: the accounts to choose from. */
  accounts?: SelectableAccount[];
  /** With `authorization_required`: the text that the customer must accept. */
  authorization?: AuthorizationText;
}

export interface SelectableAccount {
  id: string;
  name: string;
  mask: string | null;
  subtype: string | null;
}

export interface AuthorizationText {
  text: string;
  version: string;
  /**
   * Lower-case hex SHA-256 of `text` in UTF-8; sent back on acceptance, so that what was shown is what was accepted.
   */
  text_sha256: string;
}
