import { onPostgres } from '../helpers/suites-on-postgres.ts';

/** How an account was verified, whose it is, checks before a debit, and proof, over PostgreSQL. */
onPostgres({
  ownership: () => import('./ownership.test.ts?on-postgres'),
  'ownership-accounts': () => import('./ownership-accounts.test.ts?on-postgres'),
  consent: () => import('./consent.test.ts?on-postgres'),
  'repair-facts': () => import('./repair-facts.test.ts?on-postgres'),
  'changed-bank': () => import('./changed-bank.test.ts?on-postgres'),
  checks: () => import('./checks.test.ts?on-postgres'),
  'checks-balance': () => import('./checks-balance.test.ts?on-postgres'),
  'checks-signal': () => import('./checks-signal.test.ts?on-postgres'),
  'signal-preparation': () => import('./signal-preparation.test.ts?on-postgres'),
  evidence: () => import('./evidence.test.ts?on-postgres'),
});
