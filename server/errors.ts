import type {
  AuthorizationText,
  FieldError,
  Problem,
  ProblemAction,
  ProblemCode,
  SelectableAccount,
} from '../widget/contract.ts';

interface ProblemKind {
  status: number;
  title: string;
  detail: string;
  retryable: boolean;
  action: ProblemAction;
}

/**
 * Every problem this server can answer, with its defaults. The one place where a code gets its status and its way
 * forward.
 */
const KINDS: Record<ProblemCode, ProblemKind> = {
  invalid_json: kind(400, 'The request body is not valid JSON', 'Send a JSON object.', 'contact_merchant'),
  invalid_request: kind(422, 'The request has invalid fields', 'See errors for each field.', 'contact_merchant'),
  body_too_large: kind(413, 'The request body is too large', 'Send at most 256 KiB.', 'contact_merchant'),
  unsupported_media_type: kind(
    415,
    'The request body is not application/json',
    'Send Content-Type: application/json.',
    'contact_merchant',
  ),
  not_found: kind(404, 'Not found', 'Nothing exists at this path.', 'contact_merchant'),
  method_not_allowed: kind(405, 'Method not allowed', 'See the Allow header.', 'contact_merchant'),
  idempotency_key_reused: kind(
    422,
    'The Idempotency-Key was used with another body',
    'Use a new key for a new request.',
    'contact_merchant',
  ),
  unauthorized: kind(
    401,
    'Missing or invalid credential',
    'Send Authorization: Bearer with a valid credential.',
    'restart',
  ),
  merchant_key_in_browser: kind(
    403,
    'The merchant key was sent from a browser',
    'Keep the key on your server, and rotate this one: it has been exposed.',
    'contact_merchant',
  ),
  origin_not_allowed: kind(
    403,
    'The origin is not allowed',
    'Add the origin of the page to ALLOWED_ORIGINS.',
    'contact_merchant',
  ),
  public_sessions_off: kind(
    401,
    'Public sessions are off',
    'Create the session on your server, or set PUBLIC_SESSIONS=on.',
    'contact_merchant',
  ),
  rate_limited: kind(429, 'Too many requests', 'Wait, then try again.', 'wait', true),
  session_busy: kind(
    409,
    'Another bank is being connected in this session',
    'Wait until that is finished.',
    'wait',
    true,
  ),
  session_already_completed: kind(
    409,
    'The session is already completed',
    'Read the session for its connections.',
    'restart',
  ),
  session_expired: kind(409, 'The session has expired', 'Create a new session.', 'restart'),
  session_canceled: kind(409, 'The session was canceled', 'Create a new session.', 'restart'),
  session_failed: kind(409, 'The session has failed', 'Create a new session.', 'restart'),
  restart_required: kind(
    409,
    'The bank must be connected again',
    'Open Link again and send the new public token.',
    'restart',
  ),
  account_selection_required: kind(
    409,
    'An account must be selected',
    'Send the same public token again with one of accounts.',
    'choose_account',
  ),
  authorization_required: kind(
    409,
    'The authorization must be accepted',
    'Show authorization.text, then send the same public token again with authorization.accepted and its text_sha256.',
    'retry',
  ),
  account_unknown: kind(
    422,
    'The account is not part of the login',
    'Choose an account that Link returned.',
    'choose_account',
  ),
  account_not_supported: kind(
    422,
    'The account is not supported',
    'Use a checking, savings or cash management account.',
    'use_other_bank',
  ),
  bank_not_supported: kind(422, 'The bank is not supported', 'Use another bank.', 'use_other_bank'),
  bank_unavailable: kind(
    503,
    'The bank is not responding',
    'Try again later, or use another bank.',
    'use_other_bank',
    true,
  ),
  owner_mismatch: kind(
    422,
    'The account belongs to someone else',
    'Use an account in the name of the customer.',
    'use_other_bank',
  ),
  owner_unknown: kind(
    422,
    'The owner of the account is not known',
    'Use an account at another bank.',
    'use_other_bank',
  ),
  verification_failed: kind(422, 'Account verification failed', 'Connect the account again.', 'restart'),
  plaid_unavailable: kind(503, 'Plaid is not responding', 'Try again in a moment.', 'retry', true),
  finix_unavailable: kind(
    503,
    'Finix is not responding',
    'The bank is saved, and the connection is completed later.',
    'wait',
    true,
  ),
  provider_misconfigured: kind(
    502,
    'Plaid or Finix is not configured correctly',
    'The server log names the cause and the remedy.',
    'contact_merchant',
  ),
  instrument_refused: kind(
    422,
    'Finix declined the bank account',
    'Use another bank account or another payment method.',
    'use_other_method',
  ),
  storage_unavailable: kind(503, 'Storage is unavailable', 'Nothing was saved. Try again.', 'retry', true),
  shutting_down: kind(503, 'This instance is shutting down', 'Try again.', 'retry', true),
  internal_error: kind(
    500,
    'Internal error',
    'Try again. If it persists, contact support with the request id.',
    'retry',
    true,
  ),
};

