import type {
  AuthorizationText,
  FieldError,
  Problem,
  ProblemAction,
  ProblemCode,
  SelectableAccount,
} from './contract.ts';

/**
 * Why the element stopped. A closed list: programs switch on it, customers read the sentence that belongs to it.
 * The server's codes pass through unchanged; the others are found out in the browser.
 */
export type ElementErrorCode =
  | ProblemCode
  /** No `endpoint`, and the script that defined the element did not bring one. */
  | 'endpoint_missing'
  /** A modal dialog of the page makes Link unreachable, and Hosted Link can't be had. */
  | 'link_covered'
  /** Link's script did not load: content blocker, policy or a network that filters. */
  | 'script_blocked'
  | 'offline'
  /** The server did not answer in time. */
  | 'timeout'
  /** The server could not be reached, or something in between answered for it. */
  | 'network_failed'
  /** `fetchClientSecret` failed or gave something that is no client secret. */
  | 'client_secret_unavailable'
  /** Link reported an error that has no better name here. */
  | 'link_failed'
  /** The link token is no longer good; the element gets another by itself. */
  | 'link_expired'
  | 'bank_login_failed'
  | 'bank_login_locked'
  | 'bank_access_refused';

/** Where support and Plaid find a run of Link again. */
export interface LinkTrace {
  /** Plaid's `request_id`. */
  requestId: string | null;
  linkSessionId: string | null;
  /** The bank that the customer had chosen. */
  institution: { id: string | null; name: string | null } | null;
}

/** What a page sees of an error; `message` is a sentence for the customer, in their language. */
export interface ElementError {
  code: ElementErrorCode;
  message: string;
  retryable: boolean;
  action: ProblemAction;
  /** The server's `X-Request-Id`, or Plaid's `request_id` where Link reported the error; for support. */
  requestId: string | null;
  /** Where Link reported the error. */
  linkSessionId: string | null;
  institution: LinkTrace['institution'];
}

/** Which of several causes a code has, where the customer should read which. */
export type ErrorReason = 'timed_out' | 'setup' | 'ended' | 'not_ready';

/** An error on its way through the element: not yet put into words. */
export interface FlowError extends Pick<ElementError, 'code' | 'retryable' | 'action' | 'requestId'> {
  reason?: ErrorReason;
  linkSessionId?: LinkTrace['linkSessionId'];
  institution?: LinkTrace['institution'];
  accounts?: SelectableAccount[];
  authorization?: AuthorizationText;
  /** With `invalid_request`: which fields the server refused. */
  errors?: FieldError[];
}

/**
 * What `ConnectBackend` implementations throw. Recognized by its fields, so that two copies of this package understand
 * each other.
 */
export class ConnectError extends Error implements FlowError {
  override name = 'ConnectError';
  readonly code: ElementErrorCode;
  readonly action: ProblemAction;
  readonly retryable: boolean;
  readonly requestId: string | null;
  readonly accounts?: SelectableAccount[];
  readonly authorization?: AuthorizationText;
  readonly errors?: FieldError[];

  constructor(error: FlowError, options?: ErrorOptions) {
    super(error.code, options);
    this.code = error.code;
    this.action = error.action;
    this.retryable = error.retryable;
    this.requestId = error.requestId;
    this.accounts = error.accounts;
    this.authorization = error.authorization;
    this.errors = error.errors;
  }
}

export function flowError(code: ElementErrorCode, action: ProblemAction, requestId: string | null = null): FlowError {
  return { code, action, retryable: isRetry({ action }), requestId };
}

export function fromProblem(problem: Problem): FlowError {
  const { code, action, retryable, accounts, authorization, errors } = problem;
  return { code, action, retryable, accounts, authorization, errors, requestId: problem.request_id ?? null };
}

/**
 * Any thrown value as an error that the element can show. An unknown error goes to the console, and nothing of its
 * text into the page: it may name tokens.
 */
export function toFlowError(thrown: unknown): FlowError {
  const known = thrown as Partial<FlowError> | null;
  if (known && typeof known.code === 'string' && typeof known.action === 'string') {
    const { code, action, retryable = false, requestId = null, accounts, authorization } = known;
    return { code, action, retryable, requestId, accounts, authorization };
  }
  console.error('finix-bank-connect: an unexpected error', thrown);
  return flowError('internal_error', 'retry');
}

/** For `catch`, where the work goes on without the answer. A fault is shown on the console. */
export function lost(thrown: unknown): null {
  toFlowError(thrown);
  return null;
}

/** Whether a value of a closed list is among these; a name that the list does not have does not compile. */
export function oneOf<T extends string>(value: T | null | undefined, ...among: NoInfer<T>[]): boolean {
  return among.includes(value as T);
}

/** The next step is the same one again, now or a little later. */
export function isRetry(error: Pick<FlowError, 'action'> | null | undefined): boolean {
  return oneOf(error?.action, 'retry', 'wait');
}

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
  // Every call of Plaid's has a limit of its own; here they are one.
  const plaid = (error_code ?? '').replace(/^[A-Z_]+_LIMIT$/, 'RATE_LIMIT');
  const found = LINK_ERRORS.find(([, , codes]) => codes.split(' ').includes(plaid));
  const [code, action, , reason] = found ?? (['link_failed', 'restart'] as const);
  return { ...flowError(code, action), ...(reason && { reason }) };
}
