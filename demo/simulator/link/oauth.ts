import type { SimulatedLinkToken } from '../state.ts';

/** The query parameter that a bank's page comes back with. */
export const STATE_PARAMETER = 'oauth_state_id';

/**
 * Browsers inside other apps, which cannot open windows. Plaid documents `; wv)`; the others are those of the largest
 * apps.
 */
const WEBVIEW = /; wv\)|\bFBA[NV]\/|\bInstagram\b|\bLine\//;

export const isWebviewAgent = (userAgent: string | undefined): boolean => WEBVIEW.test(userAgent ?? '');

/** Where the bank's page goes when the customer is done there; null: it is a window, and closes. */
export function returnAddress(token: SimulatedLinkToken, stateId: string): string | null {
  const target = token.hosted ? `/link/hosted/${token.hosted.id}` : token.redirect_uri;
  return target && `${target}?${STATE_PARAMETER}=${stateId}`;
}

/**
 * The state in the address that a page came back to, which must be exactly the one that the bank went to.
 * @returns undefined for anything else
 */
export function stateIn(receivedRedirectUri: string, token: SimulatedLinkToken): string | undefined {
  if (!URL.canParse(receivedRedirectUri)) return undefined;
  const { origin, pathname, searchParams, hash } = new URL(receivedRedirectUri);
  const hasOnlyState = [...searchParams.keys()].join() === STATE_PARAMETER && hash === '';
  const isTarget = token.hosted ? pathname.endsWith(token.hosted.id) : isSame(token.redirect_uri, origin + pathname);
  return hasOnlyState && isTarget ? (searchParams.get(STATE_PARAMETER) ?? undefined) : undefined;
}

function isSame(redirectUri: string | null, address: string): boolean {
  if (redirectUri === null) return false;
  const { origin, pathname } = new URL(redirectUri);
  return origin + pathname === address;
}
