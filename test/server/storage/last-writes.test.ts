import { describe, expect, test, vi } from 'vitest';
import { writeLast } from '../../../server/storage/last-writes.ts';
import type { Storage } from '../../../server/storage/open.ts';
import { forEachStorage, migratedOn, withPostgres } from '../../helpers/storages.ts';
import { countWork } from '../../helpers/work-counter.ts';

const keys = async ({ db }: Storage) =>
  (await db.selectFrom('meta').select('key').where('key', 'like', 'last-%').orderBy('key').execute()).map(
    ({ key }) => key,
  );

/** A row that the test knows again. */
const row = (name: string) => ({ key: `last-${name}`, value: name });

forEachStorage((_name, kind) => {
  describe('a write that is left for the end of its transaction', () => {
    test('is committed with it, after what runs at once', async () => {
      const storage = await kind.open();
      const seen = await storage.transaction('keys', async (trx) => {
        await writeLast(trx, trx.insertInto('meta').values(row('a')));
        await trx.insertInto('meta').values(row('b')).execute();
        await writeLast(trx, trx.updateTable('meta').set({ value: 'changed' }).where('key', '=', 'last-b'));
        return trx.selectFrom('meta').select('key').where('key', 'like', 'last-%').execute();
      });
      expect(seen).toEqual([{ key: 'last-b' }]);
      expect(await keys(storage)).toEqual(['last-a', 'last-b']);
      const changed = await storage.db.selectFrom('meta').select('value').where('key', '=', 'last-b').execute();
      expect(changed).toEqual([{ value: 'changed' }]);
    });

    test('is not made when the transaction fails', async () => {
      const storage = await kind.open();
      const failing = storage.transaction('keys', async (trx) => {
        await writeLast(trx, trx.insertInto('meta').values(row('a')));
        throw new Error('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
      expect(await keys(storage)).toEqual([]);
    });

    test.each(['keys', 'rows'] as const)('takes everything with it when it is refused (%s)', async (scope) => {
      const storage = await kind.open();
      await storage.db.insertInto('meta').values(row('taken')).execute();
      const refused = storage.transaction(scope, async (trx) => {
        if (scope === 'keys') await trx.insertInto('meta').values(row('at-once')).execute();
        await writeLast(trx, trx.insertInto('meta').values(row('a')));
        await writeLast(trx, trx.insertInto('meta').values(row('taken')));
        await writeLast(trx, trx.insertInto('meta').values(row('b')));
      });
      await expect(refused).rejects.toThrow();
      expect(await keys(storage)).toEqual(['last-taken']);
      // The connection is in order for the next one.
      await storage.transaction(scope, (trx) => writeLast(trx, trx.insertInto('meta').values(row('next'))));
      expect(await keys(storage)).toEqual(['last-next', 'last-taken']);
    });

    test('runs at once where nothing waits for the end, as with plugins', async () => {
      const storage = await kind.open();
      await writeLast(storage.db as never, storage.db.insertInto('meta').values(row('a')));
      expect(await keys(storage)).toEqual(['last-a']);
    });
  });
});

withPostgres('on PostgreSQL', (server) => {
  test('a transaction of last writes alone is one statement', async () => {
    const { openStorage } = await import('../../../server/storage/open.ts');
    const storage = await openStorage({ databaseUrl: await migratedOn(server()), dataDir: '/nonexistent' });
    const work = countWork('postgres');
    await storage.transaction('rows', async (trx) => {
      await writeLast(trx, trx.insertInto('meta').values(row('a')));
      await writeLast(trx, trx.insertInto('meta').values(row('b')));
    });
    const { texts, ...counts } = { ...work };
    vi.restoreAllMocks();
    expect(counts).toEqual({ commits: 1, statements: 1, roundTrips: 1 });
    expect(texts[0]).toMatch(/^with "write_0" as \(insert/);
    expect(await keys(storage)).toEqual(['last-a', 'last-b']);
    await storage.close();
  });

  test('what begins a transaction goes with its first statement, and the commit with the last', async () => {
    const { openStorage } = await import('../../../server/storage/open.ts');
    const storage = await openStorage({ databaseUrl: await migratedOn(server()), dataDir: '/nonexistent' });
    const work = countWork('postgres');
    await storage.transaction('customer:1', (trx) => trx.selectFrom('meta').selectAll().execute());
    const reading = [work.roundTrips, work.statements];
    await storage.transaction('customer:1', async (trx) => {
      await trx.selectFrom('meta').selectAll().where('key', '=', 'none').execute();
      await writeLast(trx, trx.insertInto('meta').values(row('a')));
    });
    const { roundTrips, statements, commits } = { ...work };
    vi.restoreAllMocks();
    // Beginning, lock and statement; commit.
    expect(reading).toEqual([2, 4]);
    expect([roundTrips, statements, commits]).toEqual([4, 9, 1]);
    expect(await keys(storage)).toEqual(['last-a']);
    await storage.close();
  });
});
