import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageUnavailableError } from '../../../server/storage/errors.ts';
import { writeLast } from '../../../server/storage/last-writes.ts';
import { openStorage, type Scope, type Storage, type StorageTransaction } from '../../../server/storage/open.ts';
import { insertRow } from '../../../server/storage/row-writes.ts';
import { migratedOn, withPostgres } from '../../helpers/storages.ts';

/**
 * Each of a transaction's beginning, last statement and commit can fail, and none waits for the answer to the one
 * before, because they leave together.
 */
withPostgres('PostgreSQL', (server) => {
  let storage: Storage;
  beforeEach(async () => {
    storage = await openStorage({ databaseUrl: await migratedOn(server()), dataDir: '/nonexistent' });
    // Outlives a transaction that is rolled back.
    await sql`create sequence writes`.execute(storage.db);
  });
  afterEach(() => storage.close());

  /** @param fault happens in the first write of a row */
  async function failOnce(fault: string, at: 'the statement' | 'the commit'): Promise<void> {
    await sql
      .raw(`create function fail() returns trigger language plpgsql as $$
        begin
          if new.key like 'row-%' and nextval('writes') = 1 then ${fault}; end if;
          return new;
        end $$`)
      .execute(storage.db);
    const timing =
      at === 'the statement'
        ? 'create trigger fails before insert on meta for each row'
        : 'create constraint trigger fails after insert on meta deferrable initially deferred for each row';
    await sql.raw(`${timing} execute function fail()`).execute(storage.db);
  }

  const write = (trx: StorageTransaction, key: string) => writeLast(trx, insertRow('meta', { key, value: '1' }));
  const keys = async () => {
    const found = await storage.db.selectFrom('meta').select('key').where('key', 'like', 'row-%').execute();
    return found.map(({ key }) => key);
  };

  const shapes: [name: string, scope: Scope, reads: boolean][] = [
    ['is one statement', 'rows', false],
    ['begins with a lock', 'customer:1', false],
    ['has read before', 'rows', true],
  ];
  const run = (scope: Scope, reads: boolean) => {
    let rounds = 0;
    const done = storage.transaction(scope, async (trx) => {
      rounds++;
      if (reads) await trx.selectFrom('meta').select('key').where('key', '=', 'none').execute();
      await write(trx, 'row-a');
    });
    return { done, rounds: () => rounds };
  };

  describe.each(shapes)('a transaction that %s', (_name, scope, reads) => {
    test.each([
      ['a deadlock', '40P01', 'the statement'],
      ['a serialization failure', '40001', 'the statement'],
      ['a deadlock', '40P01', 'the commit'],
      ['a serialization failure', '40001', 'the commit'],
    ] as const)('is run again after %s (%s) at %s, and has written once', async (_, code, at) => {
      await failOnce(`raise exception using errcode = '${code}'`, at);
      const { done, rounds } = run(scope, reads);
      await done;
      expect([rounds(), await keys()]).toEqual([2, ['row-a']]);
    });

    test.each([
      ['the connection ends', 'perform pg_terminate_backend(pg_backend_pid())', '57P01', 'the statement'],
      ['the connection ends', 'perform pg_terminate_backend(pg_backend_pid())', '57P01', 'the commit'],
      ['the server is a standby', `raise exception using errcode = '25006'`, '25006', 'the statement'],
      ['the time is over', `raise exception using errcode = '57014'`, '57014', 'the statement'],
      ['the disk is full', `raise exception using errcode = '53100'`, '53100', 'the commit'],
    ] as const)('has written nothing when %s (%s) at %s, and the next one works', async (_, fault, code, at) => {
      await failOnce(fault, at);
      await expect(run(scope, reads).done).rejects.toThrow(new StorageUnavailableError(code));
      expect(await keys()).toEqual([]);
      await run(scope, reads).done;
      expect(await keys()).toEqual(['row-a']);
    });

    test('has written nothing when a statement is wrong, and its connection works on', async () => {
      const wrong = storage.transaction(scope, async (trx) => {
        if (reads) await trx.selectFrom('meta').select('key').where('key', '=', 'none').execute();
        await write(trx, 'row-a');
        await writeLast(trx, sql`insert into meta (key, value) values ('row-b', null)`);
      });
      await expect(wrong).rejects.toMatchObject({ code: '23502' });
      expect(await keys()).toEqual([]);
      await run(scope, reads).done;
      expect(await keys()).toEqual(['row-a']);
    });
  });
});
