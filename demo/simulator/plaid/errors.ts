import { plaidRequestId } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import type { FaultRule } from '../types.ts';
import { errorStatusOf, errorTypeOf } from './error-types.ts';

/**
 * The errors that the simulator gives by itself, in Plaid's words; `display_message` only where the user can do
 * something.
 */
interface KnownError {
  message: string;
  display?: string;
}

const KNOWN: Record<string, KnownError> = {
  // the request
  MISSING_FIELDS: { message: 'required fields are missing' },
  UNKNOWN_FIELDS: { message: 'unknown fields were sent' },
  INVALID_FIELD: { message: 'a field is invalid' },
  INVALID_BODY: { message: 'body could not be parsed as JSON' },
  INVALID_HEADERS: { message: 'Content-Type must be application/json' },
  INCOMPATIBLE_API_VERSION: { message: 'the Plaid-Version is not supported' },
  NOT_FOUND: { message: 'the requested endpoint was not found' },
  // tokens and ids
  INVALID_API_KEYS: { message: 'invalid client_id or secret provided' },
  INVALID_ACCESS_TOKEN: { message: 'could not find matching access token' },
  INVALID_PUBLIC_TOKEN: { message: 'could not find matching public token' },
  INVALID_LINK_TOKEN: { message: 'invalid link_token provided' },
  INVALID_WEBHOOK_VERIFICATION_KEY_ID: { message: 'invalid key_id provided' },
  USER_PERMISSION_REVOKED: {
    message: 'the holder of this account has revoked their permission for your application to access it',
  },
  INVALID_PROCESSOR_TOKEN: { message: 'could not find matching processor token' },
  INVALID_ACCOUNT_ID: { message: 'failed to find requested account ID for requested item' },
  INVALID_INSTITUTION: { message: 'invalid institution_id provided' },
  INVALID_PRODUCT: { message: 'client is not authorized to access the following products' },
  PRODUCT_NOT_ENABLED: { message: 'the client is not enabled for the requested product' },
  ADDITIONAL_CONSENT_REQUIRED: { message: 'client does not have user consent' },
  INVALID_USER_IDENTITY_DATA: { message: 'user identity data is invalid' },
  // the Item
  ITEM_NOT_FOUND: { message: 'The Item you requested cannot be found.' },
  ITEM_LOGIN_REQUIRED: {
    message: 'the login details of this item have changed and a user login is required to update this information',
  },
  ITEM_NOT_SUPPORTED: { message: 'this account is not supported by the processor partner' },
  ITEM_LOCKED: {
    message: 'the account is locked',
    display: 'Your account is locked. Unlock it at your bank first.',
  },
  INVALID_CREDENTIALS: {
    message: 'the provided credentials were not correct',
    display: 'The user name or password is not correct. Please try again.',
  },
  INVALID_MFA: {
    message: 'the provided MFA response(s) were not correct',
    display: 'The code is not correct. Please try again.',
  },
  INVALID_SEND_METHOD: { message: 'the provided MFA send method was invalid' },
  INSUFFICIENT_CREDENTIALS: {
    message: 'insufficient authorization was granted to complete the request',
    display: 'The bank did not let us go on.',
  },
  ACCESS_NOT_GRANTED: {
    message: 'access to this product was not granted for the account',
    display: 'The information that is needed was not shared. Please try again and share it.',
  },
  MFA_NOT_SUPPORTED: {
    message: 'this account requires a MFA type that we do not currently support',
  },
  NO_ACCOUNTS: {
    message: 'no valid accounts exist for this item',
    display: 'There is no open account at this login.',
  },
  NO_AUTH_ACCOUNTS: {
    message: 'There are no valid checking or savings account(s) associated with this Item.',
    display: 'There is no checking or savings account at this login.',
  },
  USER_SETUP_REQUIRED: {
    message: 'the account has not been fully set up',
    display: 'Please finish setting up your account at your bank.',
  },
  USER_INPUT_TIMEOUT: {
    message: 'the request timed out waiting for user input',
    display: 'That took too long. Please try again.',
  },
  PRODUCTS_NOT_SUPPORTED: { message: 'the requested products are not supported for this item' },
  PRODUCT_NOT_READY: { message: 'the requested product is not yet ready' },
  // OAuth
  OAUTH_STATE_ID_NOT_FOUND: { message: 'the OAuth state id could not be found' },
  OAUTH_STATE_ID_ALREADY_PROCESSED: {
    message: 'the OAuth state id has already been processed',
  },
  INCORRECT_LINK_TOKEN: { message: 'an incorrect link token was provided' },
  // the bank
  INSTITUTION_DOWN: {
    message: 'this institution is not currently responding to this request. please try again soon',
    display: 'This bank is not responding right now. Please try again later.',
  },
  INSTITUTION_NOT_RESPONDING: {
    message: 'this institution is not currently responding to this request. please try again soon',
    display: 'This bank is not responding right now. Please try again later.',
  },
  INSTITUTION_NO_LONGER_SUPPORTED: {
    message: 'this institution is no longer supported',
    display: 'This bank is no longer supported.',
  },
  COUNTRY_NOT_SUPPORTED: {
    message: 'the country of this item is not supported',
    display: 'Banks of this country are not supported.',
  },
  // Signal
  ADDENDUM_NOT_SIGNED: { message: 'the Signal addendum has not been signed' },
  CLIENT_TRANSACTION_ID_ALREADY_IN_USE: {
    message: 'the client_transaction_id has been used for another transaction',
  },
  RULESET_NOT_FOUND: { message: 'the ruleset was not found' },
  INVALID_CONFIGURATION_STATE: { message: 'a ruleset_key is required' },
  NOT_ENABLED_FOR_SIGNAL_TRANSACTION_SCORE_RULESETS: {
    message: 'the client is not enabled for Signal Transaction Score rulesets',
  },
  SIGNAL_TRANSACTION_NOT_INITIATED: { message: 'the transaction was not initiated' },
  // Plaid itself
  ACCOUNTS_LIMIT: {
    message: 'rate limit exceeded for attempts to access this item. please try again later',
  },
  RATE_LIMIT: { message: 'rate limit exceeded. please try again later' },
  INTERNAL_SERVER_ERROR: { message: 'an unexpected error occurred' },
  PLANNED_MAINTENANCE: { message: 'the Plaid API is down for maintenance' },
};

