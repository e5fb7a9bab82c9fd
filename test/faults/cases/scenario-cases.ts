import type { FaultCase } from '../round.ts';
import { ASKS_FOR_BALANCE, ASKS_SIGNAL, BALANCES, CHECKS } from '../scenarios/check-scenarios.ts';
import { IDENTITY_IN_DOUBT, INSTRUMENT_IN_DOUBT } from '../scenarios/in-doubt-scenarios.ts';
import { LAGGING_LISTS } from '../scenarios/lagging-scenarios.ts';
import { LOGINS } from '../scenarios/login-scenarios.ts';
import { OWNERS } from '../scenarios/owner-scenarios.ts';
import { QUIET_PERIOD } from '../scenarios/quiet-period-scenarios.ts';
import { RETURNS } from '../scenarios/return-scenarios.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { WAITING } from '../scenarios/waiting-scenarios.ts';
import { WEBHOOK_SCENARIOS } from '../scenarios/webhook-scenarios.ts';
import { INSTANCE_TIMES, LATE_COMMIT_MS, slowly } from '../times.ts';

/**
 * The look at the end of the quiet period comes too early; one quiet period after the second create call, everything is
 * listed.
 */
const BEYOND_QUIET_MS = INSTANCE_TIMES.quietMs + slowly(2_000);
/** The look right after a lost answer comes too early; the sweep does not. */
const WITHIN_QUIET_MS = INSTANCE_TIMES.quietMs - slowly(1_000);
/**
 * Finix can't remove an identity: one is all there is only where the latest commit is listed within the quiet period
 * that counts from the call's sending. The other second is for a busy machine.
 */
const LISTED_IN_TIME_MS = INSTANCE_TIMES.quietMs - LATE_COMMIT_MS - slowly(1_000);

const INSTANCES = { sqlite: 2, postgres: 3 };

/** Customers who go through scenarios while webhooks arrive twice, late and in any order, at different instances. */
function scenarioCase(
  name: string,
  scenarios: readonly Scenario[],
  { full, short, atOnce, ...more }: { full: number; short: number; atOnce?: number } & Partial<FaultCase>,
): FaultCase {
  return {
    name,
    instances: INSTANCES,
    ...more,
    // Each scenario so often.
    sessions: { full: full * scenarios.length, short: short * scenarios.length },
    options: { webhooks: {}, ...more.options },
    run: (environment, sessions) => environment.live(sessions, scenarios, { atOnce }),
  };
}

export const scenarioCases: FaultCase[] = [
  scenarioCase('webhooks twice, late and out of order', WEBHOOK_SCENARIOS, {
    full: 6,
    short: 1,
    atOnce: 12,
    storesInShort: ['postgres'],
  }),
  scenarioCase('webhooks, and kill -9 after their 200', WEBHOOK_SCENARIOS, {
    full: 6,
    short: 0,
    atOnce: 12,
    options: { webhooks: { killsOneIn: 6 } },
  }),
  scenarioCase('owners that are required', OWNERS, { full: 2, short: 0, atOnce: 12 }),
  scenarioCase('returns twice, late and out of order', RETURNS, {
    full: 4,
    short: 1,
    atOnce: 12,
    storesInShort: ['postgres'],
  }),
  scenarioCase('returns, and kill -9 after their 200', RETURNS, {
    full: 4,
    short: 0,
    atOnce: 12,
    options: { webhooks: { killsOneIn: 6 } },
  }),
  scenarioCase('checks before a debit, and reports to Signal', CHECKS, {
    full: 1,
    short: 0,
    atOnce: 10,
    options: { settings: ASKS_SIGNAL },
    controls: ['no returns', 'no reports'],
  }),
  scenarioCase('checks before a debit, and kill -9 after webhooks', CHECKS, {
    full: 1,
    short: 0,
    atOnce: 10,
    options: { settings: ASKS_SIGNAL, webhooks: { killsOneIn: 6 } },
  }),
  scenarioCase('checks before a debit, by the balance', BALANCES, {
    full: 1,
    short: 0,
    atOnce: 10,
    options: { settings: ASKS_FOR_BALANCE },
  }),
  scenarioCase('lists that lag beyond the quiet period', LAGGING_LISTS, {
    full: 4,
    short: 1,
    storesInShort: ['sqlite'],
    options: { listLagMs: BEYOND_QUIET_MS },
    controls: ['no lists'],
  }),
  scenarioCase('ends while an instrument is in doubt', INSTRUMENT_IN_DOUBT, {
    full: 3,
    short: 1,
    storesInShort: ['sqlite'],
    options: { listLagMs: BEYOND_QUIET_MS },
    controls: ['no lists', 'earlier version'],
  }),
  scenarioCase('ends while an identity is in doubt', IDENTITY_IN_DOUBT, {
    full: 3,
    short: 0,
    options: { listLagMs: LISTED_IN_TIME_MS },
    controls: ['no lists'],
  }),
  scenarioCase('changes within the quiet period', QUIET_PERIOD, {
    full: 2,
    short: 1,
    storesInShort: ['sqlite'],
    options: { listLagMs: WITHIN_QUIET_MS },
    controls: ['no lists', 'earlier version'],
  }),
  scenarioCase('changes within the quiet period, and kill -9', QUIET_PERIOD, {
    full: 2,
    short: 0,
    atOnce: 12,
    options: { listLagMs: WITHIN_QUIET_MS, webhooks: { killsOneIn: 8 } },
  }),
  scenarioCase('logins that break again', LOGINS, {
    full: 3,
    short: 1,
    storesInShort: ['sqlite'],
    controls: ['no reads of the login', 'earlier version'],
  }),
  scenarioCase('a debit stops while other work waits', WAITING, {
    full: 3,
    short: 1,
    storesInShort: ['sqlite'],
    controls: ['no disabling', 'earlier version'],
  }),
];
