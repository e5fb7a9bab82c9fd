import type {
  CompleteRequest,
  CreatePublicSessionRequest,
  LinkExitRequest,
  LinkTokenRequest,
  LinkTokenResponse,
  Problem,
  Session,
} from '../contract.ts';
import { ConnectError, flowError, fromProblem, oneOf, toFlowError, unreachedCode } from '../errors.ts';
import { toJson } from './json.ts';

export interface SessionAnswer {
  session: Session;
  /** Seconds until it is worth asking again; meant for a session that is `processing`. */
  retryAfter: number;
}

/**
 * What the element asks of a server. Replace it through the element's `backend` property to go through an own route or
 * to test without one. Every method rejects with a `ConnectError`. `clientSecret` is the customer's permission for one
 * session.
 */
export interface ConnectBackend {
  createPublicSession(input: CreatePublicSessionRequest): Promise<{ clientSecret: string; session: Session }>;
  createLinkToken(clientSecret: string, input: LinkTokenRequest): Promise<LinkTokenResponse>;
  /** Must be safe to repeat with the same public token. */
  complete(clientSecret: string, input: CompleteRequest): Promise<SessionAnswer>;
  getSession(clientSecret: string): Promise<SessionAnswer>;
  /**
   * How a run of Link ended without a bank, for the server's audit. Nothing waits for it, and a failure has no effect.
   */
  reportExit?(clientSecret: string, input: LinkExitRequest): Promise<void>;
  /**
   * The logo of a bank that the session has connected; null where there is none. Without this, the bank's initial is
   * shown.
   */
  getLogo?(clientSecret: string, institutionId: string): Promise<Blob | null>;
}

// The server gives up waiting for its providers after 20 s and answers 202; the rest is for slow mobile networks.
const COMPLETE_TIMEOUT = 30_000;
// One call to Plaid behind it at most, which the server itself cuts off earlier.
const CALL_TIMEOUT = 15_000;
// `complete` is idempotent, so a lost answer is asked for again: three times, within about 4 s, as a train leaves a
// tunnel.
const RETRY_DELAYS = [400, 1_000, 2_500];
// The contract's own number, for answers that lost the header on the way.
const DEFAULT_RETRY_AFTER = 2;

// In V8's, SpiderMonkey's and JavaScriptCore's words, and of `fetch` about what it is given.
const FAULT = /is not an? |is undefined|is null|annot read|can't access|execute/;

const COMPLETE = '/complete';
const LINK_EXIT = '/link-exit';
const FORBIDDEN = 403;
const NO_CONTENT = 204;

export interface HttpBackendOptions {
  /** For tests and for pages that wrap it. */
  fetch?: typeof fetch;
}

