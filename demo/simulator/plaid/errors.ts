import { plaidRequestId } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import type { FaultRule } from '../types.ts';

/** Plaid's errors as they are sent: 400 unless said otherwise, `display_message` only where the user can do something. */
interface KnownError {
  type: string;
  message: string;
  status?: number;
  display?: string;
}

const KNOWN: Record<string, KnownError> = {
  // the request
  MISSING_FIELDS: { type: 'INVALID_REQUEST', message: 'required fields are missing' },
  UNKNOWN_FIELDS: { type: 'INVALID_REQUEST', message: 'unknown fields were sent' },
  INVALID_FIELD: { type: 'INVALID_REQUEST', message: 'a field is invalid' },
  INVALID_BODY: { type: 'INVALID_REQUEST', message: 'body could not be parsed as JSON' },
  INVALID_HEADERS: { type: 'INVALID_REQUEST', message: 'Content-Type must be application/json' },
  INCOMPATIBLE_API_VERSION: { type: 'INVALID_REQUEST', message: 'the Plaid-Version is not supported' },
  NOT_FOUND: { type: 'INVALID_REQUEST', message: 'the requested endpoint was not found', status: 404 },
  // tokens and ids
  INVALID_API_KEYS: { type: 'INVALID_INPUT', message: 'invalid client_id or secret provided' },
  INVALID_ACCESS_TOKEN: { type: 'INVALID_INPUT', message: 'could not find matching access token' },
  INVALID_PUBLIC_TOKEN: { type: 'INVALID_INPUT', message: 'could not find matching public token' },
  INVALID_LINK_TOKEN: { type: 'INVALID_INPUT', message: 'invalid link_token provided' },
  INVALID_WEBHOOK_VERIFICATION_KEY_ID: { type: 'INVALID_INPUT', message: 'invalid key_id provided' },
  USER_PERMISSION_REVOKED: {
    type: 'INVALID_INPUT',
    message: 'the holder of this account has revoked their permission for your application to access it',
  },
  INVALID_ACCOUNT_ID: { type: 'INVALID_INPUT', message: 'failed to find requested account ID for requested item' },
  INVALID_INSTITUTION: { type: 'INVALID_INPUT', message: 'invalid institution_id provided' },
  INVALID_PRODUCT: { type: 'INVALID_INPUT', message: 'client is not authorized to access the following products' },
  ADDITIONAL_CONSENT_REQUIRED: { type: 'INVALID_INPUT', message: 'client does not have user consent' },
  INVALID_USER_IDENTITY_DATA: { type: 'USER_ERROR', message: 'user identity data is invalid', status: 403 },
  // the Item
  ITEM_NOT_FOUND: { type: 'ITEM_ERROR', message: 'The Item you requested cannot be found.' },
  ITEM_LOGIN_REQUIRED: {
    type: 'ITEM_ERROR',
    message: 'the login details of this item have changed and a user login is required to update this information',
    display: 'Your login details have changed. Please sign in to your bank again.',
  },
  ITEM_NOT_SUPPORTED: { type: 'ITEM_ERROR', message: 'this account is not supported by the processor partner' },
  ITEM_LOCKED: {
    type: 'ITEM_ERROR',
    message: 'the account is locked',
    display: 'Your account is locked. Unlock it at your bank first.',
  },
  INVALID_CREDENTIALS: {
    type: 'ITEM_ERROR',
    message: 'the provided credentials were not correct',
    display: 'The user name or password is not correct. Please try again.',
  },
  INVALID_MFA: {
    type: 'ITEM_ERROR',
    message: 'the provided MFA response(s) were not correct',
    display: 'The code is not correct. Please try again.',
  },
  INVALID_SEND_METHOD: { type: 'ITEM_ERROR', message: 'the provided MFA send method was invalid' },
  INSUFFICIENT_CREDENTIALS: {
    type: 'ITEM_ERROR',
    message: 'insufficient authorization was granted to complete the request',
    display: 'The bank did not let us go on.',
  },
  ACCESS_NOT_GRANTED: {
    type: 'ITEM_ERROR',
    message: 'access to this product was not granted for the account',
    display: 'The information that is needed was not shared. Please try again and share it.',
  },
  MFA_NOT_SUPPORTED: {
    type: 'ITEM_ERROR',
    message: 'this account requires a MFA type that we do not currently support',
  },
  NO_ACCOUNTS: {
    type: 'ITEM_ERROR',
    message: 'no valid accounts exist for this item',
    display: 'There is no open account at this login.',
  },
  NO_AUTH_ACCOUNTS: {
    type: 'ITEM_ERROR',
    message: 'There are no valid checking or savings account(s) associated with this Item.',
    display: 'There is no checking or savings account at this login.',
  },
  USER_SETUP_REQUIRED: {
    type: 'ITEM_ERROR',
    message: 'the account has not been fully set up',
    display: 'Please finish setting up your account at your bank.',
  },
  USER_INPUT_TIMEOUT: {
    type: 'ITEM_ERROR',
    message: 'the request timed out waiting for user input',
    display: 'That took too long. Please try again.',
  },
  PRODUCT_NOT_READY: { type: 'ITEM_ERROR', message: 'the requested product is not yet ready' },
  // OAuth
  OAUTH_STATE_ID_NOT_FOUND: { type: 'OAUTH_ERROR', message: 'the OAuth state id could not be found', status: 404 },
  OAUTH_STATE_ID_ALREADY_PROCESSED: {
    type: 'OAUTH_ERROR',
    message: 'the OAuth state id has already been processed',
    status: 208,
  },
  INCORRECT_LINK_TOKEN: { type: 'OAUTH_ERROR', message: 'an incorrect link token was provided' },
  // the bank
  INSTITUTION_DOWN: {
    type: 'INSTITUTION_ERROR',
    message: 'this institution is not currently responding to this request. please try again soon',
    display: 'This bank is not responding right now. Please try again later.',
  },
  INSTITUTION_NOT_RESPONDING: {
    type: 'INSTITUTION_ERROR',
    message: 'this institution is not currently responding to this request. please try again soon',
    display: 'This bank is not responding right now. Please try again later.',
  },
  INSTITUTION_NO_LONGER_SUPPORTED: {
    type: 'INSTITUTION_ERROR',
    message: 'this institution is no longer supported',
    display: 'This bank is no longer supported.',
  },
  COUNTRY_NOT_SUPPORTED: {
    type: 'INSTITUTION_ERROR',
    message: 'the country of this item is not supported',
    display: 'Banks of this country are not supported.',
  },
  // Plaid itself
  ACCOUNTS_LIMIT: {
    type: 'RATE_LIMIT_EXCEEDED',
    message: 'rate limit exceeded for attempts to access this item. please try again later',
    status: 429,
  },
  RATE_LIMIT: { type: 'RATE_LIMIT_EXCEEDED', message: 'rate limit exceeded. please try again later', status: 429 },
  INTERNAL_SERVER_ERROR: { type: 'API_ERROR', message: 'an unexpected error occurred', status: 500 },
  PLANNED_MAINTENANCE: { type: 'API_ERROR', message: 'the Plaid API is down for maintenance', status: 503 },
};

