import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { backupSqliteFile, SQLITE_FILE } from '../../server/storage/sqlite.ts';
import { postgresProgram, type TestPostgres } from '../helpers/postgres.ts';
import type { DatabaseSettings, Store } from './database.ts';

/** Never the synchronous form: the simulator lives in this process, and must go on answering. */
const run = promisify(execFile);

/** A copy of a database, taken while servers use it. */
export interface DatabaseCopy {
  /**
   * Puts it in the place of the database, which no server uses. A database on PostgreSQL is restored into itself, or is
   * another one, as that of a replica. @returns where it is from now on
   */
  putBack(isAnother: boolean): Promise<DatabaseSettings>;
  remove(): void;
}

/** Why no copy can be taken of this store; undefined: one can. */
export function whyNoCopy(store: Store): string | undefined {
  if (store === 'sqlite' || postgresProgram('pg_dump')) return undefined;
  return 'it needs pg_dump and psql';
}

/** As in the operations page: the server's own backup of the embedded file, or pg_dump. */
export async function copyDatabase(
  settings: DatabaseSettings,
  postgres: TestPostgres | undefined,
): Promise<DatabaseCopy> {
  const folder = mkdtempSync(join(tmpdir(), 'fbc-copy-'));
  const copy = join(folder, 'copy');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const { DATABASE_URL: url, DATA_DIR: dataDir = '' } = settings;
  if (url === undefined) {
    await backupSqliteFile(dataDir, copy);
    const putBack = async () => {
      const file = join(dataDir, SQLITE_FILE);
      copyFileSync(copy, file);
      for (const log of ['-wal', '-shm']) rmSync(`${file}${log}`, { force: true });
      return settings;
    };
    return { putBack, remove };
  }
  await run(postgresProgram('pg_dump') ?? 'pg_dump', ['--clean', '--if-exists', '--no-owner', '--file', copy, url]);
  const putBack = async (isAnother: boolean) => {
    if (!postgres) throw new Error('there is no PostgreSQL');
    const restored = isAnother ? await postgres.createDatabase() : url;
    const quiet = ['--quiet', '--no-psqlrc', '--set', 'ON_ERROR_STOP=1', '--file', copy];
    await run(postgresProgram('psql') ?? 'psql', [...quiet, restored]);
    return { DATABASE_URL: restored };
  };
  return { putBack, remove };
}
