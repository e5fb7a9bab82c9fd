import type { Config } from '../config.ts';
import { createHttpClient, type HttpClient } from './http-client.ts';
import { unanswered } from './outbound.ts';
import { parseProviderJson } from './provider-json.ts';

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
  const clients = { plaid: createHttpClient(plaid.baseUrl, proxy), finix: createHttpClient(finix.baseUrl, proxy) };

  async function send(
    service: keyof typeof clients,
    path: string,
    sent: Pick<Parameters<HttpClient['send']>[0], 'method' | 'headers' | 'body'>,
  ): Promise<PlainAnswer> {
    const { status, isOk, headers, text } = await clients[service]
      .send({ ...sent, path, timeoutMs })
      .catch((error: unknown) => {
        throw unanswered(service, path, error);
      });
    const body = asObject(text);
    const requestId = body['request_id'] ?? headers['finix-trace-id'] ?? headers['x-request-id'];
    const date = Date.parse(headers.date ?? '');
    return {
      status,
      isOk,
      body,
      requestId: typeof requestId === 'string' ? requestId : undefined,
      date: Number.isNaN(date) ? undefined : date,
    };
  }

  return {
    plaid: (path, body = {}) =>
      send('plaid', path, {
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
      send('finix', path, {
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
