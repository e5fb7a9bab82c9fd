import { onPostgres } from '../helpers/suites-on-postgres.ts';

/** Links, their pages and the merchants of a platform, over PostgreSQL. */
onPostgres({
  links: () => import('./links.test.ts?on-postgres'),
  'link-page': () => import('./link-page.test.ts?on-postgres'),
  'repair-links': () => import('./repair-links.test.ts?on-postgres'),
  platforms: () => import('./platforms.test.ts?on-postgres'),
  'office-page': () => import('./office-page.test.ts?on-postgres'),
  'native-apps': () => import('./native-apps.test.ts?on-postgres'),
});
