import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { StorageUnavailableError } from '../../../server/storage/errors.ts';
import { openStorage, type Storage } from '../../../server/storage/open.ts';
import { patient } from '../../helpers/patience.mjs';
import { poolerMissing, startPooler } from '../../helpers/pgbouncer.ts';
import { TestServer } from '../../helpers/server.ts';
import { withPostgres } from '../../helpers/storages.ts';
import { rows } from './rows.ts';

const missing = poolerMissing();
if (missing) console.warn(`skipped: PostgreSQL through a pooler: ${missing}`);

withPostgres(missing ? `through a pooler (skipped: ${missing})` : 'through a pooler', (server) => {
  const cleanUp: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  });

  async function open(
    mode: 'session' | 'transaction',
    more: string[] = [],
  ): Promise<{ storage: Storage; own: string; pooled: string }> {
    const own = await server().createDatabase();
    const pooler = await startPooler(own, mode, more);
    cleanUp.push(() => pooler.stop());
    const storage = await openStorage({ databaseUrl: pooler.url, dataDir: '/nonexistent' });
    cleanUp.push(() => storage.close());
    return { storage, own, pooled: pooler.url };
  }

  const POOLERS = [
    ['session mode with its defaults', 'session', []],
    ['transaction mode with its defaults', 'transaction', []],
    [
      'transaction mode that drops the parameters',
      'transaction',
      ['ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout'],
    ],
  ] as const;

  describe.skipIf(missing).each(POOLERS)('in %s', (_name, mode, more) => {
    test('a bank is connected from the session to the instrument', async () => {
      const { storage } = await open(mode, [...more]);
      const app = await TestServer.start({ storage });
      cleanUp.push(() => app.close());
      const { answer } = await app.connect();
      expect(answer.body).toMatchObject({ status: 'completed', connections: [{ status: 'active' }] });
    });

    test('the limits on statements and idle transactions are in force in each transaction', async () => {
      const { storage } = await open(mode, [...more]);
      const limits = await storage.transaction('customer:1', async (trx) => {
        const { rows: found } = await sql<{ name: string; setting: string }>`
          select name, setting from pg_settings
          where name in ('statement_timeout', 'idle_in_transaction_session_timeout') order by name`.execute(trx);
        return found.map(({ setting }) => setting);
      });
      expect(limits).toEqual(['10000', '10000']);
    });

    test('a write that waits for a lock is ended by the database, also outside a transaction', {
      timeout: patient(40_000),
    }, async () => {
      const { storage, own } = await open(mode, [...more]);
      await storage.db.insertInto('meta').values(rows.meta).execute();
      const holder = new pg.Client({ connectionString: own });
      await holder.connect();
      cleanUp.push(() => holder.end());
      await holder.query('begin');
      await holder.query('update meta set value = $1', ['held']);
      const write = storage.db.updateTable('meta').set({ value: 'late' }).execute();
      await expect(write).rejects.toThrow(new StorageUnavailableError('57014'));
      await holder.query('rollback');
      // The connection was given back whole: the next statement runs, and nothing of the ended one was kept.
      expect(await storage.db.selectFrom('meta').select('value').where('key', '=', rows.meta.key).execute()).toEqual([
        { value: rows.meta.value },
      ]);
    });

    test('a write that breaks a key is an error, and the same connection works on', async () => {
      const { storage } = await open(mode, [...more]);
      await storage.db.insertInto('meta').values(rows.meta).execute();
      await expect(storage.db.insertInto('meta').values(rows.meta).execute()).rejects.toMatchObject({ code: '23505' });
      await storage.ping();
    });

    test('no setting of ours stays on the connections that others are lent', async () => {
      const { storage, pooled } = await open(mode, [...more]);
      // Closed, so that in session mode too its connections are free to be lent.
      await Promise.all(Array.from({ length: 10 }, () => storage.ping()));
      await storage.close();
      const lent = async () => {
        const client = new pg.Client({ connectionString: pooled });
        await client.connect();
        const { rows } = await client.query(
          `select setting, (select now() - backend_start > interval '20 ms' from pg_stat_activity where pid = pg_backend_pid()) as lent
           from pg_settings where name = 'statement_timeout'`,
        );
        await client.end();
        return rows;
      };
      // The pooler may have opened a new one, where ours are not free yet; the next is an older one.
      await expect.poll(lent).toEqual([{ setting: '0', lent: true }]);
    });
  });
});
