import type { ElementErrorCode, FlowError } from './errors.ts';

/** What the merchant reads on the console, in addition to what the customer reads in the page. */
const NAME = 'finix-bank-connect:';

const COVERED = `${NAME} a dialog or popover of the page is in front of Plaid Link. Close it in a listener of "fbc-open", or allow Hosted Link on the server.`;

/** Empty where the page has a backend of its own. */
const ADDRESS = /^(https?:|[/.]|$)/i;

/** What to do about an error that no customer can do anything about. */
const REMEDIES: Partial<Record<ElementErrorCode, (endpoint: string) => string>> = {
  origin_not_allowed: () => `add ${location.origin} to ALLOWED_ORIGINS of the server`,
  endpoint_missing: () => 'set the attribute "endpoint" to the address of the server',
  public_sessions_off: () => 'set "client-secret" or fetchClientSecret, or PUBLIC_SESSIONS=on on the server',
  network_failed: (endpoint) =>
    ADDRESS.test(endpoint)
      ? 'the server could not be reached: check the address, and that a Content-Security-Policy allows it in connect-src'
      : `endpoint="${endpoint}" is not valid. Use an address with https:// or http://, or a path of this page’s own server with /`,
  script_blocked: () => 'Plaid Link was stopped by a content blocker, or by script-src or frame-src of a policy',
};

/**
 * Errors that the page's console should not be silent about: what the merchant must do, and what has no other trace.
 * @param endpoint of the server, which has the documents of its own release
 */
export function explain({ code, action, requestId, reason }: FlowError, endpoint = ''): void {
  const isForeign = reason === 'not_ours' && ADDRESS.test(endpoint);
  const remedy = isForeign
    ? `${endpoint || 'the server'} answered, but not as the connect server does: check "endpoint"`
    : REMEDIES[reason === 'not_ours' ? 'network_failed' : code]?.(endpoint);
  if (!remedy && action !== 'contact_merchant') return;
  const request = requestId ? ` (request ${requestId})` : '';
  // Where it has answered, the server has the page as well.
  const isThere = reason !== 'not_ours' && code !== 'network_failed' && /^https?:/i.test(endpoint);
  const page = isThere ? `${endpoint.replace(/\/+$/, '')}/docs/errors.html` : 'docs/errors.md';
  console.error(`${NAME} ${code}${request}${remedy ? `: ${remedy}` : ''}. See ${page}#by-symptom`);
}

export function warnCovered(): void {
  console.warn(COVERED);
}
