import { getConnInfo } from '@hono/node-server/conninfo';
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Config } from '../config.ts';
import { addressMatcher, parseAddress } from '../hosts.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { AppContext, AppEnv } from './context.ts';
import { safeHeaders } from './safe-headers.ts';

type Deps = { config: Pick<Config, 'publicUrl' | 'trustedProxies'>; log: Logger; metrics: Metrics };

/**
 * What every request has, of known routes and of unknown ones: an id, its caller's address, safe headers, and a line in
 * the log. One middleware, because each costs as much as what these do.
 */
export function everyRequest({ config, log, metrics }: Deps): MiddlewareHandler<AppEnv> {
  const addressOf = clientAddress(config.trustedProxies, log);
  const setSafeHeaders = safeHeaders(config);
  const note = accessLog(log, metrics);
  return async function everyRequest(c, next) {
    const started = performance.now();
    const id = requestIdOf(c);
    c.set('requestId', id);
    c.set('ip', addressOf(c));
    await next();
    if (!c.get('hasSafeHeaders')) setSafeHeaders(c.res.headers, id);
    note(c, started);
  };
}

/** The id alone, for an app of its own. */
export function requestId(): MiddlewareHandler<AppEnv> {
  return async function requestId(c, next) {
    const id = requestIdOf(c);
    c.set('requestId', id);
    c.header('X-Request-Id', id);
    await next();
  };
}

/** The caller's own when it is harmless. */
function requestIdOf(c: AppContext): string {
  const given = c.req.header('X-Request-Id');
  return given && /^[\w.-]{8,64}$/.test(given) ? given : newId('req');
}

/**
 * The caller's address: the connection's, or behind trusted proxies the last one that they did not write themselves.
 * What is no address is ignored: it would be a rate limit of its own, and evidence in a consent record.
 */
function clientAddress(trustedProxies: string[], log: Logger): (c: AppContext) => string | null {
  const isTrusted = addressMatcher(trustedProxies);
  let isWarned = false;
  // Connections are kept, and a proxy's requests all come from its own address.
  let last: { given: string; parsed: string | null } | undefined;
  const spelled = (given: string) => {
    if (last?.given !== given) last = { given, parsed: parseAddress(given) ?? null };
    return last.parsed;
  };
  return (c) => {
    let address = connectionAddress(c);
    const header = c.req.header('X-Forwarded-For');
    const forwarded = header === undefined ? [] : header.split(',').flatMap((part) => part.trim() || []);
    if (forwarded.length > 0 && address !== null && !isTrusted(address) && !isWarned) {
      isWarned = true;
      log.warn(
        { proxy: address },
        'X-Forwarded-For from an address that TRUSTED_PROXIES does not name: all customers behind it share one rate limit',
      );
    }
    while (address !== null && forwarded.length > 0 && isTrusted(address)) {
      const written = parseAddress(forwarded.pop() ?? '');
      if (written === undefined) break;
      address = written;
    }
    return address === null ? null : spelled(address);
  };
}

function connectionAddress(c: AppContext): string | null {
  try {
    return getConnInfo(c).remote.address ?? null;
  } catch {
    // Called without a socket, as by app.request in tests.
    return null;
  }
}

/** One line for each request: never a query, a body or a header. */
function accessLog(log: Logger, metrics: Metrics): (c: AppContext, started: number) => void {
  return (c, started) => {
    const ms = Math.round(performance.now() - started);
    const { status } = c.res;
    // The pattern and not the path: ids would make a series each.
    metrics.request(c.req.method, routePath(c, -1), status, ms / 1000);
    // Phones lose their network: nothing that an operator could do about it.
    const level = c.get('isCutOff') || c.get('isQuiet') ? 'debug' : status >= 500 ? 'warn' : 'info';
    if (!log.isLevelEnabled(level)) return;
    const fields = {
      request_id: c.get('requestId'),
      method: c.req.method,
      path: loggedPath(c),
      status,
      // Requests with the same status fail for different reasons.
      ...(c.get('problemCode') ? { code: c.get('problemCode') } : {}),
      ms,
    };
    log[level](fields, 'request');
  };
}

/**
 * Our own ids help support. A link's address is a credential, and a customer's id, which may be an e-mail address, must
 * not outlive its erasure in a log. By the path and not by the route: also where a proxy has left its own prefix, and
 * where no route matches.
 */
function loggedPath({ req }: AppContext): string {
  return req.path.replace(LINK_TOKEN, '$1:token').replace(CUSTOMER_ID, '$1:customer_id');
}

const LINK_TOKEN = /(\/c\/+)(?!done\/?$)[^/]+/gi;
const CUSTOMER_ID = /(\/customers\/+)[^/]+/gi;