/** The codes that Link can show, by way of a password `error_<CODE>`. */
export const isKnownCode = (code: string): boolean => errorTypeOf(code) !== undefined;

/** Plaid's error object, without a request id. */
export function plaidErrorObject(code: string, message?: string, type?: string): Record<string, unknown> {
  const known: KnownError = KNOWN[code] ?? { message: code.toLowerCase().replaceAll('_', ' ') };
  return {
    error_type: type ?? errorTypeOf(code) ?? 'API_ERROR',
    error_code: code,
    error_message: message ?? known.message,
    display_message: known.display ?? null,
  };
}

/** Refuses a request in Plaid's shape. @param type of a code that Plaid has not published */
export function plaidRefusal(code: string, message?: string, status?: number, type?: string): Refusal {
  return new Refusal(status ?? errorStatusOf(code), {
    ...plaidErrorObject(code, message, type),
    documentation_url: 'https://plaid.com/docs/errors/',
    suggested_action: null,
    request_id: plaidRequestId(),
  });
}

export function plaidFault(rule: FaultRule): Refusal {
  if (rule.error_code) return plaidRefusal(rule.error_code, rule.error_message, rule.status, rule.error_type);
  const status = rule.status ?? 500;
  const code = status === 429 ? 'RATE_LIMIT' : status === 503 ? 'PLANNED_MAINTENANCE' : 'INTERNAL_SERVER_ERROR';
  return plaidRefusal(code, rule.error_message, status);
}

/**
 * @throws Error for a named error of the other provider, for a rule of Plaid's without its code, and for a code that
 *   Plaid has not published and no type: a guess would prove the wrong thing
 */
export function checkErrorRule({ service, kind, error_code: code, error_type: type }: FaultRule): void {
  if (kind !== 'plaid_error' && kind !== 'finix_error') return;
  if (kind !== `${service}_error`) throw new Error(`${kind} is no answer of ${service}: choose a kind that it has.`);
  if (kind === 'finix_error') return;
  if (code === undefined) throw new Error('plaid_error needs the error_code that Plaid answers.');
  if (type === undefined && errorTypeOf(code) === undefined) {
    throw new Error(`Plaid has no published error ${code}: give the rule its error_type.`);
  }
}
