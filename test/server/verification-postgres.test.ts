import { onPostgres } from '../helpers/suites-on-postgres.ts';

/** How an account was verified, whose it is, checks before a debit, and proof, over PostgreSQL. */
onPostgres({
  ownership: () => import('./ownership.test.ts'),
  'ownership-accounts': () => import('./ownership-accounts.test.ts'),
  consent: () => import('./consent.test.ts'),
  'repair-facts': () => import('./repair-facts.test.ts'),
  'changed-bank': () => import('./changed-bank.test.ts'),
  checks: () => import('./checks.test.ts'),
  'checks-balance': () => import('./checks-balance.test.ts'),
  'checks-signal': () => import('./checks-signal.test.ts'),
  'signal-preparation': () => import('./signal-preparation.test.ts'),
  evidence: () => import('./evidence.test.ts'),
});
