import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StorageSetupError } from '../../../server/storage/errors.ts';
import { markerPath } from '../../../server/storage/marker.ts';
import { networkFileSystem, networkFileSystemOf } from '../../../server/storage/network-file-system.ts';
import { openStorage, type Storage } from '../../../server/storage/open.ts';
import { backupSqliteFile, SQLITE_FILE } from '../../../server/storage/sqlite.ts';
import { patient } from '../../helpers/patience.mjs';
import { postgresProgram } from '../../helpers/postgres.ts';
import { copyOf, putBack } from '../../helpers/put-back.ts';
import { withOwnPostgres } from '../../helpers/storages.ts';

/** When it is detected that the database lost commits, by the test's clock. */
const NOW = 1_700_000_000_000;
const now = async () => NOW;

const runFile = promisify(execFile);

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function opened(options: Parameters<typeof openStorage>[0]): Promise<Storage> {
  const storage = await openStorage(options);
  cleanUp.push(() => storage.close());
  return storage;
}

/** As a server does at its start and each minute. */
async function checkedTwice(storage: Storage): Promise<number> {
  await storage.history.check(now);
  return storage.history.check(now);
}

describe('the embedded database', () => {
  let dataDir: string;
  const file = () => join(dataDir, SQLITE_FILE);
  const withoutLogs = () => Promise.all(['-wal', '-shm'].map((log) => rm(`${file()}${log}`, { force: true })));

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'fbc-history-'));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
  });

  it('a database that goes on is not taken for an older one, however often its server starts', async () => {
    for (let start = 0; start < 3; start++) {
      const storage = await openStorage({ dataDir });
      expect(await checkedTwice(storage)).toBe(0);
      await storage.close();
    }
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'was emptied',
      async () => {
        await rm(file());
        await writeFile(file(), '');
      },
    ],
    ['is missing', () => rm(file())],
  ])('a start is refused when the database %s although its marker records one', async (_name, lose) => {
    const storage = await openStorage({ dataDir });
    await checkedTwice(storage);
    await storage.close();
    await lose();
    await withoutLogs();
    const refused = openStorage({ dataDir });
    await expect(refused).rejects.toThrow(StorageSetupError);
    await expect(refused).rejects.toThrow(markerPath(dataDir));
    // The operator decides to begin without the data.
    await rm(markerPath(dataDir));
    expect(await checkedTwice(await opened({ dataDir }))).toBe(0);
  });

  const putInPlace = async (copy: string) => {
    await withoutLogs();
    await rename(copy, file());
  };

  /** A copy that another tool than ours has made takes the place of the database, which went on. */
  async function goBackToCopiedFiles(): Promise<void> {
    const storage = await openStorage({ dataDir });
    await checkedTwice(storage);
    await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(storage.db);
    const copy = join(dataDir, 'copy.sqlite');
    await copyFile(file(), copy);
    await storage.history.check(now);
    await storage.close();
    await putInPlace(copy);
  }

  it('a copy of the files in place of the database is noticed, and by later processes as well', async () => {
    await goBackToCopiedFiles();
    const restored = await openStorage({ dataDir });
    expect(await restored.history.check(now)).toBe(NOW);
    await restored.close();
    expect(await (await opened({ dataDir })).history.check(async () => NOW + 1_000)).toBe(NOW);
  });

  it('a copy of the files in a folder without their marker is noticed, and a folder that moves goes on', async () => {
    const storage = await openStorage({ dataDir });
    // As in a quarter of an hour.
    for (let minute = 0; minute < 15; minute++) expect(await storage.history.check(now)).toBe(0);
    await storage.close();
    const [moved, copied] = await Promise.all([0, 1].map(() => mkdtemp(join(tmpdir(), 'fbc-history-'))));
    for (const folder of [moved, copied]) {
      cleanUp.push(() => rm(folder ?? '', { recursive: true, force: true }));
      await copyFile(file(), join(folder ?? '', SQLITE_FILE));
    }
    await copyFile(markerPath(dataDir), markerPath(moved ?? ''));
    expect(await checkedTwice(await opened({ dataDir: moved ?? '' }))).toBe(0);
    expect(await checkedTwice(await opened({ dataDir: copied ?? '' }))).toBe(NOW);
  });

  it('a folder in which no marker can be written is in doubt once after each start', async () => {
    for (let start = 0; start < 2; start++) {
      const storage = await openStorage({ dataDir });
      const seen: number[] = [];
      for (let minute = 1; minute <= 15; minute++) {
        // As if it had not been written.
        await rm(markerPath(dataDir), { force: true });
        seen.push(await storage.history.check(async () => NOW + start * 3600_000 + minute * 60_000));
      }
      await rm(markerPath(dataDir), { force: true });
      await storage.close();
      expect(new Set(seen)).toEqual(new Set([start === 0 ? 0 : NOW + 3600_000 + 60_000]));
    }
  });

  it('processes that start at once on an empty folder take it for no copy', async () => {
    await (await openStorage({ dataDir })).close();
    const started = await Promise.all([0, 1, 2, 3].map(() => opened({ dataDir })));
    expect(await Promise.all(started.map((storage) => storage.history.check(now)))).toEqual([0, 0, 0, 0]);
    expect(await Promise.all(started.map(checkedTwice))).toEqual([0, 0, 0, 0]);
  });

  it('a backup in place of the database is noticed, however soon, and once', async () => {
    const storage = await openStorage({ dataDir });
    await checkedTwice(storage);
    const copy = join(dataDir, 'copy.sqlite');
    await backupSqliteFile(dataDir, copy);
    await storage.close();
    await putInPlace(copy);
    const restored = await opened({ dataDir });
    expect(await restored.history.check(now)).toBe(NOW);
    expect(await restored.history.check(async () => NOW + 1_000)).toBe(NOW);
  });

  it('a backup that is restored on another machine is noticed, and the database that it was made of goes on', async () => {
    const storage = await opened({ dataDir });
    await checkedTwice(storage);
    const elsewhere = await mkdtemp(join(tmpdir(), 'fbc-history-'));
    cleanUp.push(() => rm(elsewhere, { recursive: true, force: true }));
    await backupSqliteFile(dataDir, join(elsewhere, SQLITE_FILE));
    expect(await (await opened({ dataDir: elsewhere })).history.check(now)).toBe(NOW);
    expect(await storage.history.check(now)).toBe(0);
  });

  it('a copy in place of the database is noticed also when the server ends while it records it', async () => {
    await goBackToCopiedFiles();
    const ended = await openStorage({ dataDir });
    await sql`create trigger ends before insert on meta when new.key = 'went_back_at'
      begin select raise(abort, 'ended'); end`.execute(ended.db);
    await expect(ended.history.check(now)).rejects.toThrow();
    await sql`drop trigger ends`.execute(ended.db);
    await ended.close();
    expect(await (await opened({ dataDir })).history.check(now)).toBe(NOW);
  });

  it('a network file system is recognized where Linux names it, and a local folder is none', async () => {
    expect([0x6969, 0xff534d42, 0xff534d42 | 0].map(networkFileSystem)).toEqual(['NFS', 'CIFS', 'CIFS']);
    expect([0xef53, 0x01021994, 0x65735546].map(networkFileSystem)).toEqual([undefined, undefined, undefined]);
    expect(await networkFileSystemOf(dataDir)).toBeUndefined();
    expect(await networkFileSystemOf(join(dataDir, 'none'))).toBeUndefined();
  });
});

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
