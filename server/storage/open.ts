import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely, sql, type Transaction } from 'kysely';
import { StorageSetupError } from './errors.ts';
import { migrate } from './migrate.ts';
import { openSqliteFile } from './sqlite.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import type { Database } from './tables.ts';

export interface StorageOptions {
  /** `postgres://…`; unset: the embedded file in `dataDir`. */
  databaseUrl?: string | undefined;
  dataDir: string;
  log?: (level: 'warn' | 'error', message: string, fields?: object) => void;
}

/** The open database. Every query can throw StorageUnavailableError. */
export interface Storage {
  db: Kysely<Database>;
  dialect: 'sqlite' | 'postgres';
  /**
   * Runs `fn` as if no other transaction ran at the same time: what it reads stays true until it commits. Where that could not be
   * kept, `fn` is run **again**, so it must do nothing but query through `trx`.
   */
  transaction<T>(fn: (trx: Transaction<Database>) => Promise<T>): Promise<T>;
  /** Milliseconds since 1970: the database's clock where many machines share one, so that theirs need not agree. */
  now(): Promise<number>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** Writes a whole copy to `file`, which must not exist yet, while serving. SQLite only; PostgreSQL has pg_dump. */
  backup(file: string): Promise<void>;
  /** Lets running transactions finish. */
  close(): Promise<void>;
}

/**
 * Opens the database and brings its schema up to date.
 * @throws {StorageSetupError} a person must change something
 * @throws {StorageUnavailableError} the database does not answer
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const log = options.log ?? (() => {});
  if (options.databaseUrl !== undefined) throw new StorageSetupError('DATABASE_URL: PostgreSQL is not built in yet');
  // A query around the transaction that is open would wait for itself; refused at once, it can't hang in production.
  const open = new AsyncLocalStorage<{ active: boolean }>();
  const refuseInside = () => {
    if (open.getStore()?.active) throw new Error('Use trx, not db, inside a transaction.');
  };
  const file = await openSqliteFile(options.dataDir, (message) => log('warn', message));
  const db = new Kysely<Database>({ dialect: sqliteDialect(file, refuseInside) });
  const storage: Storage = {
    db,
    dialect: 'sqlite',
    transaction: (fn) =>
      db.transaction().execute(async (trx) => {
        const state = { active: true };
        try {
          return await open.run(state, () => fn(trx));
        } finally {
          state.active = false;
        }
      }),
    now: async () => Date.now(),
    ping: async () => {
      await sql`select 1`.execute(db);
    },
    backup: async () => {
      throw new Error('not yet');
    },
    close: () => db.destroy(),
  };
  try {
    await migrate(db, storage.dialect);
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}
