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
export type ErrorReason = 'timed_out' | 'setup' | 'ended' | 'not_ready' | 'not_ours';

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
  declare readonly code: ElementErrorCode;
  declare readonly action: ProblemAction;
  declare readonly retryable: boolean;
  declare readonly requestId: string | null;
  declare readonly reason?: ErrorReason;
  declare readonly accounts?: SelectableAccount[];
  declare readonly authorization?: AuthorizationText;
  declare readonly errors?: FieldError[];

  constructor(error: FlowError, options?: ErrorOptions) {
    super(error.code, options);
    Object.assign(this, known(error));
  }
}

/** What travels of an error, and nothing else that it may have. */
function known({
  code,
  action,
  retryable = false,
  requestId = null,
  reason,
  accounts,
  authorization,
  errors,
}: Known): FlowError {
  return { code, action, retryable, requestId, reason, accounts, authorization, errors };
}

type Known = Partial<FlowError> & Pick<FlowError, 'code' | 'action'>;

/** Recognized by what an error must have: another copy of this package, or the server, may have made it. */
export function isKnown(error: unknown): error is Known {
  const { code, action } = Object(error) as Record<string, unknown>;
  return typeof code === 'string' && typeof action === 'string';
}

export function flowError(code: ElementErrorCode, action: ProblemAction, requestId: string | null = null): FlowError {
  return { code, action, retryable: isRetry({ action }), requestId };
}

export function fromProblem(problem: Problem): FlowError {
  return known({ ...problem, requestId: problem.request_id });
}

/**
 * Any thrown value as an error that the element can show. An unknown error goes to the console, and nothing of its
 * text into the page: it may name tokens.
 */
export function toFlowError(thrown: unknown): FlowError {
  if (isKnown(thrown)) return known(thrown);
  report('an unexpected error', thrown);
  return flowError('internal_error', 'retry');
}

/** For `catch`, where the work goes on without the answer. A fault is shown on the console. */
export function lost(thrown: unknown): null {
  toFlowError(thrown);
  return null;
}

/** Why an address could not be reached. */
export function unreachedCode(): ElementErrorCode {
  return globalThis.navigator?.onLine === false ? 'offline' : 'network_failed';
}

/** An exception that would otherwise be lost, for the merchant to read on the console. */
export function report(problem: string, ...cause: unknown[]): void {
  console.error(`finix-bank-connect: ${problem}`, ...cause);
}

/** Whether a value of a closed list is among these; a name that the list does not have does not compile. */
export function oneOf<T extends string>(value: T | null | undefined, ...among: NoInfer<T>[]): boolean {
  return among.includes(value as T);
}

/** The next step is the same one again, now or a little later. */
export function isRetry(error: Pick<FlowError, 'action'> | null | undefined): boolean {
  return oneOf(error?.action, 'retry', 'wait');
}
