import { MERCHANT_KEY, SHOP } from '../helpers/server.ts';
import { slowly } from './times.ts';

/** An instance for the next request, another one each time; undefined while none is up. */
export type Where = () => string | undefined;

export interface Answer {
  status: number;
  body: unknown;
}

/**
 * Longer than the server's own 20 s would be pointless; the suite's instances answer within 2 s unless they are frozen.
 */
const REQUEST_MS = slowly(4_000);

/**
 * @returns undefined when no instance answered: refused, cut or too late. A page learns no more about a dead instance.
 */
export async function request(
  where: Where,
  key: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer | undefined> {
  const base = where();
  if (base === undefined) return undefined;
  try {
    const response = await fetch(base + path, {
      method,
      headers: {
        Authorization: `Bearer ${key}`,
        ...(key === MERCHANT_KEY ? {} : { Origin: SHOP }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return undefined;
  }
}

/** As the merchant's server. */
export function asMerchant(where: Where, method: string, path: string, body?: unknown, idempotencyKey?: string) {
  const headers: Record<string, string> = idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey };
  return request(where, MERCHANT_KEY, method, path, body, headers);
}
