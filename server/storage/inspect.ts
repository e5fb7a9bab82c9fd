import { access, constants, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { migrations } from './migrate.ts';
import { openPool } from './postgres.ts';
import { openSqliteFile, SQLITE_FILE } from './sqlite.ts';

export interface StorageState {
  /** Changes of the schema that the next start makes; all of them where there is no database yet. */
  pending: string[];
  /** Changes that this version does not know: a newer one has written the database. */
  unknown: string[];
  exists: boolean;
}

/**
 * Looks at the database without changing it: the schema of a server that is running stays as it is.
 * @throws StorageSetupError, StorageUnavailableError, and the file system's own errors
 */
export async function inspectStorage(options: {
  databaseUrl?: string | undefined;
  dataDir: string;
}): Promise<StorageState> {
  const applied = await (options.databaseUrl ? appliedOnPostgres(options.databaseUrl) : appliedInFile(options.dataDir));
  const known = new Set(applied);
  return {
    exists: applied.length > 0,
    pending: migrations.map(({ name }) => name).filter((name) => !known.has(name)),
    unknown: applied.filter((name) => !migrations.some((migration) => migration.name === name)),
  };
}

async function appliedInFile(dataDir: string): Promise<string[]> {
  const isThere = await stat(join(dataDir, SQLITE_FILE)).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    await access(await nearestFolder(resolve(dataDir)), constants.W_OK);
    return [];
  }
  await access(join(dataDir, SQLITE_FILE), constants.W_OK);
  const db = await openSqliteFile(dataDir, () => {});
  try {
    const [table] = db.prepare("select name from sqlite_master where name = 'schema_migrations'").all();
    if (!table) return [];
    return db
      .prepare('select name from schema_migrations')
      .all()
      .map(({ name }) => String(name));
  } finally {
    db.close();
  }
}

/** Where the folder would be made. */
async function nearestFolder(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  return isThere || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}

async function appliedOnPostgres(databaseUrl: string): Promise<string[]> {
  const { pool } = await openPool(databaseUrl, () => {});
  try {
    const there = await pool.query<{ found: boolean }>("select to_regclass('schema_migrations') is not null as found");
    if (!there.rows[0]?.found) return [];
    const { rows } = await pool.query<{ name: string }>('select name from schema_migrations');
    return rows.map(({ name }) => name);
  } finally {
    await pool.end();
  }
}
