import type { ProblemCode } from '../../widget/contract.ts';
import type { UpstreamFailure } from '../errors.ts';

/**
 * What Plaid's error codes mean for a customer who connects a bank. By `error_code`, never by HTTP status: Plaid
 * answers 400 for a bank that is down. Every code that plaid.com/docs/errors publishes is listed, and so are the
 * aliases and former codes that are still seen.
 */
export type PlaidMeaning =
  /** The Item or its token is gone or waits for the customer: only a new run through Link helps. */
  | 'restart'
  /** Nothing at this login can be debited. */
  | 'account_not_supported'
  /** The bank, or this login at it, can't be used at all. */
  | 'bank_not_supported'
  /** The customer's proof of the account was wrong. */
  | 'verification_failed'
  /** Out of order for hours, not seconds: Plaid advises to try "in a few hours, or the following day". */
  | 'bank_down'
  /** The bank has yet to confirm the account. */
  | 'pending'
  /** Plaid can't now. */
  | 'busy'
  /** The merchant's account at Plaid, or a setting, needs an operator. */
  | 'misconfigured'
  /**
   * No statement about the customer or their bank: our request, or a product that is not used here. Kept and tried
   * again.
   */
  | 'unexpected';

const CODES: Record<PlaidMeaning, string> = {
  restart: `
    INVALID_PUBLIC_TOKEN INVALID_ACCESS_TOKEN INVALID_LINK_TOKEN INVALID_ACCOUNT_ID USER_PERMISSION_REVOKED
    ADDITIONAL_CONSENT_REQUIRED PROFILE_AUTHENTICATION_FAILED TOO_MANY_VERIFICATION_ATTEMPTS
    ACCESS_NOT_GRANTED INSUFFICIENT_CREDENTIALS INVALID_CREDENTIALS INVALID_MFA INVALID_OTP INVALID_PHONE_NUMBER
    INVALID_SEND_METHOD INVALID_UPDATED_USERNAME ITEM_CONCURRENTLY_DELETED ITEM_LOCKED ITEM_LOGIN_REQUIRED
    ITEM_NOT_FOUND PASSWORD_RESET_REQUIRED USER_INPUT_TIMEOUT USER_SETUP_REQUIRED
    RECAPTCHA_REQUIRED RECAPTCHA_BAD
    INCORRECT_OAUTH_NONCE INCORRECT_LINK_TOKEN OAUTH_STATE_ID_NOT_FOUND OAUTH_STATE_ID_ALREADY_PROCESSED`,
  account_not_supported: `
    NO_ACCOUNTS no-accounts NO_AUTH_ACCOUNTS no-depository-accounts
    NO_INVESTMENT_ACCOUNTS NO_INVESTMENT_AUTH_ACCOUNTS NO_LIABILITY_ACCOUNTS
    INSTANT_MATCH_FAILED MANUAL_VERIFICATION_REQUIRED`,
  bank_not_supported: `
    ITEM_NOT_SUPPORTED MFA_NOT_SUPPORTED PRODUCTS_NOT_SUPPORTED UNSUPPORTED_RESPONSE COUNTRY_NOT_SUPPORTED
    INSTITUTION_NO_LONGER_SUPPORTED INSTITUTION_NOT_FOUND`,
  verification_failed: 'INCORRECT_DEPOSIT_VERIFICATION',
  bank_down: 'INSTITUTION_DOWN INSTITUTION_NOT_RESPONDING INSTITUTION_NOT_AVAILABLE',
  pending: 'PRODUCT_NOT_READY',
  busy: `
    INTERNAL_SERVER_ERROR plaid-internal-error PLANNED_MAINTENANCE
    RATE_LIMIT CREDITS_EXHAUSTED INSTITUTION_RATE_LIMIT
    ACCOUNTS_LIMIT ACCOUNTS_BALANCE_GET_LIMIT AUTH_LIMIT BALANCE_LIMIT IDENTITY_LIMIT ITEM_GET_LIMIT
    INSTITUTIONS_GET_LIMIT INSTITUTIONS_GET_BY_ID_LIMIT INVESTMENT_HOLDINGS_GET_LIMIT INVESTMENT_TRANSACTIONS_LIMIT
    TRANSACTIONS_LIMIT TRANSACTIONS_REFRESH_LIMIT TRANSACTIONS_SYNC_LIMIT`,
  misconfigured: `
    INVALID_API_KEYS UNAUTHORIZED_ENVIRONMENT UNAUTHORIZED_ROUTE_ACCESS INVALID_PRODUCT INVALID_PRODUCTS
    PRODUCT_NOT_ENABLED DIRECT_INTEGRATION_NOT_ENABLED INVALID_LINK_CUSTOMIZATION INVALID_CONFIGURATION
    UNAUTHORIZED_INSTITUTION INSTITUTION_REGISTRATION_REQUIRED INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT
    INCOMPATIBLE_API_VERSION INVALID_FIELD MISSING_FIELDS UNKNOWN_FIELDS INVALID_BODY INVALID_HEADERS
    NOT_FOUND NO_LONGER_AVAILABLE SANDBOX_ONLY
    ADDENDUM_NOT_SIGNED INVALID_CONFIGURATION_STATE NOT_ENABLED_FOR_SIGNAL_TRANSACTION_SCORE_RULESETS RULESET_NOT_FOUND`,
  unexpected: `
    INVALID_PROCESSOR_TOKEN INVALID_ACCOUNT_NUMBER INVALID_INSTITUTION INVALID_USER_IDENTITY_DATA
    INVALID_WEBHOOK_VERIFICATION_KEY_ID INVALID_USER_ID INVALID_USER_TOKEN USER_NOT_FOUND INVALID_AUDIT_COPY_TOKEN
    INVALID_STRIPE_ACCOUNT PUBLIC_KEY_NOT_ENABLED PRODUCT_UNAVAILABLE FAILED_PRECONDITION
    CLIENT_TRANSACTION_ID_ALREADY_IN_USE SIGNAL_TRANSACTION_NOT_INITIATED LAST_UPDATED_DATETIME_OUT_OF_RANGE
    PLAID_DIRECT_ITEM_IMPORT_RETURNED_INVALID_MFA BANK_TRANSFER_ACCOUNT_BLOCKED
    SANDBOX_PRODUCT_NOT_ENABLED SANDBOX_WEBHOOK_INVALID SANDBOX_TRANSFER_EVENT_TRANSITION_INVALID
    ASSET_REPORT_GENERATION_FAILED DATA_UNAVAILABLE DATA_QUALITY_CHECK_FAILED INVALID_PARENT INSIGHTS_NOT_ENABLED
    INSIGHTS_PREVIOUSLY_NOT_ENABLED CONSUMER_REPORT_EXPIRED INSTITUTION_TRANSACTION_HISTORY_NOT_SUPPORTED
    INSUFFICIENT_TRANSACTION_DATA NETWORK_CONSENT_REQUIRED TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION
    INCOME_VERIFICATION_DOCUMENT_NOT_FOUND INCOME_VERIFICATION_FAILED INCOME_VERIFICATION_NOT_FOUND
    INCOME_VERIFICATION_UPLOAD_ERROR VERIFICATION_STATUS_PENDING_APPROVAL EMPLOYMENT_NOT_FOUND
    PAYMENT_BLOCKED PAYMENT_CANCELLED PAYMENT_INSUFFICIENT_FUNDS PAYMENT_INVALID_RECIPIENT PAYMENT_INVALID_REFERENCE
    PAYMENT_INVALID_SCHEDULE PAYMENT_REJECTED PAYMENT_SCHEME_NOT_SUPPORTED PAYMENT_CONSENT_INVALID_CONSTRAINTS
    PAYMENT_CONSENT_CANCELLED TRANSACTION_INSUFFICIENT_FUNDS TRANSACTION_AMOUNT_EXCEEDED TRANSACTION_ON_SAME_ACCOUNT
    TRANSACTION_CURRENCY_MISMATCH TRANSACTION_IBAN_INVALID TRANSACTION_BACS_INVALID TRANSACTION_FAST_PAY_DISABLED
    TRANSACTION_EXECUTION_FAILED NONIDENTICAL_REQUEST REQUEST_CONFLICT TRANSFER_LIMIT_REACHED
    TRANSFER_NETWORK_LIMIT_EXCEEDED TRANSFER_ACCOUNT_BLOCKED TRANSFER_NOT_CANCELLABLE
    TRANSFER_UNSUPPORTED_ACCOUNT_TYPE TRANSFER_FORBIDDEN_ACH_CLASS TRANSFER_UI_UNAUTHORIZED
    TRANSFER_ORIGINATOR_NOT_FOUND INCOMPLETE_CUSTOMER_ONBOARDING UNAUTHORIZED_ACCESS
    CUSTOMER_NOT_FOUND FLOWDOWN_NOT_COMPLETE QUESTIONNAIRE_NOT_COMPLETE CUSTOMER_NOT_READY_FOR_ENABLEMENT
    CUSTOMER_ALREADY_ENABLED CUSTOMER_ALREADY_CREATED LOGO_REQUIRED INVALID_LOGO CONTACT_REQUIRED
    ASSETS_UNDER_MANAGEMENT_REQUIRED CUSTOMER_REMOVAL_NOT_ALLOWED OAUTH_REGISTRATION_ERROR`,
};

