import { describe, expect, test } from 'vitest';
import { keptSelect } from '../../../server/storage/kept-select.ts';
import { insertRow } from '../../../server/storage/row-writes.ts';
import { forEachStorage } from '../../helpers/storages.ts';

forEachStorage((_name, kind) => {
  describe('a query that is built once', () => {
    test('finds the rows of each value, and keeps what is constant', async () => {
      const storage = await kind.open();
      for (const key of ['kept-a', 'kept-b']) await insertRow('meta', { key, value: `of ${key}` }).execute(storage.db);
      let built = 0;
      const find = keptSelect<{ value: string }>((db, key) => {
        built++;
        return db
          .selectFrom('meta')
          .select('value')
          .where('value', 'like', 'of kept-%')
          .where('key', '=', key)
          .limit(5);
      });
      expect(await find(storage, 'kept-b')).toEqual([{ value: 'of kept-b' }]);
      expect(await find(storage, 'kept-a')).toEqual([{ value: 'of kept-a' }]);
      expect(await find(storage, `'; drop table meta; --`)).toEqual([]);
      expect(built).toBe(1);
    });

    test('is built for each database by itself', async () => {
      const [one, other] = [await kind.open(), await kind.open()];
      await insertRow('meta', { key: 'kept-c', value: 'here' }).execute(one.db);
      const find = keptSelect<{ value: string }>((db, key) =>
        db.selectFrom('meta').select('value').where('key', '=', key),
      );
      expect(await find(one, 'kept-c')).toEqual([{ value: 'here' }]);
      await other.close();
      expect(await find(one, 'kept-c')).toEqual([{ value: 'here' }]);
    });
  });
});