function kind(
  status: number,
  title: string,
  detail: string,
  action: ProblemAction,
  retryable: boolean = false,
): ProblemKind {
  return { status, title, detail, action, retryable };
}

export interface ProblemExtras {
  detail?: string;
  action?: ProblemAction;
  errors?: FieldError[];
  accounts?: SelectableAccount[];
  authorization?: AuthorizationText;
  /** Seconds; becomes the Retry-After header. */
  retryAfter?: number;
  /** With method_not_allowed: the Allow header. */
  allow?: string;
  /** The request's body was not read to its end, so its connection can't carry another. */
  closes?: boolean;
}

/** Thrown anywhere in the server, answered as problem+json. Carries nothing secret: `detail` is public. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  readonly extras: ProblemExtras;

  /** @param extras of `invalid_request`, `detail` is made of `errors` */
  constructor(
    readonly code: ProblemCode,
    extras: ProblemExtras = {},
  ) {
    const isAboutFields = code === 'invalid_request' && extras.errors !== undefined;
    const complete = isAboutFields ? { detail: sentenceAbout(extras.errors ?? []), ...extras } : extras;
    super(complete.detail ?? KINDS[code].detail);
    this.extras = complete;
    this.status = KINDS[code].status;
  }
}

/** Fields that one sentence names; a log line and a client's error have the sentence alone. */
const MOST_NAMED = 3;

function sentenceAbout(errors: FieldError[]): string {
  const named = errors.slice(0, MOST_NAMED).map(({ path, message }) => `${path || 'The body'} ${message}`);
  const more = errors.length > MOST_NAMED ? ['see errors for the other fields'] : [];
  return `${[...named, ...more].join('; ')}.`;
}

export function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(KINDS, code);
}

/** The RFC 9457 document of a problem. */
export function toProblem(code: ProblemCode, extras: ProblemExtras, requestId: string): Problem {
  const { status, title, detail, retryable, action } = KINDS[code];
  const problem: Problem = {
    // A URN and not an address: nothing has to be served there, and it never goes stale.
    type: `urn:finix-bank-connect:problem:${code}`,
    title,
    status,
    detail: extras.detail ?? detail,
    code,
    retryable,
    action: extras.action ?? action,
    request_id: requestId,
  };
  if (extras.errors) problem.errors = extras.errors;
  if (extras.accounts) problem.accounts = extras.accounts;
  if (extras.authorization) problem.authorization = extras.authorization;
  return problem;
}

/** For the contract's page: every code with its status, title and action. */
export function listProblems(): { code: ProblemCode; status: number; title: string; action: ProblemAction }[] {
  return (Object.entries(KINDS) as [ProblemCode, ProblemKind][]).map(([code, k]) => ({
    code,
    status: k.status,
    title: k.title,
    action: k.action,
  }));
}

/**
 * A webhook that is not proved to be its provider's.
 * @param closes the body may not have been read, so that the connection can't be used again
 */
export function unverifiedWebhook(detail: string, closes: boolean): ProblemError {
  return new ProblemError('unauthorized', { detail, action: 'contact_merchant', ...(closes ? { closes } : {}) });
}

/** Who is called for the customer's bank and for the merchant's funding source. */
export type Provider = 'plaid' | 'finix';

/**
 * What an upstream's failure means for us, for any HTTP status:
 * - `refused`: a definite no; the same call will be refused again.
 * - `busy`: a definite "not now", or the call never left; it was not carried out.
 * - `lost`: no answer that can be read; the call may have been carried out.
 * - `misconfigured`: our credentials or the account's set-up are wrong; an operator must act.
 * - `unexpected`: a definite no that is no statement about the customer; it may be temporary; an operator should look.
 */
export type UpstreamFailure = 'refused' | 'busy' | 'lost' | 'misconfigured' | 'unexpected';
