import { inspect } from 'node:util';
import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StorageSetupError, StorageUnavailableError } from '../../../server/storage/errors.ts';
import { openStorage, type Storage, type StorageTransaction } from '../../../server/storage/open.ts';
import { withOwnPostgres } from '../../helpers/storages.ts';
import { rows } from './rows.ts';

test('an address that is not of PostgreSQL is refused without being repeated', async () => {
  const opening = openStorage({ databaseUrl: 'mysql://user:hunter2@127.0.0.1/db', dataDir: '/nonexistent' });
  await expect(opening).rejects.toThrow(StorageSetupError);
  await expect(opening).rejects.not.toThrow(/hunter2/);
});

test('a server that is not there is reported at the start', async () => {
  // Port 1 is reserved, and closed on every machine that runs tests.
  const opening = openStorage({ databaseUrl: 'postgres://user:hunter2@127.0.0.1:1/db', dataDir: '/nonexistent' });
  await expect(opening).rejects.toMatchObject({ name: 'StorageUnavailableError', reason: 'ECONNREFUSED' });
});

withOwnPostgres('PostgreSQL', (server) => {
  let url: string;
  let storage: Storage;
  const log = vi.fn();

  beforeEach(async () => {
    url = await server().createDatabase();
    storage = await openStorage({ databaseUrl: url, dataDir: '/nonexistent', log });
  });
  afterEach(async () => {
    await storage.close();
    log.mockClear();
  });

  test('a crash of the server in the middle of a transaction is reported, and the next query works', async ({
    skip,
  }) => {
    skip(!server().canRestart, 'the server is not ours');
    const cut = storage.transaction('customer:1', async (trx) => {
      await trx.insertInto('meta').values(rows.meta).execute();
      await server().restart('immediate');
      await trx
        .insertInto('meta')
        .values({ ...rows.meta, key: 'second' })
        .execute();
    });
    await expect(cut).rejects.toThrow(StorageUnavailableError);
    expect(await storage.db.selectFrom('meta').selectAll().execute()).toEqual([]);
  });

  test('idle connections that the server cuts are a warning, not the end of the process', async ({ skip }) => {
    skip(!server().canRestart, 'the server is not ours');
    await Promise.all([storage.ping(), storage.ping(), storage.ping()]);
    await server().restart('fast');
    await expect
      .poll(() => log.mock.calls)
      .toContainEqual(['warn', expect.stringContaining('lost'), expect.anything()]);
    await storage.ping();
  });

  test('while the server is gone every query fails with that error, and afterwards they work again', async ({
    skip,
  }) => {
    skip(!server().canRestart, 'the server is not ours');
    await server().without(async () => {
      await expect(storage.ping()).rejects.toThrow(StorageUnavailableError);
      await expect(storage.transaction('customer:1', async () => {})).rejects.toThrow(StorageUnavailableError);
    });
    await storage.ping();
  });

  test('a transaction that conflicts with a row inserted after its read is run again, and sees it', async () => {
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    let rounds = 0;
    const found = await storage.transaction('customer:1', async (trx) => {
      rounds++;
      const row = await trx.selectFrom('meta').selectAll().executeTakeFirst();
      if (rounds === 1) await other.query('insert into meta (key, value) values ($1, $2)', [rows.meta.key, 'theirs']);
      if (!row) await trx.insertInto('meta').values(rows.meta).execute();
      return row;
    });
    await other.end();
    expect([found?.value, rounds]).toEqual(['theirs', 2]);
  });

  test('transactions of one scope wait for each other on all instances, those of different scopes do not', async () => {
    const second = await openStorage({ databaseUrl: url, dataDir: '/nonexistent' });
    const order: string[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = () => {};
    const isHeld = new Promise<void>((resolve) => {
      begun = resolve;
    });
    // The lock travels with the first statement.
    const read = (trx: StorageTransaction) => trx.selectFrom('meta').select('key').execute();
    const first = storage.transaction('customer:1', async (trx) => {
      await read(trx);
      begun();
      await held;
      order.push('first');
    });
    await isHeld;
    const note = (name: string) => async (trx: StorageTransaction) => {
      await read(trx);
      order.push(name);
    };
    const same = second.transaction('customer:1', note('same scope'));
    await second.transaction('customer:2', note('another scope'));
    await storage.transaction('customer:3', note('another scope'));
    release();
    await Promise.all([first, same]);
    await second.close();
    expect(order).toEqual(['another scope', 'another scope', 'first', 'same scope']);
  });

  test('a statement that the server stops is reported', async () => {
    const slow = storage.transaction('customer:1', async (trx) => {
      await sql`set local statement_timeout = 50`.execute(trx);
      await sql`select pg_sleep(5)`.execute(trx);
    });
    await expect(slow).rejects.toThrow(new StorageUnavailableError('57014'));
  });

  test('when all connections stay taken, the next one gives up after 5 s', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const holders = Array.from({ length: 10 }, (_, i) => storage.transaction(`customer:${i}`, () => held));
    await expect(storage.ping()).rejects.toThrow(new StorageUnavailableError('connect timeout'));
    release();
    await Promise.all(holders);
    await storage.ping();
  });

  test('a refused login is reported without the password', async () => {
    const wrong = new URL(url);
    wrong.password = 'hunter2';
    const error = await openStorage({ databaseUrl: wrong.href, dataDir: '/nonexistent' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ name: 'StorageUnavailableError', reason: '28P01' });
    expect(inspect(error)).not.toContain('hunter2');
  });

  test('errors do not carry the values of rows', async () => {
    const bad = { ...rows.items, institution_name: 'Private Bank', status: null as unknown as 'linked' };
    const error = await storage.db
      .insertInto('items')
      .values(bad)
      .execute()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: '23502', column: 'status' });
    expect(inspect(error)).not.toContain('Private Bank');
  });

  test('other users of pg in the process keep their own types', async () => {
    expect(pg.types.getTypeParser(20)('12')).toBe('12');
  });
});
