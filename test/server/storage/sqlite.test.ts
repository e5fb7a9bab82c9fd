import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StorageSetupError, StorageUnavailableError } from '../../../server/storage/errors.ts';
import { openStorage, type Storage } from '../../../server/storage/open.ts';
import {
  backupSqliteFile,
  isSafeVersion,
  openSqliteFile,
  SQLITE_FILE,
  type SqliteDatabase,
} from '../../../server/storage/sqlite.ts';
import { rows } from './rows.ts';

let folder: string;
let dataDir: string;
let storage: Storage;
const warnings: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fbc-sqlite-'));
  dataDir = join(folder, 'data');
  storage = await open(dataDir);
});

afterEach(async () => {
  await storage.close();
  await rm(folder, { recursive: true, force: true });
  warnings.length = 0;
});

test('the folder and the file are for this user only', async () => {
  expect(await modeOf(dataDir)).toBe(0o700);
  for (const file of await readdir(dataDir)) expect([file, await modeOf(join(dataDir, file))]).toEqual([file, 0o600]);
  expect(warnings).toEqual([]);
});

test('a folder that others can read is used as it is, with a warning', async () => {
  const shared = join(folder, 'shared');
  await mkdir(shared);
  await chmod(shared, 0o755);
  await (await open(shared)).close();
  expect(await modeOf(shared)).toBe(0o755);
  expect(warnings).toEqual([expect.stringContaining('DATA_DIR')]);
});

test('what is deleted can no longer be read in the file', async () => {
  const value = 'to be forgotten '.repeat(8);
  const inFile = async () => {
    await sql`pragma wal_checkpoint(truncate)`.execute(storage.db);
    return (await readFile(join(dataDir, SQLITE_FILE))).includes(value);
  };
  await storage.db.insertInto('meta').values({ key: 'secret', value }).execute();
  expect(await inFile()).toBe(true);
  await storage.db.deleteFrom('meta').where('key', '=', 'secret').execute();
  expect(await inFile()).toBe(false);
});

test('a data folder that is a file is refused by name', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(open(file)).rejects.toThrow(StorageSetupError);
  await expect(open(file)).rejects.toThrow(file);
});

test('a file that is not a database is refused', async () => {
  const broken = join(folder, 'broken');
  await mkdir(broken, { mode: 0o700 });
  await writeFile(join(broken, SQLITE_FILE), 'not a database, but longer than a header would be'.repeat(100));
  await expect(open(broken)).rejects.toThrow(StorageSetupError);
  await expect(open(broken)).rejects.toThrow(/not a database/);
});

test.each([
  ['3.46.1', false],
  ['3.51.2', false],
  ['3.51.3', true],
  ['3.53.0', true],
  ['3.100.0', true],
  ['4.0.0', true],
])('SQLite %s is free of the WAL-reset bug: %s', (version, safe) => {
  expect(isSafeVersion(version)).toBe(safe);
});

test('commits are synced to the disk, and readers do not block them', async () => {
  expect((await sql`pragma synchronous`.execute(storage.db)).rows).toEqual([{ synchronous: 2 }]);
  expect((await sql`pragma journal_mode`.execute(storage.db)).rows).toEqual([{ journal_mode: 'wal' }]);
});

test("a write waits for another process's lock without blocking this one", async () => {
  const other = await lockedByAnother();
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 5);
  const writing = storage.db.insertInto('meta').values(rows.meta).execute();
  // With SQLite's own waiting alone there would be none before the write has failed.
  await expect.poll(() => ticks).toBeGreaterThan(10);
  other.exec('ROLLBACK');
  await writing;
  clearInterval(ticking);
  other.close();
  expect(await storage.db.selectFrom('meta').selectAll().execute()).toEqual([rows.meta]);
});

test('a lock that stays is reported after 5 s, and the next write works once it is gone', async () => {
  const other = await lockedByAnother();
  const write = () => storage.transaction('customer:1', (trx) => trx.insertInto('meta').values(rows.meta).execute());
  await expect(write()).rejects.toThrow(new StorageUnavailableError('SQLITE_BUSY'));
  other.exec('ROLLBACK');
  other.close();
  await write();
});

test('a full disk is reported, takes back the transaction, and reading goes on', async () => {
  await storage.db.insertInto('meta').values(rows.meta).execute();
  const { rows: pages } = await sql<{ page_count: number }>`pragma page_count`.execute(storage.db);
  await sql.raw(`pragma max_page_count = ${pages[0]?.page_count}`).execute(storage.db);
  const write = storage.transaction('customer:1', async (trx) => {
    await trx.insertInto('meta').values({ key: 'small', value: 'x' }).execute();
    await trx
      .insertInto('meta')
      .values({ key: 'large', value: 'x'.repeat(100_000) })
      .execute();
  });
  await expect(write).rejects.toThrow(new StorageUnavailableError('SQLITE_FULL'));
  await sql.raw('pragma max_page_count = 1000000').execute(storage.db);
  expect(await storage.db.selectFrom('meta').selectAll().execute()).toEqual([rows.meta]);
  await storage.transaction('customer:1', (trx) =>
    trx.insertInto('meta').values({ key: 'after', value: 'x' }).execute(),
  );
});

test('after closing, the one file holds everything', async () => {
  await storage.db.insertInto('meta').values(rows.meta).execute();
  await storage.close();
  const copied = join(folder, 'copied');
  await mkdir(copied, { mode: 0o700 });
  await copyFile(join(dataDir, SQLITE_FILE), join(copied, SQLITE_FILE));
  const copy = await open(copied);
  expect(await copy.db.selectFrom('meta').selectAll().execute()).toEqual([rows.meta]);
  await copy.close();
});

test('a backup made while serving restores what was committed before it', async () => {
  await storage.db.insertInto('items').values(rows.items).execute();
  const file = join(folder, 'backup.sqlite');
  await backupSqliteFile(dataDir, file);
  await storage.db.deleteFrom('items').execute();

  expect(await modeOf(file)).toBe(0o600);
  const restored = join(folder, 'restored');
  await mkdir(restored, { mode: 0o700 });
  await copyFile(file, join(restored, SQLITE_FILE));
  const copy = await open(restored);
  expect(await copy.db.selectFrom('items').selectAll().execute()).toEqual([rows.items]);
  expect((await sql`pragma integrity_check`.execute(copy.db)).rows).toEqual([{ integrity_check: 'ok' }]);
  await copy.close();
});

test('a backup never replaces a file, nor leaves half of one', async () => {
  const file = join(folder, 'precious');
  await writeFile(file, 'precious');
  await expect(backupSqliteFile(dataDir, file)).rejects.toThrow('already exists: choose another name');
  expect((await stat(file)).size).toBe('precious'.length);

  await storage.close();
  await writeFile(join(dataDir, SQLITE_FILE), 'not a database, and so not one that can be copied to its end');
  await expect(backupSqliteFile(dataDir, join(folder, 'other'))).rejects.toThrow(StorageSetupError);
  expect(await readdir(folder)).toEqual(['data', 'precious']);
});

function open(dir: string): Promise<Storage> {
  return openStorage({ dataDir: dir, log: (_level, message) => warnings.push(message) });
}

/** Another connection represents another process: SQLite locks between connections in the same way. */
async function lockedByAnother(): Promise<SqliteDatabase> {
  const other = await openSqliteFile(dataDir, () => {});
  other.exec('BEGIN IMMEDIATE');
  return other;
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}
