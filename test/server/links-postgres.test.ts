import { onPostgres } from '../helpers/suites-on-postgres.ts';

/** Links, their pages and the merchants of a platform, over PostgreSQL. */
onPostgres({
  links: () => import('./links.test.ts'),
  'link-page': () => import('./link-page.test.ts'),
  'repair-links': () => import('./repair-links.test.ts'),
  platforms: () => import('./platforms.test.ts'),
  'office-page': () => import('./office-page.test.ts'),
  'native-apps': () => import('./native-apps.test.ts'),
});
