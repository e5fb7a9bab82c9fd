import type { Problem } from '../contract.ts';
import { ApiError } from './errors.ts';

export interface ClientOptions {
  /**
   * Address of the server: its PUBLIC_URL, or an internal one. Where it is missing, calls reject; creating does not.
   */
  endpoint: string | undefined;
  /**
   * MERCHANT_API_KEY. Never in a browser. Of a comma-separated list, as the server has while keys are rotated, the
   * first entry is sent. Where it is missing, calls reject; creating does not.
   */
  apiKey: string | undefined;
  /** The platform's when left out. */
  fetch?: typeof fetch;
  /** Milliseconds for one attempt; 30,000 when left out: the server itself answers within 25 s. */
  timeoutMs?: number;
  /** How often a call that failed on the way is repeated; 2 when left out. */
  maxRetries?: number;
}

export interface CallOptions {
  signal?: AbortSignal;
}

export interface Call extends CallOptions {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  query?: object | undefined;
  body?: object | undefined;
  /** Makes the call safe to repeat where its meaning alone does not. */
  idempotencyKey?: string | undefined;
}

const TIMEOUT_MS = 30_000;
const MAX_RETRIES = 2;
/** Full jitter between zero and this, doubled each time. */
const BACKOFF_BASE_MS = 200;
/** A longer `Retry-After` is the caller's decision. */
const LONGEST_WAIT_MS = 5_000;

/** As HTTP allows in a header; what `fetch` throws for others looks like a lost connection. */
export const isHeaderText = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

/**
 * One call with its repetitions. Every call of the client may be repeated: by its method, its idempotency key, or its
 * own id.
 */
export function createHttp({
  endpoint,
  apiKey,
  timeoutMs = TIMEOUT_MS,
  maxRetries = MAX_RETRIES,
  ...options
}: Partial<ClientOptions>) {
  if (endpoint && !/^https?:/.test(endpoint)) {
    throw new TypeError('endpoint must be an address such as https://connect.example.');
  }
  const base = endpoint?.replace(/\/+$/, '');
  const [key] = entriesOf(apiKey ?? '');
  if (key && !isHeaderText(key)) throw new TypeError('apiKey must be printable ASCII without spaces.');
  // Called without a receiver: some platforms refuse a fetch that is called as a method.
  const send = options.fetch ?? ((input, init) => fetch(input, init));

  async function attempt<T>({ method, path, query, body, idempotencyKey, signal }: Call): Promise<T> {
    // Not earlier: frameworks load a server's modules when they build, where no secret is set.
    if (!base) throw new TypeError('createClient was given no endpoint: set CONNECT_URL where this server runs.');
    if (!key) throw new TypeError('createClient was given no apiKey: set MERCHANT_API_KEY where this server runs.');
    const headers: Record<string, string> = { Accept: 'application/json', Authorization: `Bearer ${key}` };
    if (body) headers['Content-Type'] = 'application/json';
    if (idempotencyKey) headers['Idempotency-Key'] = idempotencyKey;
    const timeout = AbortSignal.timeout(timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await send(base + path + search(query), {
        method,
        headers,
        body: body && JSON.stringify(body),
        // A redirect would carry the key elsewhere. Workers know no `error` here.
        redirect: 'manual',
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      text = await response.text();
    } catch {
      // The platform's own error may contain the address and, in some, the headers.
      signal?.throwIfAborted();
      throw timeout.aborted
        ? new ApiError('timeout', `No answer within ${timeoutMs} ms.`)
        : new ApiError('network_failed', `${new URL(base).host} could not be reached.`);
    }
    const json = parse(text);
    if (response.ok && json) return json as T;
    throw errorOf(response, json);
  }

  return async function call<T>(request: Call): Promise<T> {
    for (let retry = 0; ; retry++) {
      try {
        return await attempt<T>(request);
      } catch (error) {
        if (!(error instanceof ApiError) || !error.retryable || retry >= maxRetries) throw error;
        const asked = retryAfter.get(error) ?? 0;
        if (asked > LONGEST_WAIT_MS) throw error;
        const backoff = Math.random() * BACKOFF_BASE_MS * 2 ** retry;
        await sleep(Math.max(asked, backoff), request.signal);
      }
    }
  };
}

/** The entries of a comma-separated list, as the server reads its settings. */
export function entriesOf(list: string): string[] {
  return list.split(',').flatMap((entry) => entry.trim() || []);
}

/** What the server asked to wait, in milliseconds: for repetitions only, so it is no field of the error. */
const retryAfter = new WeakMap<ApiError, number>();

function errorOf(response: Response, json: unknown): ApiError {
  const { status, headers } = response;
  const requestId = headers.get('X-Request-Id');
  const problem = json as Problem | null;
  const error =
    typeof problem?.code === 'string'
      ? new ApiError(problem.code, problem.detail || problem.title, {
          ...{ status, requestId, problem, retryable: problem.retryable, action: problem.action },
        })
      : new ApiError('unexpected_answer', `HTTP ${status} without an answer of the server's: check the endpoint.`, {
          ...{ status, requestId, retryable: status === 429 || status > 500, action: 'contact_merchant' },
        });
  retryAfter.set(error, (Number(headers.get('Retry-After')) || 0) * 1000);
  return error;
}

function search(query: object = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
