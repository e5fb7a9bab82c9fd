export type ServiceName = 'plaid' | 'finix' | 'link';

/**
 * What goes wrong. `delay`: the answer is late. `timeout`: no answer ever comes; the connection stays open until either
 * side closes it. `reset`: the connection is cut. `status`: an error in the provider's own shape. `html`: a gateway's
 * page instead of JSON. `malformed`: JSON that stops in the middle. `plaid_error` and `finix_error`: a named error of
 * the provider.
 */
export const FAULT_KINDS = [
  'timeout',
  'delay',
  'reset',
  'status',
  'html',
  'malformed',
  'plaid_error',
  'finix_error',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultRule {
  service: ServiceName;
  /** Path without the service's prefix, such as `/item/public_token/exchange`; a `*` at the end matches any rest. */
  path: string;
  /** Any method when left out. */
  method?: string;
  /** Only requests that name this: the id of the Item whose token they carry, or any text in their query or body. */
  about?: string;
  /** How often it happens; always when left out. */
  times?: number;
  /**
   * Whether the request takes effect first. `before` (nothing happened) when left out. A `delay` always comes before.
   */
  when?: 'before' | 'after';
  kind: FaultKind;
  /**
   * `delay`: how long, in milliseconds. With any other kind: how long until the fault shows, and with `when: 'after'`
   * also until the request takes effect, so that a caller can have given up long before.
   */
  delayMs?: number;
  /** HTTP status of `status`, `html`, `plaid_error` and `finix_error`; 500, 502, 400 and 422 when left out. */
  status?: number;
  /** `plaid_error` and `finix_error`: the provider's code. */
  error_code?: string;
  /** `plaid_error`: the type of a code that Plaid has not published. */
  error_type?: string;
  error_message?: string;
  /** `finix_error` with INVALID_FIELD: which field. */
  field?: string;
  /** Answer of `status` and `html` instead of the provider's usual one. */
  body?: string | Record<string, unknown>;
}
