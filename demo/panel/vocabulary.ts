/** Words for names that come from elsewhere. Each is a fact that the name states, no more. */

/** What the customer does in Link. */
export const LINK: Record<string, string | undefined> = {
  open: 'opens Link, which belongs to Plaid',
  'institution chosen': 'chooses {bank}',
  'credentials sent': 'signs in at {bank}; no one else sees the password',
  'bank granted access': 'agrees on the page of {bank}',
  'bank access declined': 'declines on the page of {bank}',
  success: 'shares {accounts}',
  exit: 'leaves Link',
};

/** What happens at a bank: the subject, and the rest of the sentence. */
export const BANK: Record<string, [who: string, text: string] | undefined> = {
  'login broken': ['{bank}', 'asks for a new sign-in'],
  'permission revoked': ['{customer}', 'ends the permission at {bank}'],
  'debit returned': ['{bank}', 'returns the payment: {code}, {meaning}'],
};

export const RETURN_CODES: Record<string, string | undefined> = {
  R01: 'insufficient funds',
  R03: 'account not found',
  R10: 'not authorized by the customer',
};

/** Plaid's webhooks, by `error_code` where there is one, else by `webhook_code`. */
export const PLAID_EVENTS: Record<string, string | undefined> = {
  ITEM_LOGIN_REQUIRED: 'the bank asks for a new sign-in',
  USER_PERMISSION_REVOKED: 'the customer ended the permission',
  USER_ACCOUNT_REVOKED: 'the customer no longer shares the account',
  LOGIN_REPAIRED: 'the customer signed in again',
  PENDING_DISCONNECT: 'the login will end in a week',
  PENDING_EXPIRATION: 'the consent will end in a week',
  NEW_ACCOUNTS_AVAILABLE: 'the customer has another account',
  PRODUCT_PERMISSIONS_REQUIRED: 'the account numbers are no longer shared',
  DEFAULT_UPDATE: 'the account has another number',
  AUTOMATICALLY_VERIFIED: 'the small deposits arrived, so the account is confirmed',
  VERIFICATION_EXPIRED: 'the account was not confirmed in time',
  SESSION_FINISHED: 'the customer finished Link',
  ITEM_ADD_RESULT: 'the customer shared an account',
};

/** Plaid's refusals, by `error_code`. Others keep Plaid's own sentence. */
export const PLAID_ERRORS: Record<string, string | undefined> = {
  ACCOUNTS_LIMIT: 'too many requests',
  RATE_LIMIT: 'too many requests',
  INVALID_PUBLIC_TOKEN: 'the token is spent or unknown',
  INSTITUTION_DOWN: 'the bank is down',
  ITEM_NOT_FOUND: 'the login is gone',
  ITEM_LOGIN_REQUIRED: 'the customer has to sign in again',
  PRODUCT_NOT_ENABLED: 'the product is not enabled',
  PRODUCTS_NOT_SUPPORTED: 'the bank does not support it',
  NO_ACCOUNTS: 'there is no account',
};

/** Finix's webhooks: entity and type. */
export const FINIX_EVENTS: Record<string, string | undefined> = {
  'instrument created': 'a payment instrument exists',
  'instrument updated': 'a payment instrument changed',
  'transfer created': 'a transfer exists',
  'transfer updated': 'the transfer went to the bank',
};

/** What the connect server's webhook says about a connection. */
export const CHANGES: Record<string, string | undefined> = {
  active: 'ready to use',
  pending_verification: 'the bank has yet to confirm it',
  needs_repair: 'the customer has to sign in again',
  revoked: 'the permission ended, payments are stopped',
  removed: 'removed',
  failed: 'can no longer be used',
  returned: 'a payment was returned',
  changed_bank: 'another bank than before, or another owner',
  completed: 'done',
  expired: 'expired',
};

/** Why a check does not say yes. */
export const CHECK_REASONS: Record<string, string | undefined> = {
  revoked: 'the permission ended',
  returned: 'an earlier payment was returned',
  needs_repair: 'the login has to be repaired',
  not_active: 'the account can’t be debited, or not yet',
  owner_mismatch: 'the account belongs to someone else',
  changed_bank: 'the bank changed a short time ago',
  insufficient_funds: 'insufficient funds',
  balance_uncertain: 'the balance is not certain',
  provider_unavailable: 'the bank did not answer in time',
};
