import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import pg from 'pg';
import { expect, it } from 'vitest';
import type { Storage } from '../../../server/storage/open.ts';
import { checkedTwice, NOW, now, openedStorages } from '../../helpers/history.ts';
import { patient } from '../../helpers/patience.mjs';
import { postgresProgram } from '../../helpers/postgres.ts';
import { copyOf, putBack } from '../../helpers/put-back.ts';
import { withOwnPostgres } from '../../helpers/storages.ts';

const runFile = promisify(execFile);

const { cleanUp, opened } = openedStorages();

withOwnPostgres('a database on PostgreSQL', (server) => {
  it(
    'a database on PostgreSQL is noticed to be older when a copy of its cluster was promoted',
    async () => {
      const databaseUrl = await server().createDatabase();
      const storage = await opened({ databaseUrl, dataDir: '/nonexistent' });
      expect(await checkedTwice(storage)).toBe(0);
      await server().restart('immediate');
      // A crash is no step back.
      expect(await again(() => storage.history.check(now))).toBe(0);
      await server().promote();
      expect(await again(() => storage.history.check(now))).toBe(NOW);
      expect(await storage.history.check(async () => NOW + 1_000)).toBe(NOW);
    },
    patient(60_000),
  );

  it('a database on PostgreSQL is noticed to be older when it was restored in another cluster', async () => {
    const storage = await opened({ databaseUrl: await server().createDatabase(), dataDir: '/nonexistent' });
    await checkedTwice(storage);
    // As a dump of another cluster has it.
    const { value } = await storage.db
      .selectFrom('meta')
      .select('value')
      .where('key', '=', 'history_origin')
      .executeTakeFirstOrThrow();
    const other = value.replace(/^\d+/, '7000000000000000001');
    await storage.db.updateTable('meta').set({ value: other }).where('key', '=', 'history_origin').execute();
    expect(await storage.history.check(now)).toBe(NOW);
  });

  it('a database on PostgreSQL is noticed to be older when it was restored next to the one before', async () => {
    const [before, restored] = await Promise.all(
      [0, 1].map(async () => opened({ databaseUrl: await server().createDatabase(), dataDir: '/nonexistent' })),
    );
    if (!before || !restored) throw new Error('no storage');
    await checkedTwice(before);
    // What a dump brings along.
    const rows = await before.db.selectFrom('meta').selectAll().execute();
    await restored.db.deleteFrom('meta').execute();
    await restored.db.insertInto('meta').values(rows).execute();
    expect(await restored.history.check(now)).toBe(NOW);
  });

  it.skipIf(!postgresProgram('pg_restore'))(
    'a database on PostgreSQL is noticed to be older when a dump of it was restored into it, and once',
    async () => {
      const databaseUrl = await server().createDatabase();
      const storage = await opened({ databaseUrl, dataDir: '/nonexistent' });
      await checkedTwice(storage);
      const dump = join(await mkdtemp(join(tmpdir(), 'fbc-dump-')), 'dump');
      cleanUp.push(() => rm(dirname(dump), { recursive: true, force: true }));
      await runFile(postgresProgram('pg_dump') ?? '', ['--format=custom', `--file=${dump}`, databaseUrl]);
      for (let restored = 1; restored <= 2; restored++) {
        const args = ['--clean', '--exit-on-error', `--dbname=${databaseUrl}`, dump];
        await runFile(postgresProgram('pg_restore') ?? '', args);
        const at = NOW + restored;
        expect(await again(() => storage.history.check(async () => at))).toBe(at);
        expect(await storage.history.check(now)).toBe(at);
      }
    },
    patient(60_000),
  );

  it('a database on PostgreSQL is noticed to be older when only its rows were replaced', async () => {
    const storage = await opened({ databaseUrl: await server().createDatabase(), dataDir: '/nonexistent' });
    await checkedTwice(storage);
    await putBack(storage, await copyOf(storage));
    expect(await storage.history.check(now)).toBe(NOW);
  });

  it('a database on PostgreSQL that goes back under processes that run is noticed, and once', async () => {
    const databaseUrl = await server().createDatabase();
    const storages = [await opened({ databaseUrl, dataDir: '/nonexistent' })];
    storages.push(await opened({ databaseUrl, dataDir: '/nonexistent' }));
    for (const storage of storages) expect(await checkedTwice(storage)).toBe(0);
    // As a snapshot of the volume has it: all else is as before.
    const [first, second] = storages as [Storage, Storage];
    await first.db.updateTable('meta').set({ value: '0' }).where('key', '=', 'history_count').execute();
    expect(await first.history.check(now)).toBe(NOW);
    const later = async () => NOW + 1_000;
    expect(await second.history.check(later)).toBe(NOW);
    expect(await first.history.check(later)).toBe(NOW);
    expect(await (await opened({ databaseUrl, dataDir: '/nonexistent' })).history.check(later)).toBe(NOW);
  });

  it.each(['vacuum (freeze) meta', 'vacuum (full, freeze) meta', 'cluster meta using meta_pkey'])(
    'a database on PostgreSQL goes on after: %s',
    async (statement) => {
      const storage = await opened({ databaseUrl: await server().createDatabase(), dataDir: '/nonexistent' });
      await checkedTwice(storage);
      await sql.raw(statement).execute(storage.db);
      expect(await checkedTwice(storage)).toBe(0);
    },
  );

  it('rows that were replaced are noticed also where PostgreSQL does not return its time line', async () => {
    const databaseUrl = await server().createDatabase();
    const storage = await opened({ databaseUrl, dataDir: '/nonexistent' });
    await sql`create role merchant login password 'its-password' in role pg_write_all_data, pg_read_all_data`.execute(
      storage.db,
    );
    await sql`revoke execute on function pg_control_system() from public`.execute(storage.db);
    const url = new URL(databaseUrl);
    [url.username, url.password] = ['merchant', 'its-password'];
    const limited = await opened({ databaseUrl: url.href, dataDir: '/nonexistent' });
    expect(await checkedTwice(limited)).toBe(0);
    const keys = (await storage.db.selectFrom('meta').select('key').execute()).map(({ key }) => key);
    expect(keys).not.toContain('history_origin');
    await putBack(storage, await copyOf(storage));
    expect(await checkedTwice(limited)).toBe(NOW);
  });

  it('a database on PostgreSQL is taken for an older one when its operator has recorded it', async () => {
    const storage = await opened({ databaseUrl: await server().createDatabase(), dataDir: '/nonexistent' });
    const [statement] = /INSERT INTO meta[^;]*/.exec(await readFile('docs/operations.md', 'utf8')) ?? [];
    await sql.raw(statement ?? '').execute(storage.db);
    expect(Math.abs((await storage.history.check(now)) - Date.now())).toBeLessThan(patient(60_000));
    await checkedTwice(storage);
    await sql.raw(statement ?? '').execute(storage.db);
    expect(await storage.history.check(now)).toBeGreaterThan(NOW);
  });

  it('a database on PostgreSQL is noticed to be older also when the server ends while it records it', async () => {
    const storage = await opened({ databaseUrl: await server().createDatabase(), dataDir: '/nonexistent' });
    await checkedTwice(storage);
    await storage.db
      .updateTable('meta')
      .set({ value: 'another cluster' })
      .where('key', '=', 'history_origin')
      .execute();
    await sql`create function ends() returns trigger language plpgsql as $$ begin raise 'ended'; end $$`.execute(
      storage.db,
    );
    await sql`create trigger ends before insert on meta for each row when (new.key = 'went_back_at')
      execute function ends()`.execute(storage.db);
    await expect(storage.history.check(now)).rejects.toThrow();
    await sql`drop trigger ends on meta`.execute(storage.db);
    expect(await storage.history.check(now)).toBe(NOW);
  });

  it('an empty database on PostgreSQL is reported where there is an embedded one, at its first start', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'fbc-history-'));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
    const databaseUrl = await server().createDatabase();
    await checkedTwice(await opened({ dataDir }));
    const lines: string[] = [];
    const log = (level: string, message: string) => lines.push(`${level}: ${message}`);
    for (let start = 0; start < 2; start++) await opened({ databaseUrl, dataDir, log });
    expect(lines.filter((line) => line.startsWith('warn: The PostgreSQL database is empty'))).toHaveLength(1);
  });

  it.each([
    ['on', 0],
    ['off', 1],
  ])('PostgreSQL with synchronous_commit = %s is opened with %i warnings', async (setting, warnings) => {
    const databaseUrl = await server().createDatabase();
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query(
      `do $$ begin execute format('alter database %I set synchronous_commit = ${setting}', current_database()); end $$`,
    );
    await client.end();
    const lines: string[] = [];
    await opened({ databaseUrl, dataDir: '/nonexistent', log: (level, message) => lines.push(`${level}: ${message}`) });
    const about = lines.filter((line) => line.includes('synchronous_commit'));
    expect(about).toHaveLength(warnings);
    if (warnings > 0) expect(about[0]).toMatch(/^warn: .* = off: a crash can lose/);
  });
});

/** The pool's connections of before are gone, one after the other. */
async function again<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}
