import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { isUniqueViolation, StorageUnavailableError } from '../../../server/storage/errors.ts';
import type { Database } from '../../../server/storage/tables.ts';
import { patient } from '../../helpers/patience.mjs';
import { forEachStorage } from '../../helpers/storages.ts';
import { rows } from './rows.ts';
import { ended, prepareChild, type StartChild } from './run-child.ts';

let startChild: StartChild;
beforeAll(async () => {
  startChild = await prepareChild();
}, patient(60_000));

forEachStorage((_name, kind) => {
  test.each(Object.keys(rows) as (keyof Database)[])('a row of %s comes back as it was stored', async (table) => {
    const { db } = await kind.open();
    await db.insertInto(table).values(rows[table]).execute();
    expect(await db.selectFrom(table).selectAll().execute()).toStrictEqual([rows[table]]);
  });

  test('counts and sums are numbers', async () => {
    const { db } = await kind.open();
    await db.insertInto('rate_limits').values(rows.rate_limits).execute();
    const { count, sum } = await db
      .selectFrom('rate_limits')
      .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number>('window_start').as('sum')])
      .executeTakeFirstOrThrow();
    expect([count, sum]).toStrictEqual([1, rows.rate_limits.window_start]);
  });

  test('an update returns how many rows it changed', async () => {
    const { db } = await kind.open();
    await db.insertInto('items').values(rows.items).execute();
    const claim = () =>
      db.updateTable('items').set({ status: 'removed' }).where('status', '=', 'linked').executeTakeFirst();
    expect((await claim()).numUpdatedRows).toBe(1n);
    expect((await claim()).numUpdatedRows).toBe(0n);
  });

  describe('transactions', () => {
    test('twenty transactions at once that read and then write lose no update', async () => {
      const storage = await kind.open();
      await storage.db
        .insertInto('rate_limits')
        .values({ ...rows.rate_limits, hits: 0 })
        .execute();
      const increment = () =>
        storage.transaction('customer:1', async (trx) => {
          const { hits } = await trx.selectFrom('rate_limits').select('hits').executeTakeFirstOrThrow();
          await trx
            .updateTable('rate_limits')
            .set({ hits: hits + 1 })
            .execute();
        });
      await Promise.all(Array.from({ length: 20 }, increment));
      expect(await storage.db.selectFrom('rate_limits').select('hits').executeTakeFirst()).toStrictEqual({ hits: 20 });
    });

    test('of twenty transactions at once that add what is missing, one adds it', async () => {
      const storage = await kind.open();
      const addIfMissing = () =>
        storage.transaction('customer:1', async (trx) => {
          const found = await trx.selectFrom('customers').select('customer_id').executeTakeFirst();
          if (!found) await trx.insertInto('customers').values(rows.customers).execute();
          return found === undefined;
        });
      const added = await Promise.all(Array.from({ length: 20 }, addIfMissing));
      expect(added.filter(Boolean)).toHaveLength(1);
    });

    test('three processes that start together on an empty database and count up lose no update', async () => {
      const database = await kind.database();
      const children = [1, 2, 3].map(() => startChild('increment', database.options, 50));
      expect(await Promise.all(children.map(ended))).toEqual([0, 0, 0]);
      const { db } = await database.open();
      expect(await db.selectFrom('rate_limits').select('hits').executeTakeFirst()).toStrictEqual({ hits: 150 });
    });

    test('a transaction that throws leaves nothing behind', async () => {
      const storage = await kind.open();
      const failing = storage.transaction('customer:1', async (trx) => {
        await trx.insertInto('meta').values(rows.meta).execute();
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      expect(await storage.db.selectFrom('meta').selectAll().execute()).toEqual([]);
    });

    test('a transaction that swallows the error of a statement is not committed', async () => {
      const storage = await kind.open();
      const swallowing = storage.transaction('customer:1', async (trx) => {
        await trx.insertInto('meta').values(rows.meta).execute();
        await trx
          .insertInto('meta')
          .values(rows.meta)
          .execute()
          .catch(() => {});
      });
      await expect(swallowing).rejects.toThrow('nothing of it is kept');
      expect(await storage.db.selectFrom('meta').selectAll().execute()).toEqual([]);
    });

    test('a query past an open transaction is refused, and does not wait for itself', async () => {
      const storage = await kind.open();
      await expect(storage.transaction('customer:1', () => storage.ping())).rejects.toThrow('Use trx');
      await expect(
        storage.transaction('customer:1', () => storage.transaction('customer:1', async () => {})),
      ).rejects.toThrow('Use trx');
      await storage.ping();
    });
  });

  test('a broken unique key is recognized, and other errors are not', async () => {
    const { db } = await kind.open();
    const error = (query: Promise<unknown>) =>
      query.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    await db.insertInto('items').values(rows.items).execute();
    expect(isUniqueViolation(await error(db.insertInto('items').values(rows.items).execute()))).toBe(true);
    expect(
      isUniqueViolation(
        await error(
          db
            .insertInto('items')
            .values({ ...rows.items, id: 'itm_2' })
            .execute(),
        ),
      ),
    ).toBe(true);
    const unnamed = { ...rows.meta, value: null as unknown as string };
    expect(isUniqueViolation(await error(db.insertInto('meta').values(unnamed).execute()))).toBe(false);
    expect(isUniqueViolation(new StorageUnavailableError('closed'))).toBe(false);
  });

  test('every row that a writer acknowledged is there after the writer is killed', async () => {
    const database = await kind.database();
    const writer = startChild('append', database.options);
    let acknowledged = '';
    for await (const chunk of writer.stdout ?? []) {
      acknowledged += String(chunk);
      if (acknowledged.split('\n').length > 100) writer.kill('SIGKILL');
    }
    if (writer.signalCode === null) await once(writer, 'exit');
    expect(writer.signalCode).toBe('SIGKILL');
    const names = acknowledged.split('\n').slice(0, -1);
    expect(names.length).toBeGreaterThan(99);
    const { db } = await database.open();
    const stored = new Set((await db.selectFrom('meta').select('key').execute()).map((row) => row.key));
    expect(names.filter((name) => !stored.has(name))).toEqual([]);
  });

  test('a closed storage reports that it is not available', async () => {
    const storage = await kind.open();
    const running = storage.transaction('customer:1', async (trx) => {
      await trx.insertInto('meta').values(rows.meta).execute();
      return 'committed';
    });
    const closing = storage.close();
    expect(await running).toBe('committed');
    await closing;
    await expect(storage.ping()).rejects.toThrow(StorageUnavailableError);
    await expect(storage.transaction('customer:1', async () => {})).rejects.toThrow(StorageUnavailableError);
    await storage.close();
  });

  test('the clock runs in milliseconds', async () => {
    const storage = await kind.open();
    const before = Date.now();
    const now = await storage.now();
    const after = Date.now();
    expect(Number.isInteger(now)).toBe(true);
    // One machine, one clock: only rounding and the round trip lie between.
    expect(now).toBeGreaterThan(before - 1_000);
    expect(now).toBeLessThan(after + 1_000);
  });
});
