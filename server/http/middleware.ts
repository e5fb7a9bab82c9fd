import type { ErrorHandler, MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { UpstreamError } from '../clients/outbound.ts';
import { isBankDown, isPublished } from '../clients/plaid-codes.ts';
import type { Config } from '../config.ts';
import { ProblemError, toProblem } from '../errors.ts';
import type { Logger } from '../log.ts';
import { StorageUnavailableError } from '../storage/errors.ts';
import { CutOff, isCutOff } from './body.ts';
import type { AppContext, AppEnv } from './context.ts';

/** The origins of pages that may use the server: the configured ones and its own. */
export function allowedOrigins({
  allowedOrigins: configured,
  publicUrl,
}: Pick<Config, 'allowedOrigins' | 'publicUrl'>): Set<string> {
  return new Set([...configured, new URL(publicUrl).origin]);
}

/**
 * Lets allowed pages read the responses. No credentials: the client secret travels in a header, never in a cookie. A
 * preflight is answered by the session in its path: an origin of one session's merchant has no part in another's. Of a
 * refused origin the browser holds the request back; a page learns why by a request that needs no preflight, whose
 * refusal it may read.
 */
export function pageCors(
  origins: Set<string>,
  sessionOrigins: (sessionId: string) => Promise<readonly string[]>,
  warn: RefusedOrigins,
): MiddlewareHandler<AppEnv> {
  async function isAllowed(origin: string, path: string): Promise<boolean> {
    if (origins.has(origin)) return true;
    const [, sessionId] = /^\/v1\/sessions\/(ses_\w{24})(?:\/|$)/.exec(path) ?? [];
    return sessionId !== undefined && (await sessionOrigins(sessionId)).includes(origin);
  }
  return cors({
    origin: async (origin, c) => {
      if (!origin) return null;
      if (await isAllowed(origin, c.req.path)) return origin;
      if (c.req.method === 'OPTIONS') warn(c, origin);
      return null;
    },
    allowMethods: ['GET', 'POST'],
    allowHeaders: ['Authorization', 'Content-Type', 'X-Request-Id'],
    exposeHeaders: ['X-Request-Id', 'Retry-After'],
    // Two hours is the most that Chromium keeps.
    maxAge: 7200,
  });
}

/** Names a refused origin in the log, each once: the first mistake that a merchant makes. */
export type RefusedOrigins = (c: AppContext, origin: string) => void;

/** Enough for every site of a merchant; a script that invents origins must not fill the log. */
const MOST_ORIGINS_LOGGED = 100;

export function createRefusedOrigins(log: Logger): RefusedOrigins {
  const refused = new Set<string>();
  return (c, given) => {
    const origin = given.slice(0, 255);
    if (refused.has(origin) || refused.size >= MOST_ORIGINS_LOGGED) return;
    refused.add(origin);
    const fields = { request_id: c.get('requestId'), origin };
    log.warn(fields, 'origin refused: if the page is yours, add it to ALLOWED_ORIGINS');
  };
}

/** No id of ours or of a merchant has a control character; databases handle one differently. */
export function plainPath(): MiddlewareHandler<AppEnv> {
  return async function plainPath(c, next) {
    let path: string;
    try {
      path = decodeURIComponent(c.req.path);
    } catch {
      throw new ProblemError('not_found');
    }
    if (/\p{Cc}/u.test(path)) throw new ProblemError('not_found');
    await next();
  };
}

/**
 * A present Origin must be an allowed one. An absent one is a server or a same-origin GET, unless the browser's
 * Sec-Fetch-Site differs.
 * @throws ProblemError `origin_not_allowed`
 */
export function checkOrigin(c: AppContext, origins: Set<string>): void {
  const origin = c.req.header('Origin');
  if (origin === undefined ? c.req.header('Sec-Fetch-Site') === 'cross-site' : !origins.has(origin)) {
    throw new ProblemError('origin_not_allowed');
  }
}

/** How soon a caller asks again while work goes on: most of it is done by then. Seconds. */
const ASK_AFTER = 2;

/** For an answer that is not the last one. */
export function askAgain(c: AppContext): void {
  c.header('Retry-After', String(ASK_AFTER));
}

/** The one place where errors become responses. */
export function problemHandler(log: Logger, warn: RefusedOrigins): ErrorHandler<AppEnv> {
  return (error, c) => {
    const problem = toProblemError(c, error, log);
    const origin = c.req.header('Origin');
    if (problem.code === 'origin_not_allowed' && origin) warn(c, origin);
    return problemResponse(c, problem);
  };
}

export function problemResponse(c: AppContext, { code, status, extras }: ProblemError): Response | Promise<Response> {
  c.set('problemCode', code);
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' };
  if (extras.retryAfter !== undefined) headers['Retry-After'] = String(extras.retryAfter);
  if (extras.allow !== undefined) headers['Allow'] = extras.allow;
  if (extras.closes) headers['Connection'] = 'close';
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  // The refusal itself holds no data, and its page must be able to read why.
  const origin = c.req.header('Origin');
  if (code === 'origin_not_allowed' && origin) {
    headers['Access-Control-Allow-Origin'] = origin;
    headers['Vary'] = 'Origin';
  }
  const asPage = c.get('problemPage');
  if (asPage) {
    const { 'Content-Type': _, ...others } = headers;
    for (const [name, value] of Object.entries(others)) c.header(name, value);
    return asPage(code, status);
  }
  return c.body(JSON.stringify(toProblem(code, extras, c.get('requestId'))), status as 400, headers);
}

function toProblemError(c: AppContext, error: unknown, log: Logger): ProblemError {
  const requestId = c.get('requestId');
  if (error instanceof ProblemError) return error;
  if (error instanceof StorageUnavailableError) {
    log.error({ request_id: requestId, reason: error.reason }, 'storage is not available');
    // Long enough for a failover to end, short enough for a customer who waits.
    return new ProblemError('storage_unavailable', { retryAfter: 5 });
  }
  if (error instanceof UpstreamError) return upstreamProblem(error, log, requestId);
  if (error instanceof CutOff || isCutOff(c)) {
    c.set('isCutOff', true);
    const errors = [{ path: '', message: 'ended before it was whole' }];
    return new ProblemError('invalid_json', { detail: 'The connection ended within the body.', errors, closes: true });
  }
  log.error({ request_id: requestId, err: error }, 'unexpected error in a request');
  return new ProblemError('internal_error');
}

function upstreamProblem(error: UpstreamError, log: Logger, requestId: string): ProblemError {
  const { service, call, failure, code, details } = error;
  const isDefinite = failure !== 'busy' && failure !== 'lost';
  log[isDefinite ? 'error' : 'warn'](
    { request_id: requestId, service, call, failure, code, ...details },
    'upstream call failed',
  );
  // The customer has no part in these calls, so a refusal that is known is the merchant's; one that the provider adds
  // may be temporary.
  if (isDefinite && (service === 'finix' || isPublished(code))) return new ProblemError('provider_misconfigured');
  if (isBankDown(code)) return new ProblemError('bank_unavailable', { retryAfter: 600 });
  const retryAfter = Math.ceil(details.retryAfter ?? 2);
  return new ProblemError(service === 'plaid' ? 'plaid_unavailable' : 'finix_unavailable', { retryAfter });
}
