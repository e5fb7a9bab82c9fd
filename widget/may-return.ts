/** Where what the way back needs is written down (oauth-return.ts). */
export const AWAY_KEY = 'finix-bank-connect:away';
/** What a bank's page adds to the address that it comes back to. */
export const STATE_PARAMETER = 'oauth_state_id';

/** Whether this page may have been come back to, in the middle of Link; cheap, to be asked before anything is loaded. */
export function mayReturn(): boolean {
  try {
    return location.search.includes(STATE_PARAMETER) || sessionStorage.getItem(AWAY_KEY) !== null;
  } catch {
    return false;
  }
}
