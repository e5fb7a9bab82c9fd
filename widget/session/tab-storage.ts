/** Every key of this package in `sessionStorage` begins with this. */
export const KEY_PREFIX = 'finix-bank-connect:';

/** Storage may be forbidden (sandboxed frames, settings of the browser) or full; everything works without it. */
export function attempt<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}
