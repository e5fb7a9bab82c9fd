/**
 * For each test file of the project that has this as a setup file: its servers have a database without rows in
 * PostgreSQL, each its own, in place of an embedded one.
 */
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { openStorage, type Storage } from '../../server/storage/open.ts';
import type { TestPostgres } from '../helpers/postgres.ts';
import { useDatabase } from '../helpers/server.ts';
import { borrowPostgres, migratedOn } from '../helpers/storages.ts';

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

const databases = new Databases(borrowPostgres());
beforeAll(() => useDatabase(() => databases.open()));
afterAll(async () => {
  useDatabase(undefined);
  await databases.leave();
});