const MEANINGS: ReadonlyMap<string, PlaidMeaning> = new Map(
  (Object.keys(CODES) as PlaidMeaning[]).flatMap((meaning) =>
    CODES[meaning]
      .trim()
      .split(/\s+/)
      .map((code) => [code, meaning] as const),
  ),
);

/** Every code that is listed here, with what it means. */
export function listPlaidCodes(): [code: string, meaning: PlaidMeaning][] {
  return [...MEANINGS];
}

/** Whether Plaid has published the code; of any other nothing is known, not even that it will stay. */
export function isPublished(code: string): boolean {
  return MEANINGS.has(code);
}

export function isBankDown(code: string): boolean {
  return MEANINGS.get(code) === 'bank_down';
}

/** Whether the customer has taken the permission for the whole login back; Plaid's portal removes the Item. */
export function isPermissionRevoked(code: string): boolean {
  return code === 'USER_PERMISSION_REVOKED' || code === 'ITEM_NOT_FOUND';
}

export function isPending(code: string): boolean {
  return MEANINGS.get(code) === 'pending';
}

/** Types whose codes are all temporary, also those that Plaid adds. */
const TEMPORARY_TYPES = new Set(['API_ERROR', 'RATE_LIMIT_EXCEEDED']);

export function classifyPlaidCode(type: string, code: string): UpstreamFailure {
  const meaning = MEANINGS.get(code) ?? (TEMPORARY_TYPES.has(type) ? 'busy' : 'unexpected');
  if (meaning === 'misconfigured' || meaning === 'unexpected') return meaning;
  return meaning === 'bank_down' || meaning === 'pending' || meaning === 'busy' ? 'busy' : 'refused';
}

/** The problem that a definite refusal is for the customer. */
export function problemOfPlaidRefusal(code: string): ProblemCode {
  const meaning = MEANINGS.get(code);
  if (meaning === 'restart') return 'restart_required';
  if (meaning === 'account_not_supported' || meaning === 'verification_failed') return meaning;
  return 'bank_not_supported';
}
