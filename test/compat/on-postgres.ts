import pg from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
import { openStorage, type Storage } from '../../server/storage/open.ts';
import type { TestPostgres } from './postgres.ts';
import { useDatabase } from './server.ts';
import { migratedOn, withPostgres } from './storages.ts';

/**
 * Runs the tests of other files over PostgreSQL, each server with a database without rows to itself; the files
 * themselves run over SQLite.
 * @param files by name, each with the import that registers its tests: of `…?on-postgres`, a module of its own, because
 *   one that was imported before in the same process registers nothing
 */
export function onPostgres(files: Readonly<Record<string, () => Promise<unknown>>>): void {
  withPostgres('on PostgreSQL', (postgres) => {
    const databases = new Databases(postgres);
    beforeAll(() => useDatabase(() => databases.open()));
    afterAll(async () => {
      useDatabase(undefined);
      await databases.leave();
    });
    for (const [name, load] of Object.entries(files)) {
      // A suite of its own, because the file's hooks are for its tests only.
      describe(name, async () => {
        await load();
      });
    }
  });
}

/** Databases that are emptied and given again: to make one takes longer than most tests. */
class Databases {
  readonly #free: { url: string; client: pg.Client }[] = [];

  constructor(private readonly postgres: () => TestPostgres) {}

  async open(): Promise<Storage> {
    const database = this.#free.pop() ?? (await this.#make());
    const storage = await openStorage({ databaseUrl: database.url, dataDir: '/nonexistent' });
    let closing: Promise<void> | undefined;
    const close = async () => {
      await storage.close();
      // After the last connection of the test has ended, so that nothing of it is written any more.
      await database.client.query(EMPTY);
      this.#free.push(database);
    };
    // Once, or two tests would be given the same.
    return { ...storage, close: () => (closing ??= close()) };
  }

  async leave(): Promise<void> {
    for (const { client } of this.#free) await client.end();
  }

  async #make(): Promise<{ url: string; client: pg.Client }> {
    const url = await migratedOn(this.postgres());
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return { url, client };
  }
}

/** Only what has rows, because to truncate all tables takes twice as long. */
const EMPTY = `do $$
  declare
    name text;
    has_rows boolean;
  begin
    for name in select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations' loop
      execute format('select exists (select from %I)', name) into has_rows;
      if has_rows then execute format('truncate %I', name); end if;
    end loop;
  end $$`;
