import { chmodSync } from 'node:fs';
import { chmod, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageSetupError, StorageUnavailableError } from './errors.ts';
import { IS_COPY } from './history.ts';
import { networkFileSystemOf } from './network-file-system.ts';

export type SqliteValue = null | number | bigint | string | Uint8Array;

/** The part of the `node:sqlite` API that is used here; @photostructure/sqlite has the same. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

export interface SqliteStatement {
  all(...parameters: SqliteValue[]): Record<string, SqliteValue>[];
  run(...parameters: SqliteValue[]): { changes: number | bigint };
  columns(): unknown[];
}

interface SqliteModule {
  DatabaseSync: new (file: string) => SqliteDatabase;
}

export const SQLITE_FILE = 'finix-bank-connect.sqlite';

/**
 * How long a statement may wait for another process's lock. Ours hold it for milliseconds; 5 s outlasts a backup of a
 * small file.
 */
const LOCK_WAIT_MS = 5_000;

/**
 * SQLite's own waiting blocks the event loop, so it gets only what most transactions of another process take; the rest
 * is waited for without blocking.
 */
const BLOCKING_WAIT_MS = 5;

/**
 * Pages in the log, of 4 kB, after which a commit also brings them into the file: four times SQLite's own number. Most
 * sessions change the same inner pages of the indexes, which are then written and synced once for a hundred sessions,
 * and not for 25; the log stays small enough to be read within a second after a crash.
 */
const CHECKPOINT_PAGES = 4_000;

/** Older ones can lose a committed write when the log is reset (sqlite.org/wal.html, "the WAL-reset bug"). */
const OLDEST_SQLITE = [3, 51, 3] as const;

/**
 * Opens (and makes, if need be) the one database file in `dataDir`. Several processes may do so at once, on a local
 * disk.
 * @throws {StorageSetupError} no good SQLite, or the folder can't be used
 */
export async function openSqliteFile(dataDir: string, warn: (message: string) => void): Promise<SqliteDatabase> {
  const sqlite = await loadSqlite();
  const file = join(dataDir, SQLITE_FILE);
  try {
    const made = await mkdir(dataDir, { recursive: true, mode: 0o700 });
    // mkdir's mode is cut by the umask only; a folder that was there before may be shared on purpose, so it is left
    // alone.
    if (made !== undefined) await chmod(dataDir, 0o700);
    else if (((await stat(dataDir)).mode & 0o077) !== 0)
      warn('DATA_DIR can be read by other users of this machine; chmod 700 it');
  } catch (error) {
    throw new StorageSetupError(`DATA_DIR (${dataDir}) can't be used: ${(error as Error).message}`);
  }
  const network = await networkFileSystemOf(dataDir);
  if (network !== undefined) {
    warn(`DATA_DIR is on a network file system (${network}), whose locks can fail: use a local disk, or DATABASE_URL`);
  }
  const db = openFile(sqlite, file);
  try {
    db.exec(`PRAGMA busy_timeout = ${BLOCKING_WAIT_MS}`);
    await retryWhileBusy(() => {
      const [row] = db.prepare('PRAGMA journal_mode = WAL').all();
      if (row?.['journal_mode'] !== 'wal')
        throw new StorageSetupError(
          `DATA_DIR (${dataDir}) is on a file system without write-ahead logging; use a local disk`,
        );
    });
    // Every commit is synced to the disk before it counts: an acknowledged row outlives the power.
    db.exec('PRAGMA synchronous = FULL');
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.exec('PRAGMA foreign_keys = ON');
    // What is erased is overwritten in the file, too: without this it stays readable in free pages, and in copies of
    // the file.
    db.exec('PRAGMA secure_delete = ON');
    return db;
  } catch (error) {
    db.close();
    const known = toSqliteError(error);
    if (known instanceof StorageUnavailableError || known instanceof StorageSetupError) throw known;
    throw new StorageSetupError(`${file} can't be opened: ${(error as Error).message}`);
  }
}

function openFile(sqlite: SqliteModule, file: string): SqliteDatabase {
  try {
    const db = new sqlite.DatabaseSync(file);
    // SQLite gives its log files, made later, the same permissions. By name: opening and closing the file here would
    // drop the locks that another connection of this process holds on it.
    chmodSync(file, 0o600);
    return db;
  } catch (error) {
    throw new StorageSetupError(`${file} can't be opened: ${(error as Error).message}`);
  }
}

/**
 * Writes a whole, synced copy of the database in `dataDir` to `file`, also while servers use it. The schema is copied
 * as it is, so that a copy can be made before an upgrade, by the newer version. The copy records that it is one. To
 * restore: with the server stopped, put it in place of the database file and delete that one's `-wal` and `-shm`.
 * @throws {StorageSetupError} there is no database, or `file` can't be written
 */
