import pg from 'pg';
import { openSqliteFile } from '../../server/storage/sqlite.ts';

export type Store = 'sqlite' | 'postgres';

/** Where the instances of an environment keep their rows: DATABASE_URL or DATA_DIR. */
export type DatabaseSettings = Record<string, string>;

/** How long another process's lock may last. */
const LOCK_MS = 5_000;

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
