import type { Scenario } from './scenario.ts';
import { CONNECT_SCENARIOS } from './scenarios-connect.ts';
import { KNOWN_SCENARIOS } from './scenarios-known.ts';
import { LATER_SCENARIOS } from './scenarios-later.ts';

/** The one table of scenarios. `demo` pages list it, Link's panes hint at it, and README.md repeats it. */
export const SCENARIOS: readonly Scenario[] = [...CONNECT_SCENARIOS, ...KNOWN_SCENARIOS, ...LATER_SCENARIOS];

export function findScenario(username: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.username === username);
}

/**
 * The password that always works, the one that asks for a code, and the code. `error_<CODE>` brings that error of
 * Plaid's.
 */
export const PASSWORDS = { good: 'pass_good', device: 'mfa_device', errorPrefix: 'error_' } as const;
export const MFA_CODE = '1234';

/** What Plaid's account filter lets through when `auth` is asked for. */
export const AUTH_SUBTYPES: readonly string[] = ['checking', 'savings', 'cash management'];