export async function backupSqliteFile(dataDir: string, file: string): Promise<void> {
  const source = join(dataDir, SQLITE_FILE);
  // Opening what is not there would make an empty database, and a backup of nothing.
  const isThere = await stat(source).then(
    () => true,
    () => false,
  );
  if (!isThere) throw new StorageSetupError(`There is no database at ${source}; look at DATA_DIR.`);
  const sqlite = await loadSqlite();
  const db = openFile(sqlite, source);
  try {
    db.exec(`PRAGMA busy_timeout = ${LOCK_WAIT_MS}`);
    await writeWhole(file, (part) => {
      db.prepare('VACUUM INTO ?').run(part);
      const copy = openFile(sqlite, part);
      try {
        recordAsCopy(copy);
      } finally {
        copy.close();
      }
    });
  } catch (error) {
    const known = toSqliteError(error);
    if (known instanceof StorageUnavailableError) throw known;
    throw new StorageSetupError(`The backup could not be written: ${(error as Error).message}`);
  } finally {
    db.close();
  }
}

function recordAsCopy(copy: SqliteDatabase): void {
  // A version that kept no history had no table for it.
  const tables = copy.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta'").all();
  if (tables.length > 0) copy.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run(IS_COPY, '1');
}

/** Has `write` write a file called `file`: private, synced, and named so only once complete. */
async function writeWhole(file: string, write: (part: string) => void): Promise<void> {
  // Made here, empty and private, because SQLite would make it readable for all; also refuses to overwrite.
  const made = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new StorageSetupError(`${file} already exists: choose another name.`);
    throw error;
  });
  await made.close();
  const part = `${file}.part`;
  try {
    await (await open(part, 'w', 0o600)).close();
    write(part);
    await sync(part);
    await rename(part, file);
    await sync(dirname(file));
  } catch (error) {
    await rm(part, { force: true });
    await rm(file, { force: true });
    throw error;
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The runtime's own SQLite when it has a good one, else the one from the npm package. */
async function loadSqlite(): Promise<SqliteModule> {
  const builtin = process.getBuiltinModule('node:sqlite') as SqliteModule | undefined;
  const own = builtin && inspect(builtin);
  if (builtin && own?.usable) return builtin;
  const packaged = (await import('@photostructure/sqlite')) as unknown as SqliteModule;
  const other = inspect(packaged);
  if (other.usable) return packaged;
  throw new StorageSetupError(
    `SQLite ${OLDEST_SQLITE.join('.')} or newer is needed, because older ones can lose committed rows; found ${other.version}${own ? ` and ${own.version}` : ''}`,
  );
}

function inspect(sqlite: SqliteModule): { version: string; usable: boolean } {
  const db = new sqlite.DatabaseSync(':memory:');
  try {
    const statement = db.prepare('SELECT sqlite_version() AS version');
    const version = String(statement.all()[0]?.['version']);
    // Node before 22.16 doesn't report whether a statement gives rows.
    return { version, usable: isSafeVersion(version) && typeof statement.columns === 'function' };
  } finally {
    db.close();
  }
}

/** Whether this SQLite is free of the WAL-reset bug. */
export function isSafeVersion(version: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [i, oldest] of OLDEST_SQLITE.entries()) {
    const part = parts[i] ?? 0;
    if (part !== oldest) return part > oldest;
  }
  return true;
}

/**
 * Runs `attempt` again while another process holds the lock, for at most LOCK_WAIT_MS. Only for what has no effect when
 * it fails.
 */
export async function retryWhileBusy<T>(attempt: () => T): Promise<T> {
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (unavailableReason(error) !== 'SQLITE_BUSY' || Date.now() >= deadline) throw error;
      // Spread out, so that two processes don't collide in step; short, because transactions here last milliseconds.
      await sleep(1 + Math.random() * 20);
    }
  }
}

/** What a caller gets for an error of SQLite: StorageUnavailableError where waiting can help, else the error itself. */
export function toSqliteError(error: unknown): unknown {
  const reason = unavailableReason(error);
  return reason === undefined ? error : new StorageUnavailableError(reason);
}

// SQLite's result codes and their fixed texts: @photostructure/sqlite gives a failing run only the text.
const UNAVAILABLE: readonly [code: number, text: RegExp, reason: string][] = [
  [5, /^database is locked/, 'SQLITE_BUSY'],
  [6, /^database table is locked/, 'SQLITE_LOCKED'],
  [8, /^attempt to write a readonly database/, 'SQLITE_READONLY'],
  [10, /^disk I\/O error/, 'SQLITE_IOERR'],
  [13, /^database or disk is full/, 'SQLITE_FULL'],
  [14, /^unable to open database file/, 'SQLITE_CANTOPEN'],
];

function unavailableReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as Error & { code?: unknown; errcode?: unknown };
  if (code === 'ERR_INVALID_STATE' && /^database is not open/.test(error.message)) return 'closed';
  if (code !== 'ERR_SQLITE_ERROR') return undefined;
  // The low byte is the primary code; the rest refines it.
  const primary = typeof errcode === 'number' ? errcode & 0xff : undefined;
  return UNAVAILABLE.find(([number, text]) => primary === number || text.test(error.message))?.[2];
}
