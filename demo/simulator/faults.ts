import type { ServiceName } from './state.ts';

/**
 * What goes wrong.
 * `delay`: the answer is late. `timeout`: no answer ever comes; the connection stays open until either side closes it.
 * `reset`: the connection is cut. `status`: an error in the provider's own shape. `html`: a gateway's page instead of JSON.
 * `malformed`: JSON that stops in the middle. `plaid_error` and `finix_error`: a named error of the provider.
 */
export type FaultKind = 'timeout' | 'delay' | 'reset' | 'status' | 'html' | 'malformed' | 'plaid_error' | 'finix_error';

export interface FaultRule {
  service: ServiceName;
  /** Path without the service's prefix, such as `/item/public_token/exchange`; a `*` at the end matches any rest. */
  path: string;
  /** Any method when left out. */
  method?: string;
  /** How often it happens; for ever when left out. */
  times?: number;
  /** Whether the request takes effect first. `before` (nothing happened) when left out. A `delay` always comes before. */
  when?: 'before' | 'after';
  kind: FaultKind;
  /**
   * `delay`: how long, in milliseconds. With any other kind: how long until the fault shows, and with `when: 'after'` also until the request
   * takes effect, so that a caller can have given up long before.
   */
  delayMs?: number;
  /** HTTP status of `status`, `html`, `plaid_error` and `finix_error`; 500, 502, 400 and 422 when left out. */
  status?: number;
  /** `plaid_error` and `finix_error`: the provider's code. */
  error_code?: string;
  error_message?: string;
  /** `finix_error` with INVALID_FIELD: which field. */
  field?: string;
  /** Answer of `status` and `html` instead of the provider's usual one. */
  body?: string | Record<string, unknown>;
}

/** The rules in force, and how often each may still strike. */
export class Faults {
  #rules: { rule: FaultRule; left: number }[] = [];

  add(rule: FaultRule): void {
    this.#rules.push({ rule: { ...rule }, left: rule.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#rules = [];
  }

  /** The first rule that fits, counted as used; undefined: all goes well. */
  take(service: ServiceName, method: string, path: string): FaultRule | undefined {
    const found = this.#rules.find(({ rule, left }) => left > 0 && matches(rule, service, method, path));
    if (!found) return undefined;
    found.left -= 1;
    return found.rule;
  }
}

function matches(rule: FaultRule, service: ServiceName, method: string, path: string): boolean {
  if (rule.service !== service) return false;
  if (rule.method && rule.method.toUpperCase() !== method) return false;
  return rule.path.endsWith('*') ? path.startsWith(rule.path.slice(0, -1)) : rule.path === path;
}