export function createHttpBackend(endpoint: string, options: HttpBackendOptions = {}): ConnectBackend {
  const send = options.fetch ?? ((input, init) => fetch(input, init));
  const base = `${endpoint.replace(/\/+$/, '')}/v1/sessions`;

  async function call<T>(path: string, secret: string | null, body?: object, timeout = CALL_TIMEOUT) {
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
      keepalive: path.endsWith(LINK_EXIT),
      signal: controller.signal,
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Not by the signal alone: a `fetch` that a library of the page has replaced may not know of it.
    const overdue = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        controller.abort();
        reject(new ConnectError(flowError('timeout', 'retry')));
      }, timeout);
    });
    try {
      return await Promise.race([overdue, answerOf<T>(path, request)]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function answerOf<T>(path: string, request: RequestInit) {
    let response: Response;
    try {
      response = await send(base + path, request);
    } catch (cause) {
      // The browser's own words for this differ and may hold addresses, so they are not passed on.
      const isLost = request.signal?.aborted || isUnanswered(cause);
      if (!isLost) throw new ConnectError(toFlowError(cause));
      throw new ConnectError((await refusalOfOrigin(path)) ?? flowError(unreachedCode(), 'retry'));
    }
    const json: unknown = await response.json().catch(() => null);
    if (!response.ok) throw new ConnectError(problemOf(json, response));
    if (!json && response.status !== NO_CONTENT) {
      throw new ConnectError(flowError('network_failed', 'retry', requestId(response)));
    }
    return { json: json as T, retryAfter: Number(response.headers.get('Retry-After')) || DEFAULT_RETRY_AFTER };
  }

  /**
   * Where the server does not allow this page's origin, the browser sends nothing of a request and gives no reason. A
   * request without headers of ours needs no permission, and its refusal can be read.
   */
  async function refusalOfOrigin(path: string) {
    const [, session = ''] = path.split('/');
    // Later calls come from pages whose first call arrived.
    if (path === `/${session}${COMPLETE}` || path.endsWith(LINK_EXIT)) return undefined;
    const url = session ? `${base}/${session}` : base;
    const response = await send(url, { credentials: 'omit', cache: 'no-store' }).catch(() => null);
    if (response?.status !== FORBIDDEN) return undefined;
    const problem = problemOf(await response.json().catch(() => null), response);
    return problem.code === 'origin_not_allowed' ? problem : undefined;
  }

  return {
    async createPublicSession(input) {
      const { json } = await call<Session>('', null, input);
      return { clientSecret: json.client_secret ?? '', session: json };
    },

    async createLinkToken(secret, input) {
      return (await call<LinkTokenResponse>(`/${sessionIdOf(secret)}/link-token`, secret, input)).json;
    },

    async complete(secret, input) {
      for (let attempt = 0; ; attempt++) {
        try {
          const path = `/${sessionIdOf(secret)}${COMPLETE}`;
          const { json, retryAfter } = await call<Session>(path, secret, input, COMPLETE_TIMEOUT);
          return { session: json, retryAfter };
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
      await call(`/${sessionIdOf(secret)}${LINK_EXIT}`, secret, input);
    },

    async getLogo(secret, institutionId) {
      const path = `/${sessionIdOf(secret)}/institutions/${encodeURIComponent(institutionId)}/logo`;
      const headers = { Authorization: `Bearer ${secret}` };
      const response = await send(base + path, { headers, credentials: 'omit' });
      return response.status === 200 ? response.blob() : null;
    },

    async getSession(secret) {
      const { json, retryAfter } = await call<Session>(`/${sessionIdOf(secret)}`, secret);
      return { session: json, retryAfter };
    },
  };
}

/** A client secret is `{session id}_secret_{random}`. */
export function sessionIdOf(clientSecret: string): string {
  return encodeURIComponent(clientSecret.split('_secret_')[0] ?? '');
}

function requestId(response: Response): string | null {
  return response.headers.get('X-Request-Id');
}

function problemOf(json: unknown, response: Response) {
  const problem = json as Partial<Problem> | null;
  if (problem && typeof problem.code === 'string' && typeof problem.action === 'string') {
    return fromProblem({ ...(problem as Problem), request_id: problem.request_id ?? requestId(response) ?? '' });
  }
  // Not our server's words: a gateway, a captive portal, a wrong endpoint. Only the 5xx among them pass by themselves.
  return response.status >= 500
    ? flowError('network_failed', 'retry', requestId(response))
    : flowError(response.status === 404 ? 'not_found' : 'internal_error', 'contact_merchant', requestId(response));
}

/**
 * Whether the network is why a request has thrown. Browsers throw a `TypeError` for it, and for faults as well: code of
 * a page that has replaced `fetch`, or an address that is none. Their words for the network differ, and Safari
 * translates them; the words for a fault are few.
 */
function isUnanswered(thrown: unknown): boolean {
  const { name = '', message = '' } = (thrown ?? {}) as Partial<Error>;
  return /^(Type|Network|Abort|Timeout)Error$/.test(name) && !FAULT.test(message);
}
