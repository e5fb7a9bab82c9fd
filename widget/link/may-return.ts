/** Every key of ours in `sessionStorage` begins with this. */
export const KEY_PREFIX = 'finix-bank-connect:';
/** Where what the way back needs is written down (oauth-return.ts). */
export const AWAY_KEY = `${KEY_PREFIX}away`;
/** What a bank's page adds to the address that it comes back to. */
export const STATE_PARAMETER = 'oauth_state_id';

/**
 * Whether this tab may have been here before: come back to in the middle of Link, or with a session that a reload interrupted. Cheap, to be asked
 * before anything is loaded; whether it is so, who was asked for will know.
 */
export function mayReturn(): boolean {
  try {
    return (
      location.search.includes(STATE_PARAMETER) || Object.keys(sessionStorage).some((key) => key.startsWith(KEY_PREFIX))
    );
  } catch {
    return false;
  }
}
