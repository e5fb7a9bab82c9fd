import type { LinkTokenResponse, Problem, Session } from '../contract.ts';
import { ConnectError, type FlowError, flowError, fromProblem, isKnown, oneOf, unreachedCode } from '../errors.ts';
import { within } from '../within.ts';
import type { ConnectBackend } from './connect-backend.ts';
import { toJson } from './json.ts';

// The server gives up waiting for its providers after 20 s and answers 202; the rest is for slow mobile networks.
const COMPLETE_TIMEOUT = 30_000;
// One call to Plaid behind it at most, which the server itself cuts off earlier.
const CALL_TIMEOUT = 15_000;
// `complete` is idempotent, so a lost answer is asked for again: three times, within about 4 s, as a train leaves a
// tunnel.
const RETRY_DELAYS = [400, 1_000, 2_500];
// The contract's own number, for answers that lost the header on the way.
const DEFAULT_RETRY_AFTER = 2;

export const COMPLETE = '/complete';
export const LINK_EXIT = '/link-exit';
const NO_CONTENT = 204;

/** A request that was not answered by our server (session/request-failures.ts). */
export interface FailedRequest {
  base: string;
  path: string;
  send: typeof fetch;
  /** It took too long. */
  isAborted: boolean | undefined;
}

/** Why a request failed. Needed by few customers, so it is fetched. */
export interface RequestFailures {
  errorOfRequest(cause: unknown, request: FailedRequest): Promise<FlowError>;
  errorOfResponse(response: Response): FlowError;
}

/** The calls to our server, in its own words. */
export function createCalls(
  endpoint: string,
  failures: () => Promise<RequestFailures>,
  send: typeof fetch = (input, init) => fetch(input, init),
): ConnectBackend {
  const base = `${endpoint.replace(/\/+$/, '')}/v1/sessions`;

  /** @param route after the session's own address */
  async function call<T = Session>(route: string, secret: string | null, body?: object, timeout = CALL_TIMEOUT) {
    const path = secret ? `/${sessionIdOf(secret)}${route}` : '';
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (secret) headers['Authorization'] = `Bearer ${secret}`;
    if (body) headers['Content-Type'] = 'application/json';
    const controller = new AbortController();
    const request: RequestInit = {
      method: body ? 'POST' : 'GET',
      headers,
      body: body && toJson(body),
      credentials: 'omit',
      cache: 'no-store',
      // So that the report of a customer who leaves the page arrives as well.
      keepalive: route === LINK_EXIT,
      signal: controller.signal,
    };
    // Not by the signal alone: a `fetch` that a library of the page has replaced may not know of it.
    return within(answerOf<T>(path, request), timeout, () => {
      controller.abort();
      return new ConnectError(flowError('timeout', 'retry'));
    });
  }

  async function answerOf<T>(path: string, request: RequestInit) {
    let response: Response;
    try {
      response = await send(base + path, request);
    } catch (cause) {
      const failed = { base, path, send, isAborted: request.signal?.aborted };
      throw await errorBy((reasons) => reasons.errorOfRequest(cause, failed));
    }
    const json: unknown = await response.json().catch(() => null);
    if (!response.ok || (!json && response.status !== NO_CONTENT)) {
      const problem = problemIn(json, response);
      throw problem ? new ConnectError(problem) : await errorBy((reasons) => reasons.errorOfResponse(response));
    }
    return { session: json as T, retryAfter: Number(response.headers.get('Retry-After')) || DEFAULT_RETRY_AFTER };
  }

  /** Where the reason can't be found out, it is the network. */
  async function errorBy(explain: (reasons: RequestFailures) => FlowError | Promise<FlowError>): Promise<ConnectError> {
    const error = failures()
      .then(explain)
      .catch(() => flowError(unreachedCode(), 'retry'));
    return new ConnectError(await error);
  }

  return {
    async createPublicSession(input) {
      const { session } = await call('', null, input);
      return { clientSecret: session.client_secret ?? '', session };
    },

    async createLinkToken(secret, input) {
      const { session: token } = await call<LinkTokenResponse>('/link-token', secret, input);
      return token;
    },

    async complete(secret, input) {
      for (let attempt = 0; ; attempt++) {
        try {
          return await call(COMPLETE, secret, input, COMPLETE_TIMEOUT);
        } catch (error) {
          const delay = RETRY_DELAYS[attempt];
          const lost = error instanceof ConnectError && oneOf(error.code, 'network_failed', 'timeout');
          if (!lost || delay === undefined) throw error;
          // Half fixed, half random, so that pages cut off together do not come back together.
          await new Promise((resolve) => setTimeout(resolve, delay * (0.5 + Math.random() / 2)));
        }
      }
    },

    async reportExit(secret, input) {
      await call(LINK_EXIT, secret, input);
    },

    async getLogo(secret, institutionId) {
      const path = `/${sessionIdOf(secret)}/institutions/${encodeURIComponent(institutionId)}/logo`;
      const headers = { Authorization: `Bearer ${secret}` };
      const response = await send(base + path, { headers, credentials: 'omit' });
      return response.status === 200 ? response.blob() : null;
    },

    getSession: (secret) => call('', secret),
  };
}

/** A client secret is `{session id}_secret_{random}`. */
export function sessionIdOf(clientSecret: string): string {
  return encodeURIComponent(clientSecret.split('_secret_')[0] ?? '');
}

export function requestId(response: Response): string | null {
  return response.headers.get('X-Request-Id');
}

/** Our server's own words; null for those of a gateway, a captive portal, a wrong endpoint. */
export function problemIn(json: unknown, response: Response): FlowError | null {
  if (!isKnown(json)) return null;
  const problem = json as Problem;
  return fromProblem({ ...problem, request_id: problem.request_id ?? requestId(response) ?? '' });
}
