import { onPostgres } from '../helpers/suites-on-postgres.ts';

/** Returned debits, over PostgreSQL. */
onPostgres({
  returns: () => import('./returns.test.ts?on-postgres'),
  'returns-later': () => import('./returns-later.test.ts?on-postgres'),
  'after-return': () => import('./after-return.test.ts?on-postgres'),
});
