import { onPostgres } from '../helpers/suites-on-postgres.ts';

/** Returned debits, over PostgreSQL. */
onPostgres({
  returns: () => import('./returns.test.ts'),
  'returns-later': () => import('./returns-later.test.ts'),
  'after-return': () => import('./after-return.test.ts'),
});