/** The codes that Link can show, by way of a password `error_<CODE>`. */
export const isKnownCode = (code: string): boolean => code in KNOWN;

/** Plaid's error object, without a request id. */
export function plaidErrorObject(code: string, message?: string): Record<string, unknown> {
  const known = KNOWN[code] ?? { type: 'API_ERROR', message: code.toLowerCase() };
  return {
    error_type: known.type,
    error_code: code,
    error_message: message ?? known.message,
    display_message: known.display ?? null,
  };
}

/** Refuses a request in Plaid's shape. */
export function plaidRefusal(code: string, message?: string, status?: number): Refusal {
  return new Refusal(status ?? KNOWN[code]?.status ?? 400, {
    ...plaidErrorObject(code, message),
    documentation_url: 'https://plaid.com/docs/errors/',
    suggested_action: null,
    request_id: plaidRequestId(),
  });
}

export function plaidFault(rule: FaultRule): Refusal {
  if (rule.error_code) return plaidRefusal(rule.error_code, rule.error_message, rule.status);
  const status = rule.status ?? 500;
  const code = status === 429 ? 'RATE_LIMIT' : status === 503 ? 'PLANNED_MAINTENANCE' : 'INTERNAL_SERVER_ERROR';
  return plaidRefusal(code, rule.error_message, status);
}
