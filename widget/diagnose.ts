import type { ElementErrorCode, FlowError } from './errors.ts';

/** What the merchant reads on the console, in addition to what the customer reads in the page. */
const NAME = 'finix-bank-connect:';

const COVERED = `${NAME} a dialog or popover of the page is in front of Plaid Link. Close it in a listener of "fbc-open", or allow Hosted Link on the server.`;

/** What to do about an error that no customer can do anything about. */
const REMEDIES: Partial<Record<ElementErrorCode, () => string>> = {
  origin_not_allowed: () => `add ${location.origin} to ALLOWED_ORIGINS of the server`,
  endpoint_missing: () => 'set the attribute "endpoint" to the address of the server',
  public_sessions_off: () => 'set "client-secret" or fetchClientSecret, or PUBLIC_SESSIONS=on on the server',
  network_failed: () =>
    `the server could not be reached: check the address, and that a Content-Security-Policy allows it in connect-src`,
  script_blocked: () => 'Plaid Link was stopped by a content blocker, or by script-src or frame-src of a policy',
};

/**
 * Errors that the page's console should not be silent about: what the merchant must do, and what has no other trace.
 */
export function explain({ code, action, requestId }: FlowError): void {
  const remedy = REMEDIES[code]?.();
  if (!remedy && action !== 'contact_merchant') return;
  const request = requestId ? ` (request ${requestId})` : '';
  console.error(`${NAME} ${code}${request}${remedy ? `: ${remedy}` : ''}. See docs/errors.md#by-symptom`);
}

export function warnCovered(): void {
  console.warn(COVERED);
}
