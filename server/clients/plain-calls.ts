import type { Config } from '../config.ts';
import { failureOfConnection, UpstreamError } from './outbound.ts';
import { parseProviderJson } from './provider-json.ts';
import { fetchFor } from './proxy.ts';

/** An answer of Plaid or Finix as it came: the diagnosis shows refusals, and does not throw them. */
export interface PlainAnswer {
  status: number;
  isOk: boolean;
  body: Record<string, unknown>;
  /** Plaid's request_id or Finix's trace id, for their support. */
  requestId: string | undefined;
  /** The provider's clock, in milliseconds since 1970; undefined when it does not give it. */
  date: number | undefined;
}

/** Calls that the server itself never makes: those of the sandboxes, and those whose refusal is the result. */
export interface PlainCalls {
  /** @param path as in `/sandbox/public_token/create`. @throws UpstreamError when there is no answer */
  plaid(path: string, body?: Record<string, unknown>): Promise<PlainAnswer>;
  /** @param path as in `/payment_instruments`. @throws UpstreamError when there is no answer */
  finix(method: 'GET' | 'POST' | 'PUT', path: string, body?: Record<string, unknown>): Promise<PlainAnswer>;
}

/** As long as the server's own calls to Finix wait. */
const TIMEOUT_MS = 30_000;

export function createPlainCalls(
  { plaid, finix, proxy }: Pick<Config, 'plaid' | 'finix' | 'proxy'>,
  timeoutMs = TIMEOUT_MS,
): PlainCalls {
  async function send(
    service: 'plaid' | 'finix',
    path: string,
    url: string,
    sent: { method: string; headers: Record<string, string>; body?: string },
  ): Promise<PlainAnswer> {
    const ask = fetchFor(url, proxy);
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      // A redirect would carry the credentials to another host.
      const response = await ask(url, { body: undefined, ...sent, redirect: 'manual', signal });
      const text = await response.text();
      const body = asObject(text);
      const { headers, status, ok } = response;
      const named = body['request_id'] ?? headers.get('finix-trace-id') ?? headers.get('x-request-id');
      const date = Date.parse(headers.get('date') ?? '');
      return {
        status,
        isOk: ok,
        body,
        requestId: typeof named === 'string' ? named : undefined,
        date: Number.isNaN(date) ? undefined : date,
      };
    } catch (error) {
      const { name, cause } = error as { name?: string; cause?: { code?: string } };
      if (name === 'TimeoutError') throw new UpstreamError(service, path, 'lost', 'TIMEOUT');
      throw new UpstreamError(service, path, failureOfConnection(cause?.code), cause?.code ?? 'NO_ANSWER');
    }
  }

  return {
    plaid: (path, body = {}) =>
      send('plaid', path, `${plaid.baseUrl}${path}`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'PLAID-CLIENT-ID': plaid.clientId,
          'PLAID-SECRET': plaid.secret,
          'Plaid-Version': '2020-09-14',
        },
        body: JSON.stringify(body),
      }),
    finix: (method, path, body) =>
      send('finix', path, `${finix.baseUrl}${path}`, {
        method,
        headers: {
          Authorization: `Basic ${Buffer.from(`${finix.username}:${finix.password}`).toString('base64')}`,
          'Finix-Version': '2022-02-01',
          ...(body ? { 'Content-Type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      }),
  };
}

/** A gateway's page is no object, and has no code. */
function asObject(text: string): Record<string, unknown> {
  const json = parseProviderJson(text);
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
}

/** The provider's own code and words for a refusal. */
export function refusalOf({ status, body }: PlainAnswer): { code: string; message: string } {
  const errors = (body['_embedded'] as { errors?: { code?: string; message?: string }[] } | undefined)?.errors;
  const code = body['error_code'] ?? errors?.[0]?.code;
  const message = body['error_message'] ?? errors?.[0]?.message;
  return {
    code: typeof code === 'string' ? code : `HTTP_${status}`,
    message: typeof message === 'string' ? message : 'no reason given',
  };
}
