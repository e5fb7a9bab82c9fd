import { afterAll, beforeAll, describe } from 'vitest';
import { openStorage } from '../../server/storage/open.ts';
import { patient } from './patience.mjs';
import { useDatabase } from './server.ts';
import { withPostgres } from './storages.ts';

/**
 * Runs the tests of other files over PostgreSQL, each server with a database of its own; the files themselves run over
 * SQLite.
 * @param files by name, each with the import that registers its tests
 */
export function onPostgres(files: Readonly<Record<string, () => Promise<unknown>>>): void {
  withPostgres('on PostgreSQL', (postgres) => {
    beforeAll(async () => {
      const open = (databaseUrl: string) => openStorage({ databaseUrl, dataDir: '/nonexistent' });
      // With its tables: to make them again for each test would take most of the time.
      const template = await postgres().createDatabase();
      await (await open(template)).close();
      useDatabase(async () => open(await postgres().createDatabase(template)));
    }, patient(60_000));
    afterAll(() => useDatabase(undefined));
    for (const [name, load] of Object.entries(files)) {
      // A suite of its own, because the file's hooks are for its tests only.
      describe(name, async () => {
        await load();
      });
    }
  });
}
