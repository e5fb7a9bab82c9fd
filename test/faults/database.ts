import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openSqliteFile } from '../../server/storage/sqlite.ts';
import type { TestPostgres } from '../helpers/postgres.ts';

export type Store = 'sqlite' | 'postgres';

/** Where the instances of an environment keep their rows: DATABASE_URL or DATA_DIR. */
export type DatabaseSettings = Record<string, string>;

/** How long another process's lock may last. */
const LOCK_MS = 5_000;

/**
 * An empty database for the instances.
 * @param dataDir a folder that a case has made itself
 * @param cleanUp is added what removes what was made here
 */
export async function openDatabase(
  { store, postgres, dataDir }: { store: Store; postgres: TestPostgres | undefined; dataDir?: string | undefined },
  cleanUp: (() => Promise<void>)[],
): Promise<DatabaseSettings> {
  if (store === 'postgres') {
    if (!postgres) throw new Error('there is no PostgreSQL');
    return { DATABASE_URL: await postgres.createDatabase() };
  }
  if (dataDir !== undefined) return { DATA_DIR: dataDir };
  const made = await mkdtemp(join(tmpdir(), 'fbc-faults-'));
  cleanUp.push(() => rm(made, { recursive: true, force: true }));
  return { DATA_DIR: made };
}

/** Changes rows without the server's knowledge, as time does: what takes days in production can't be waited for. */
export async function changeRows(
  { DATABASE_URL: url, DATA_DIR: dataDir = '' }: DatabaseSettings,
  statement: string,
): Promise<void> {
  if (url === undefined) {
    const db = await openSqliteFile(dataDir, () => {});
    db.exec(`PRAGMA busy_timeout = ${LOCK_MS}`);
    db.exec(statement);
    db.close();
    return;
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
