import type { ProblemAction } from '../contract.ts';
import { type ElementErrorCode, type ErrorReason, type FlowError, flowError } from '../errors.ts';

/**
 * What Plaid's codes come to when Link's `onExit` reports them, where that is more than connecting again. Every
 * published code was considered: the server's table (server/clients/plaid-codes.ts) is the same by another point of
 * view, and a test compares the two code by code. Types and HTTP statuses don't show who can act: a bank that is down
 * is a 400, and a customer's wrong code is an INVALID_INPUT.
 */
const LINK_ERRORS: [code: ElementErrorCode, action: ProblemAction, plaid: string, reason?: ErrorReason][] = [
  // The token, not the customer: the element gets another by itself.
  [
    'link_expired',
    'restart',
    'INVALID_LINK_TOKEN INCORRECT_LINK_TOKEN INCORRECT_OAUTH_NONCE OAUTH_STATE_ID_NOT_FOUND OAUTH_STATE_ID_ALREADY_PROCESSED',
  ],
  ['link_failed', 'restart', 'USER_INPUT_TIMEOUT', 'timed_out'],
  ['bank_login_failed', 'restart', 'INVALID_CREDENTIALS INVALID_MFA INVALID_UPDATED_USERNAME ITEM_LOGIN_REQUIRED'],
  ['bank_login_locked', 'use_other_bank', 'ITEM_LOCKED'],
  ['bank_login_locked', 'restart', 'PASSWORD_RESET_REQUIRED USER_SETUP_REQUIRED', 'setup'],
  ['bank_access_refused', 'restart', 'ACCESS_NOT_GRANTED ADDITIONAL_CONSENT_REQUIRED'],
  ['restart_required', 'restart', 'ITEM_NOT_FOUND ITEM_CONCURRENTLY_DELETED USER_PERMISSION_REVOKED', 'ended'],
  [
    'account_not_supported',
    'use_other_bank',
    'NO_ACCOUNTS no-accounts NO_AUTH_ACCOUNTS no-depository-accounts NO_INVESTMENT_ACCOUNTS NO_INVESTMENT_AUTH_ACCOUNTS NO_LIABILITY_ACCOUNTS INSTANT_MATCH_FAILED MANUAL_VERIFICATION_REQUIRED',
  ],
  ['verification_failed', 'restart', 'INCORRECT_DEPOSIT_VERIFICATION TOO_MANY_VERIFICATION_ATTEMPTS'],
  ['bank_unavailable', 'use_other_bank', 'INSTITUTION_DOWN INSTITUTION_NOT_RESPONDING INSTITUTION_NOT_AVAILABLE'],
  [
    'bank_not_supported',
    'use_other_bank',
    'INSTITUTION_NO_LONGER_SUPPORTED INSTITUTION_NOT_FOUND UNSUPPORTED_RESPONSE ITEM_NOT_SUPPORTED MFA_NOT_SUPPORTED PRODUCTS_NOT_SUPPORTED COUNTRY_NOT_SUPPORTED',
  ],
  // The merchant's set-up, but only for this bank: another one may work.
  [
    'provider_misconfigured',
    'use_other_bank',
    'UNAUTHORIZED_INSTITUTION INSTITUTION_REGISTRATION_REQUIRED INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT',
  ],
  ['plaid_unavailable', 'wait', 'PRODUCT_NOT_READY', 'not_ready'],
  [
    'plaid_unavailable',
    'retry',
    'INTERNAL_SERVER_ERROR plaid-internal-error PLANNED_MAINTENANCE RATE_LIMIT CREDITS_EXHAUSTED',
  ],
  // The merchant's set-up, for every customer. A dead end, so only for codes that are named here.
  [
    'provider_misconfigured',
    'contact_merchant',
    'INVALID_API_KEYS UNAUTHORIZED_ENVIRONMENT UNAUTHORIZED_ROUTE_ACCESS INVALID_PRODUCT INVALID_PRODUCTS PRODUCT_NOT_ENABLED DIRECT_INTEGRATION_NOT_ENABLED INVALID_LINK_CUSTOMIZATION INVALID_CONFIGURATION INCOMPATIBLE_API_VERSION INVALID_FIELD MISSING_FIELDS UNKNOWN_FIELDS INVALID_BODY INVALID_HEADERS NOT_FOUND NO_LONGER_AVAILABLE SANDBOX_ONLY',
  ],
];

/**
 * An error that Link's `onExit` reported. An unknown code is no statement about the bank or the merchant, so the
 * customer connects again.
 */
export function fromLinkError({ error_code }: { error_code?: string | null }): FlowError {
  // Every call of Plaid's has a limit of its own; here they are one. What is between Link and the page may give a code
  // of another type, which no table knows.
  const plaid = String(error_code ?? '').replace(/^[A-Z_]+_LIMIT$/, 'RATE_LIMIT');
  const found = LINK_ERRORS.find(([, , codes]) => codes.split(' ').includes(plaid));
  const [code, action, , reason] = found ?? (['link_failed', 'restart'] as const);
  return { ...flowError(code, action), ...(reason && { reason }) };
}
