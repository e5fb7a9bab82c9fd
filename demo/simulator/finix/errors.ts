import { randomUUID } from 'node:crypto';
import { Refusal } from '../refusal.ts';
import type { FaultRule } from '../types.ts';

/** Finix's codes that belong to a status and nothing else. 401 really is called UNKNOWN. */
const CODES: Record<number, string> = {
  400: 'BAD_REQUEST',
  401: 'UNKNOWN',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  406: 'NOT_ACCEPTABLE',
  409: 'CONFLICT',
  422: 'UNPROCESSABLE_ENTITY',
  429: 'TOO_MANY_REQUESTS',
  500: 'SERVER_ERROR',
};

/** Refuses a request in Finix's shape; `field` comes with INVALID_FIELD only. */
export function finixRefusal(status: number, message: string, code?: string, field?: string): Refusal {
  const error = {
    logref: randomUUID(),
    message,
    code: code ?? CODES[status] ?? 'SERVER_ERROR',
    ...(field === undefined ? {} : { field }),
    _links: { source: { href: 'https://finix.sandbox-payments-api.com' } },
  };
  return new Refusal(status, { total: 1, _embedded: { errors: [error] } });
}

export const invalidField = (field: string, message: string): Refusal =>
  finixRefusal(422, message, 'INVALID_FIELD', field);

export function finixFault(rule: FaultRule): Refusal {
  if (rule.kind === 'finix_error') {
    const status = rule.status ?? 422;
    return finixRefusal(status, rule.error_message ?? 'The request was refused.', rule.error_code, rule.field);
  }
  const status = rule.status ?? 500;
  return finixRefusal(status, rule.error_message ?? 'An unexpected error occurred.');
}
