import type { Config } from '../config.ts';
import type { AppContext } from './context.ts';

/** A year, as lists of browsers ask. */
const HSTS_SECONDS = 31_536_000;

/**
 * Headers that cost nothing and rule attacks out: answers are data, never a page to frame or a type to guess.
 * @returns sets them, and the request's id, on an answer
 */
export function safeHeaders(config: Pick<Config, 'publicUrl'>): (headers: Headers, requestId: string) => void {
  const always = Object.entries(headersOfAll(config));
  const defaults = Object.entries(DEFAULT_HEADERS);
  return (headers, requestId) => {
    headers.set('X-Request-Id', requestId);
    for (const [name, value] of always) headers.set(name, value);
    for (const [name, value] of defaults) if (!headers.has(name)) headers.set(name, value);
  };
}

/**
 * An answer that has its safe headers from the start, as plain values: for webhooks, which come by the thousand.
 * Setting each on an answer that is made takes longer than looking the event up.
 */
export function safeAnswers(config: Pick<Config, 'publicUrl'>): (c: AppContext, body: object) => Response {
  const safe = { ...headersOfAll(config), ...DEFAULT_HEADERS, 'Content-Type': 'application/json' };
  return (c, body) => {
    c.set('hasSafeHeaders', true);
    return new Response(JSON.stringify(body), { headers: { ...safe, 'X-Request-Id': c.get('requestId') } });
  };
}

function headersOfAll({ publicUrl }: Pick<Config, 'publicUrl'>): Record<string, string> {
  return {
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    // For this host alone: its siblings are the merchant's.
    ...(publicUrl.startsWith('https:') ? { 'Strict-Transport-Security': `max-age=${HSTS_SECONDS}` } : {}),
  };
}

/** Where a route sets none of its own. */
const DEFAULT_HEADERS = {
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  // Pages read answers with CORS, which this does not stop; it stops an answer from being drawn into a foreign process.
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
};
