import type { Kysely } from 'kysely';
import { expect, test, vi } from 'vitest';
import { SchemaTooNewError, StorageSetupError } from '../../../server/storage/errors.ts';
import { type Migration, migrate, migrations } from '../../../server/storage/migrate.ts';
import type { Storage } from '../../../server/storage/open.ts';
import { Gate } from '../../helpers/gate.ts';
import { patient } from '../../helpers/patience.mjs';
import { forEachStorage } from '../../helpers/storages.ts';
import { rows } from './rows.ts';

const second: Migration = {
  name: '9999-test',
  up: async (db) => {
    await db.schema.alterTable('meta').addColumn('note', 'text').execute();
  },
};
const broken: Migration = {
  name: '0003-broken',
  up: async (db) => {
    await db.schema.createTable('half_made').addColumn('id', 'text').execute();
    throw new Error('stopped in the middle');
  },
};

forEachStorage((name, kind) => {
  test('eight instances that start together on an empty database migrate it once', async () => {
    const database = await kind.database();
    const storages = await Promise.all(Array.from({ length: 8 }, () => database.open()));
    for (const storage of storages) await storage.ping();
    expect(await applied(storages[0] as Storage)).toEqual(migrations.map((migration) => migration.name));
  });

  test('a database with rows gets only what it lacks', async () => {
    const storage = await kind.open();
    await storage.db.insertInto('meta').values(rows.meta).execute();
    await migrate(storage.db, storage.dialect, [...migrations, second]);
    await migrate(storage.db, storage.dialect, [...migrations, second]);
    expect(await storage.db.selectFrom('meta').selectAll().execute()).toEqual([{ ...rows.meta, note: null }]);
    expect(await applied(storage)).toEqual([...migrations.map((migration) => migration.name), second.name]);
  });

  test('a migration that fails is taken back whole, and those before it stay', async () => {
    const storage = await kind.open();
    const run = migrate(storage.db, storage.dialect, [...migrations, second, broken]);
    await expect(run).rejects.toThrow('stopped in the middle');
    expect(await applied(storage)).toEqual([...migrations.map((migration) => migration.name), second.name]);
    const tables = await storage.db.introspection.getTables();
    expect(tables.map((table) => table.name)).not.toContain('half_made');
    await migrate(storage.db, storage.dialect, [...migrations, second]);
  });

  test.runIf(name === 'postgres')(
    'a migration waits for a table that a server is using, and is tried again',
    async () => {
      const database = await kind.database();
      const [serving, upgrading] = [await database.open(), await database.open()];
      const inUse = new Gate();
      const released = new Gate();
      const working = serving.transaction('keys', async (trx) => {
        await trx.selectFrom('meta').select('key').execute();
        inUse.open();
        await released.passed;
      });
      await inUse.passed;
      let tries = 0;
      const counted: Migration = {
        name: second.name,
        up(db) {
          tries += 1;
          return second.up(db);
        },
      };
      const run = migrate(upgrading.db, upgrading.dialect, [...migrations, counted], 50);
      // The second one begins when the first has been given up.
      await vi.waitUntil(() => tries >= 2, { timeout: patient(20_000), interval: 5 }).finally(() => released.open());
      await working;
      await run;
      expect(await applied(upgrading)).toContain(second.name);
    },
  );

  test('a database that a newer version wrote is refused with a way forward', async () => {
    const database = await kind.database();
    const newer = await database.open();
    await migrate(newer.db, newer.dialect, [...migrations, second]);
    const opening = database.open();
    await expect(opening).rejects.toThrow(SchemaTooNewError);
    await expect(opening).rejects.toThrow(StorageSetupError);
    await expect(opening).rejects.toThrow(/9999-test.*Start the newer version/);
  });
});

async function applied({ db }: Storage): Promise<string[]> {
  const all = db as unknown as Kysely<{ schema_migrations: { name: string } }>;
  return (await all.selectFrom('schema_migrations').select('name').orderBy('name').execute()).map((row) => row.name);
}
