import { attempt, KEY_PREFIX } from '../session/tab-storage.ts';

/** What a bank's page adds to the address that it comes back to. */
export const STATE_PARAMETER = 'oauth_state_id';

/**
 * Whether this tab may have been here before: come back to in the middle of Link, or with a session that a reload
 * interrupted. Cheap, to be asked before anything is loaded; the controller then finds out whether it is so.
 */
export function mayReturn(): boolean {
  return !!attempt(
    () =>
      location.search.includes(STATE_PARAMETER) ||
      Object.keys(sessionStorage).some((key) => key.startsWith(KEY_PREFIX)),
  );
}
