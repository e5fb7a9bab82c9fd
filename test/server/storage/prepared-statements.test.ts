import { sql } from 'kysely';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openStorage, type Storage } from '../../../server/storage/open.ts';
import { PreparedStatements } from '../../../server/storage/prepared-statements.ts';
import { withPostgres } from '../../helpers/storages.ts';

/** More than the uses after which a statement is prepared. */
const OFTEN = 12;

async function times(count: number, run: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await run(i);
}

describe('the names of prepared statements', () => {
  test('only a statement that is used often has one, and keeps it', () => {
    const prepared = new PreparedStatements(true);
    const names = Array.from({ length: OFTEN }, () => prepared.nameOf('select 1'));
    expect(names[0]).toBeUndefined();
    expect(names.at(-1)).toBe(names.at(-2));
    expect(names.at(-1)).toMatch(/^fbc_/);
    expect(prepared.nameOf('select 2')).toBeUndefined();
  });

  test('lists of many lengths get no more names than a connection can hold', () => {
    const prepared = new PreparedStatements(true);
    const named = new Set<string>();
    for (let i = 0; i < 2_000; i++) {
      for (let use = 0; use < OFTEN; use++) {
        const name = prepared.nameOf(`select ${i}`);
        if (name !== undefined) named.add(name);
      }
    }
    expect(named.size).toBe(300);
  });

  test('there are none where they are off', () => {
    const prepared = new PreparedStatements(false);
    for (let use = 0; use < OFTEN; use++) expect(prepared.nameOf('select 1')).toBeUndefined();
  });
});

withPostgres('prepared statements', (server) => {
  let storage: Storage | undefined;
  const log = vi.fn();

  afterEach(async () => {
    await storage?.close();
    log.mockClear();
  });

  async function open(preparedStatements = true): Promise<Storage> {
    storage = await openStorage({
      databaseUrl: await server().createDatabase(),
      dataDir: '/nonexistent',
      preparedStatements,
      log,
    });
    return storage;
  }

  const write = ({ db }: Storage, i: number) =>
    db
      .insertInto('meta')
      .values({ key: `k${i}`, value: 'v' })
      .returningAll()
      .execute();
  /** One after the other, they all run on the same connection of the pool. */
  const preparedOn = async ({ db }: Storage) => {
    const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(db);
    return rows.map(({ statement }) => statement);
  };

  test('a statement that runs often is prepared on its connection', async () => {
    const storage = await open();
    await times(OFTEN, (i) => write(storage, i));
    expect(await preparedOn(storage)).toContainEqual(expect.stringMatching(/^insert into "meta"/));
  });

  test('none is prepared when the setting is off', async () => {
    const storage = await open(false);
    await times(OFTEN, (i) => write(storage, i));
    expect(await preparedOn(storage)).toEqual([]);
  });

  test('a column that a newer version adds disturbs neither a transaction nor a statement by itself', async () => {
    const storage = await open();
    const inTransaction = (i: number) =>
      storage.transaction('keys', (trx) =>
        trx
          .insertInto('meta')
          .values({ key: `t${i}`, value: 'v' })
          .returningAll()
          .executeTakeFirstOrThrow(),
      );
    await times(OFTEN, (i) => write(storage, i));
    await times(OFTEN, inTransaction);
    await sql`alter table meta add column later text`.execute(storage.db);
    expect(await inTransaction(100)).toEqual({ key: 't100', value: 'v', later: null });
    await sql`alter table meta add column later_still text`.execute(storage.db);
    expect(await write(storage, 100)).toEqual([{ key: 'k100', value: 'v', later: null, later_still: null }]);
    // Prepared again, under another name.
    const before = await preparedOn(storage);
    await write(storage, 101);
    expect(await preparedOn(storage)).toEqual(before);
    expect(log).not.toHaveBeenCalled();
  });

  test('a pooler that lends another connection is noticed, and nothing is prepared from then on', async () => {
    const storage = await open();
    await times(OFTEN, (i) => write(storage, i));
    await sql`deallocate all`.execute(storage.db);
    expect(await write(storage, 100)).toEqual([{ key: 'k100', value: 'v' }]);
    expect(log.mock.calls).toEqual([['warn', expect.stringContaining('a pooler'), expect.anything()]]);
    await times(OFTEN, (i) => write(storage, 200 + i));
    expect(await preparedOn(storage)).toEqual([]);
  });
});
