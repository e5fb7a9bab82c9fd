import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { StorageSetupError } from '../../../server/storage/errors.ts';
import { markerPath } from '../../../server/storage/marker.ts';
import { networkFileSystem, networkFileSystemOf } from '../../../server/storage/network-file-system.ts';
import { openStorage } from '../../../server/storage/open.ts';
import { backupSqliteFile, SQLITE_FILE } from '../../../server/storage/sqlite.ts';
import { checkedTwice, NOW, now, openedStorages } from '../../helpers/history.ts';

const { cleanUp, opened } = openedStorages();

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
