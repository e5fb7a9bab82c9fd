import type { ProblemCode } from '../../widget/contract.ts';
import type { UpstreamFailure } from '../errors.ts';

/**
 * What Plaid's error codes mean. By `error_code`, never by HTTP status: Plaid answers 400 for a bank that is down.
 * Source: plaid.com/docs/errors.
 */
const MISCONFIGURED = new Set([
  'INVALID_API_KEYS',
  'UNAUTHORIZED_ENVIRONMENT',
  'UNAUTHORIZED_ROUTE_ACCESS',
  'UNAUTHORIZED_INSTITUTION',
  'INSTITUTION_REGISTRATION_REQUIRED',
  'INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT',
  // Also said when the Finix integration is not enabled in Plaid's dashboard.
  'INVALID_PRODUCT',
  'INVALID_FIELD',
  'MISSING_FIELDS',
  'UNKNOWN_FIELDS',
  'INVALID_BODY',
  'INVALID_HEADERS',
  'INVALID_CONFIGURATION',
  'INVALID_LINK_CUSTOMIZATION',
  'INCOMPATIBLE_API_VERSION',
  'PRODUCT_NOT_ENABLED',
  'DIRECT_INTEGRATION_NOT_ENABLED',
]);

/** Hours, not seconds: Plaid advises to try "in a few hours, or the following day". */
const BANK_DOWN = new Set(['INSTITUTION_DOWN', 'INSTITUTION_NOT_RESPONDING', 'INSTITUTION_NOT_AVAILABLE']);

const TEMPORARY = new Set(['INTERNAL_SERVER_ERROR', 'PLANNED_MAINTENANCE']);

/** The Item or its token is gone or wants the customer: only a new run through Link helps. */
const RESTART = new Set([
  'INVALID_PUBLIC_TOKEN',
  'INVALID_ACCESS_TOKEN',
  'ITEM_NOT_FOUND',
  'ITEM_CONCURRENTLY_DELETED',
  'INVALID_ACCOUNT_ID',
  'USER_PERMISSION_REVOKED',
  'ITEM_LOGIN_REQUIRED',
  'ACCESS_NOT_GRANTED',
  'ADDITIONAL_CONSENT_REQUIRED',
  'USER_SETUP_REQUIRED',
  'PASSWORD_RESET_REQUIRED',
  'ITEM_LOCKED',
  'INVALID_CREDENTIALS',
  'INSUFFICIENT_CREDENTIALS',
  'INVALID_UPDATED_USERNAME',
  'USER_INPUT_TIMEOUT',
  'TOO_MANY_VERIFICATION_ATTEMPTS',
]);

const NO_ACCOUNT = new Set(['NO_ACCOUNTS', 'NO_AUTH_ACCOUNTS']);

export function isBankDown(code: string): boolean {
  return BANK_DOWN.has(code);
}

export function classifyPlaidCode(type: string, code: string): UpstreamFailure {
  if (MISCONFIGURED.has(code)) return 'misconfigured';
  if (BANK_DOWN.has(code) || TEMPORARY.has(code) || type === 'RATE_LIMIT_EXCEEDED') return 'busy';
  // An API_ERROR that we do not know is Plaid's trouble, not the customer's.
  if (type === 'API_ERROR') return 'busy';
  return 'refused';
}

/** The problem that a definite refusal is for the customer. */
export function problemOfPlaidRefusal(code: string): ProblemCode {
  if (RESTART.has(code)) return 'restart_required';
  if (NO_ACCOUNT.has(code)) return 'account_not_supported';
  return 'bank_not_supported';
}
