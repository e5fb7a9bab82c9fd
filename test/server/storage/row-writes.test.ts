import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { PROVIDER_CALL_COLUMNS } from '../../../server/records/provider-calls.ts';
import { insertMany } from '../../../server/storage/insert-many.ts';
import { writeLast } from '../../../server/storage/last-writes.ts';
import { insertRow, insertRows, updateRow } from '../../../server/storage/row-writes.ts';
import type { ProviderCallTable } from '../../../server/storage/tables.ts';
import { forEachStorage } from '../../helpers/storages.ts';

const values = ({ db }: Parameters<typeof insertMany>[0]) =>
  db.selectFrom('meta').select(['key', 'value']).where('key', 'like', 'row-%').orderBy('key').execute();

forEachStorage((_name, kind) => {
  describe('a write of a single row', () => {
    test('inserts values with any content as they are', async () => {
      const storage = await kind.open();
      const value = `'; drop table meta; -- " ? $1 \u{1F3E6}`;
      await insertRow('meta', { key: 'row-a', value }).execute(storage.db);
      await insertRow('meta', { value: 'other', key: 'row-b' }).execute(storage.db);
      expect(await values(storage)).toEqual([
        { key: 'row-a', value },
        { key: 'row-b', value: 'other' },
      ]);
    });

    test('leaves out columns that are undefined, and writes null', async () => {
      const storage = await kind.open();
      const audit = { id: 'aud_1', at: 1, actor: 'job', action: 'x', session_id: null, details: '{}' } as const;
      await insertRow('audit', { ...audit, connection_id: undefined, link_id: undefined } as never).execute(storage.db);
      const found = await storage.db.selectFrom('audit').selectAll().where('id', '=', 'aud_1').executeTakeFirst();
      expect(found).toMatchObject({ ...audit, connection_id: null, link_id: null, ip: null });
    });

    test('updates the rows that fit, and no other', async () => {
      const storage = await kind.open();
      for (const key of ['row-a', 'row-b']) await insertRow('meta', { key, value: 'old' }).execute(storage.db);
      const write = updateRow('meta', { key: 'row-a', value: 'old' }, { value: 'new' });
      const { rows } = await sql`${write} returning value`.execute(storage.db);
      expect(rows).toEqual([{ value: 'new' }]);
      const again = await sql`${write} returning value`.execute(storage.db);
      expect(again.rows).toEqual([]);
      expect(await values(storage)).toEqual([
        { key: 'row-a', value: 'new' },
        { key: 'row-b', value: 'old' },
      ]);
    });

    test('inserts one row, or a few of the same columns, in one statement', async () => {
      const storage = await kind.open();
      for (const keys of [['row-a'], ['row-b', 'row-c', 'row-d'], ['row-e', 'row-f', 'row-g']]) {
        const rows = keys.map((key) => ({ key, value: `of ${key}` }));
        await insertRows('meta', rows).execute(storage.db);
      }
      const all = ['row-a', 'row-b', 'row-c', 'row-d', 'row-e', 'row-f', 'row-g'];
      expect(await values(storage)).toEqual(all.map((key) => ({ key, value: `of ${key}` })));
    });

    test('sets a column to what SQL makes of the row', async () => {
      const storage = await kind.open();
      await insertRow('meta', { key: 'row-a', value: '1' }).execute(storage.db);
      for (const end of ['2', '3']) {
        const value = sql<string>`value || ${end}`;
        await updateRow('meta', { key: 'row-a' }, { value }).execute(storage.db);
      }
      expect(await values(storage)).toEqual([{ key: 'row-a', value: '123' }]);
    });

    test('is one of the writes at the end of a transaction', async () => {
      const storage = await kind.open();
      await insertRow('meta', { key: 'row-b', value: 'old' }).execute(storage.db);
      await storage.transaction('keys', async (trx) => {
        await writeLast(trx, insertRow('meta', { key: 'row-a', value: '1' }));
        await writeLast(trx, updateRow('meta', { key: 'row-b' }, { value: '2' }));
        await writeLast(trx, trx.insertInto('meta').values({ key: 'row-c', value: '3' }));
      });
      expect(await values(storage)).toEqual([
        { key: 'row-a', value: '1' },
        { key: 'row-b', value: '2' },
        { key: 'row-c', value: '3' },
      ]);
    });
  });

  describe('an insert of many rows', () => {
    const columns = PROVIDER_CALL_COLUMNS;
    const call = (i: number): ProviderCallTable => ({
      id: `call_${String(i).padStart(3, '0')}`,
      at: Date.UTC(2026, 10, 26) + i,
      session_id: i % 2 ? `ses_${i}` : null,
      connection_id: null,
      service: 'plaid',
      call: `it's "quoted" ${i}`,
      outcome: 'ok',
      code: null,
      request_id: '',
      ms: i,
    });

    test.each([1, 3, 500])('writes each of %i as it is', async (count) => {
      const storage = await kind.open();
      const rows = Array.from({ length: count }, (_, i) => call(i));
      await insertMany(storage, 'provider_calls', columns, rows);
      expect(await storage.db.selectFrom('provider_calls').selectAll().orderBy('id').execute()).toEqual(rows);
    });

    test('writes none of them when one is refused', async () => {
      const storage = await kind.open();
      await insertMany(storage, 'provider_calls', columns, [call(1)]);
      await expect(insertMany(storage, 'provider_calls', columns, [call(0), call(1), call(2)])).rejects.toThrow();
      expect(await storage.db.selectFrom('provider_calls').select('id').execute()).toEqual([{ id: 'call_001' }]);
    });
  });
});
