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

/** What a page sees of an error; `message` is a sentence for the customer, in their language. */
export interface ElementError {
  code: ElementErrorCode;
  message: string;
  retryable: boolean;
  action: ProblemAction;
  /** The server's `X-Request-Id`, for support; null when the server was not reached. */
  requestId: string | null;
}

/** An error on its way through the element: not yet put into words. */
export interface FlowError extends Omit<ElementError, 'message'> {
  accounts?: SelectableAccount[];
  authorization?: AuthorizationText;
  /** With `invalid_request`: which fields the server refused. */
  errors?: FieldError[];
}

/** What `ConnectBackend` implementations throw. Recognized by its fields, so that two copies of this package understand each other. */
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

/** Whatever was thrown, as an error that the element can show. Nothing of an unknown error's text is kept: it may name tokens. */
export function toFlowError(thrown: unknown): FlowError {
  const known = thrown as Partial<FlowError> | null;
  if (known && typeof known.code === 'string' && typeof known.action === 'string') {
    const { code, action, retryable = false, requestId = null, accounts, authorization } = known;
    return { code, action, retryable, requestId, accounts, authorization };
  }
  return flowError('internal_error', 'retry');
}

/** Whether a value of a closed list is among these; a name that the list does not have does not compile. */
export function oneOf<T extends string>(value: T | null | undefined, ...among: NoInfer<T>[]): boolean {
  return among.includes(value as T);
}

/** The next step is the same one again, now or a little later. */
export function isRetry(error: Pick<FlowError, 'action'> | null | undefined): boolean {
  return oneOf(error?.action, 'retry', 'wait');
}

// Plaid's codes by what the customer can do about them. Their HTTP status says nothing (a bank that is down is a 400), so only codes count.
const LINK_ERRORS: [code: ElementErrorCode, action: ProblemAction, plaid: RegExp][] = [
  ['link_expired', 'restart', /^(INVALID_LINK_TOKEN|INCORRECT_(LINK_TOKEN|OAUTH_NONCE)|OAUTH_STATE_ID_\w+)$/],
  ['bank_unavailable', 'use_other_bank', /^INSTITUTION_(DOWN|NOT_RESPONDING|NOT_AVAILABLE)$/],
  ['provider_misconfigured', 'use_other_bank', /^(UNAUTHORIZED_INSTITUTION|INSTITUTION_REGISTRATION_REQUIRED)$/],
  [
    'bank_not_supported',
    'use_other_bank',
    /^(INSTITUTION_NO|UNSUPPORTED_RESPONSE|ITEM_NOT_SUPPORTED|PRODUCTS_NOT_SUPPORTED|MFA_NOT_SUPPORTED)/,
  ],
  ['account_not_supported', 'use_other_bank', /^NO_(AUTH_)?ACCOUNTS$/],
  ['bank_login_locked', 'use_other_bank', /^(ITEM_LOCKED|PASSWORD_RESET_REQUIRED|USER_SETUP_REQUIRED)$/],
  ['bank_access_refused', 'restart', /^(ACCESS_NOT_GRANTED|ADDITIONAL_CONSENT_REQUIRED|USER_PERMISSION_REVOKED)$/],
  ['verification_failed', 'use_other_bank', /VERIFICATION/],
  ['bank_login_failed', 'restart', /^(ITEM_ERROR|RECAPTCHA_ERROR|OAUTH_ERROR)$/],
  ['bank_unavailable', 'use_other_bank', /^INSTITUTION_ERROR$/],
  ['plaid_unavailable', 'retry', /^(API_ERROR|RATE_LIMIT_EXCEEDED)$/],
  ['provider_misconfigured', 'contact_merchant', /^INVALID_(REQUEST|INPUT)$/],
];

/** An error that Link's `onExit` reported. The code decides; where it is unknown, its type does. */
export function fromLinkError(error: { error_type?: string | null; error_code?: string | null }): FlowError {
  for (const word of [error.error_code, error.error_type]) {
    const match = word && LINK_ERRORS.find(([, , plaid]) => plaid.test(word));
    if (match) return flowError(match[0], match[1]);
  }
  return flowError('link_failed', 'restart');
}
