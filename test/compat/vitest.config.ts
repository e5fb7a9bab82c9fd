import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import base, { env } from '../../vitest.config.ts';
import { testsOfAnyDatabase } from './any-database.ts';

/** `npm run test:compat`: tests of `npm test` once more, on ground that fewer stand on. */
const { projects: _, ...shared } = base.test ?? {};

export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    ...shared,
    projects: [
      {
        extends: true,
        test: {
          name: 'on PostgreSQL',
          env,
          include: testsOfAnyDatabase('test/server'),
          setupFiles: [join(import.meta.dirname, 'on-postgres.ts')],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'in an older browser',
          env,
          include: ['test/compat/**/*.test.ts'],
        },
      },
    ],
  },
});
