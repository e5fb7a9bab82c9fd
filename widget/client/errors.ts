import type { MerchantConnection, Problem, ProblemAction, ProblemCode } from '../contract.ts';

/**
 * Why a call failed. The server's codes pass through unchanged; `network_failed` and `timeout`: no answer came;
 * `unexpected_answer`: something else than the server answered, such as a gateway or a wrong address.
 */
export type ApiErrorCode = ProblemCode | 'network_failed' | 'timeout' | 'unexpected_answer';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiErrorCode;
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Whether the same call can succeed later. It was repeated already. */
  readonly retryable: boolean;
  readonly action: ProblemAction;
  /** For support; null when the server was not reached. */
  readonly requestId: string | null;
  /** The server's whole answer, with `errors[]` for wrong fields. */
  readonly problem: Problem | null;

  constructor(code: ApiErrorCode, message: string, facts: Partial<Omit<ApiError, keyof Error | 'code'>> = {}) {
    super(message);
    this.code = code;
    this.status = facts.status ?? 0;
    this.retryable = facts.retryable ?? true;
    this.action = facts.action ?? 'retry';
    this.requestId = facts.requestId ?? null;
    this.problem = facts.problem ?? null;
  }
}

/** Why a connection must not be charged. */
export type ConnectionErrorCode = 'connection_not_found' | 'customer_mismatch' | 'connection_not_usable';

/**
 * Refused by `requireConnection`. Show the customer the same sentence for each code: the difference is no one's but
 * yours.
 */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  constructor(
    readonly code: ConnectionErrorCode,
    message: string,
    /** With `connection_not_usable`: the customer's own connection, whose `status` shows what it waits for. */
    readonly connection: MerchantConnection | null = null,
  ) {
    super(message);
  }
}

export type WebhookErrorCode =
  | 'invalid_secret'
  | 'missing_headers'
  | 'invalid_signature'
  | 'outside_tolerance'
  | 'invalid_body';

/** The webhook is not the server's, or came too late: answer 400 and do nothing. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  constructor(
    readonly code: WebhookErrorCode,
    message: string,
  ) {
    super(message);
  }
}
