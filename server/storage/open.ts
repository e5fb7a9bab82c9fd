import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
  type Transaction,
} from 'kysely';
import { DatabaseClock, type Dialect, databaseNow } from './clock.ts';
import { type CommittedFact, factsOf } from './committed.ts';
import { isUniqueViolation, StorageSetupError, StorageUnavailableError } from './errors.ts';
import { type History, postgresHistory, sqliteHistory } from './history.ts';
import { BEGINS, withLastWrites } from './last-writes.ts';
import { markerPath, readMarker } from './marker.ts';
import { migrate } from './migrate.ts';
import { isConflict, openPool } from './postgres.ts';
import { PostgresDriver } from './postgres-dialect.ts';
import { startError } from './postgres-start.ts';
import { assertRights } from './rights.ts';
import { openSqliteFile } from './sqlite.ts';
import { SqliteDriver } from './sqlite-dialect.ts';
import type { Database } from './tables.ts';

export interface StorageOptions {
  /** `postgres://…`; unset: the embedded file in `dataDir`. */
  databaseUrl?: string | undefined;
  dataDir: string;
  /** Whether PostgreSQL keeps frequent statements prepared, where no pooler is noticed; true when left out. */
  preparedStatements?: boolean | undefined;
  log?: (level: 'warn' | 'error', message: string, fields?: object) => void;
  /**
   * Whether a query past an open transaction is refused with an error that names it; true when left out, so that every
   * test finds it. Detecting it takes Node's hooks on every promise of the process, 10 % of a busy server's time.
   */
  guarded?: boolean;
}

/** What a query runs on inside of a transaction. */
export type StorageTransaction = Transaction<Database>;

/**
 * What a transaction is about. Sessions, Items and connections are changed under their customer's scope: nothing here
 * spans customers, so that on PostgreSQL those of different customers need not look out for each other. `rows`: what is
 * decided is decided by rows that the transaction has written itself, which locks them; it waits for nothing else.
 */
export type Scope = `${'customer' | 'webhook' | 'delivery' | 'item'}:${string}` | 'keys' | 'retention' | 'rows';

/** The open database. Every query can throw StorageUnavailableError. */
export interface Storage {
  db: Kysely<Database>;
  dialect: Dialect;
  /**
   * Runs `fn` as if no other transaction of the same scope ran at the same time: what it reads of the scope stays true
   * until it commits. Across scopes only single rows and unique keys are safe. Where others were in the way, `fn` is
   * run **again**, so it must do nothing but query through `trx`.
   */
  transaction<T>(scope: Scope, fn: (trx: Transaction<Database>) => Promise<T>): Promise<T>;
  /** Each is called with every fact that a transaction of this process has committed; for metrics, which count it. */
  readonly onCommit: Set<(fact: CommittedFact) => void>;
  /** Called for each new connection to PostgreSQL: what it leads to may not be what the one before led to. */
  readonly onConnect: Set<() => void>;
  /**
   * Milliseconds since 1970: the database's clock where many machines share one, so that theirs need not agree.
   * @param fresh for who must notice that this machine was paused a moment ago; costs a query there
   */
  now(fresh?: boolean): Promise<number>;
  /** See History. */
  history: History;
  /** Resolves when something has been stored: a full disk and a standby answer questions too. */
  ping(): Promise<void>;
  /** Makes what was deleted unreadable in the files: SQLite's write-ahead log keeps old pages until it is reset. */
  scrub(): Promise<void>;
  /** Lets running transactions finish. */
  close(): Promise<void>;
}

/**
 * How long a transaction is run again when others are in its way. Each round at least one of them commits, in
 * milliseconds, so hundreds at once are through well before.
 */
const CONFLICT_PATIENCE_MS = 10_000;

/**
 * Opens the database and brings its schema up to date. The embedded file may be open in several processes of one
 * machine.
 * @throws {StorageSetupError} a person must change something
 * @throws {StorageUnavailableError} the database does not answer
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const warn = (message: string, fields?: object) => options.log?.('warn', message, fields);
  const { guarded = true } = options;
  const onConnect: Storage['onConnect'] = new Set();
  const { dialect, driver } = await openDriver(options, warn, () => {
    for (const listener of onConnect) listener();
  });
  const db = new Kysely<Database>({
    dialect:
      dialect === 'sqlite'
        ? {
            createAdapter: () => new SqliteAdapter(),
            createDriver: () => driver,
            createIntrospector: (kysely) => new SqliteIntrospector(kysely),
            createQueryCompiler: () => new SqliteQueryCompiler(),
          }
        : {
            createAdapter: () => new PostgresAdapter(),
            createDriver: () => driver,
            createIntrospector: (kysely) => new PostgresIntrospector(kysely),
            createQueryCompiler: () => new PostgresQueryCompiler(),
          },
  });
  const scopes = new Scopes();
  const clock = new DatabaseClock(() => readClock(db));
  const onCommit: Storage['onCommit'] = new Set();
  const report = (fact: CommittedFact) => {
    for (const listener of onCommit) listener(fact);
  };
  const storage: Storage = {
    db,
    dialect,
    onCommit,
    onConnect,
    transaction:
      dialect === 'sqlite'
        ? (_scope, fn) => runOnce(db.transaction(), (trx) => withLastWrites(trx, dialect, fn), guarded, report)
        : async (scope, fn) => {
            refuseInside();
            const run = () => runInScope(db, scope, (trx) => withLastWrites(trx, dialect, fn), guarded, report);
            return scope === 'rows' ? run() : scopes.alone(scope, run);
          },
    now: dialect === 'sqlite' ? async () => Date.now() : (fresh) => clock.now(fresh),
    ping: async () => {
      const value = String(Date.now());
      await db
        .insertInto('meta')
        .values({ key: 'ping', value })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
        .execute();
    },
    history: dialect === 'sqlite' ? sqliteHistory(db, options.dataDir, warn) : postgresHistory(db),
    scrub: async () => {
      // TRUNCATE waits for readers up to the busy timeout. PostgreSQL's write-ahead log belongs to the operator.
      if (dialect === 'sqlite') await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(db);
    },
    // The driver's own, because Kysely's would give queries that come later an error that doesn't name the closed
    // storage.
    close: () => driver.destroy(),
  };
  try {
    if (dialect === 'sqlite') await refuseEmptied(db, options.dataDir);
    else await warnOfLeft(db, options.dataDir, warn);
    await migrate(db, dialect);
    if (dialect === 'postgres') await assertRights(db);
    if (dialect === 'postgres') await warnOfLoss(db, warn);
    return storage;
  } catch (error) {
    await storage.close();
    throw options.databaseUrl ? startError(error, options.databaseUrl) : error;
  }
}

/** An empty database where there was one: starting again would make second instruments for customers who have one. */
async function refuseEmptied(db: Kysely<Database>, dataDir: string): Promise<void> {
  if ((await readMarker(dataDir)) === undefined) return;
  const tables = await db.introspection.getTables();
  if (tables.length > 0) return;
  throw new StorageSetupError(
    `The database in DATA_DIR (${dataDir}) is empty or missing, but there was one: put a backup in its place (docs/operations.md). To begin without the data of before, delete ${markerPath(dataDir)}.`,
  );
}

/** An empty database in place of the embedded one, whose rows do not move by themselves. */
async function warnOfLeft(db: Kysely<Database>, dataDir: string, warn: (message: string) => void): Promise<void> {
  // DATA_DIR need not be readable where PostgreSQL is used.
  const isLeft = (await readMarker(dataDir).catch(() => undefined)) !== undefined;
  if (!isLeft) return;
  const { rows } = await sql<{ has: boolean }>`select to_regclass('schema_migrations') is not null as has`.execute(db);
  if (rows[0]?.has) return;
  warn(
    `The PostgreSQL database is empty, and DATA_DIR (${dataDir}) has an embedded one: its customers are not known here, and would be connected a second time (docs/operations.md)`,
  );
}

/** Settings under which PostgreSQL acknowledges what a crash can take back. */
async function warnOfLoss(db: Kysely<Database>, warn: (message: string, fields: object) => void): Promise<void> {
  const { rows } = await sql<{ name: string; setting: string }>`
    select name, setting from pg_settings where name in ('synchronous_commit', 'fsync', 'full_page_writes')`.execute(
    db,
  );
  for (const { name, setting } of rows) {
    if (setting === 'off') {
      warn(`PostgreSQL has ${name} = off: a crash can lose what was acknowledged, and then make second instruments`, {
        [name]: setting,
      });
    }
  }
}

async function openDriver(
  options: StorageOptions,
  warn: (message: string, fields?: object) => void,
  connected: () => void,
): Promise<{ dialect: Storage['dialect']; driver: Driver }> {
  const { databaseUrl, preparedStatements } = options;
  if (databaseUrl) {
    const pool = await openPool(databaseUrl, warn, preparedStatements);
    pool.pool.on('connect', connected);
    return { dialect: 'postgres', driver: new PostgresDriver(pool, refuseInside) };
  }
  return { dialect: 'sqlite', driver: new SqliteDriver(await openSqliteFile(options.dataDir, warn), refuseInside) };
}

/** Which transaction the code that runs now belongs to. */
const current = new AsyncLocalStorage<{ active: boolean }>();

/**
 * A query past the open transaction would wait for the connection that the transaction holds. An error shows it in
 * every test.
 */
function refuseInside(): void {
  if (current.getStore()?.active) throw new Error('Use trx, not db, inside a transaction.');
}

async function runOnce<T>(
  builder: ReturnType<Kysely<Database>['transaction']>,
  fn: (trx: Transaction<Database>) => Promise<T>,
  guarded: boolean,
  report: (fact: CommittedFact) => void,
): Promise<T> {
  let used: Transaction<Database> | undefined;
  const result = await builder.execute(async (trx) => {
    used = trx;
    if (!guarded) return fn(trx);
    const state = { active: true };
    try {
      return await current.run(state, () => fn(trx));
    } finally {
      state.active = false;
    }
  });
  for (const fact of factsOf(used)) report(fact);
  return result;
}

/**
 * One transaction of the scope at a time, on all instances: a lock by the scope's name before anything is read. Not
 * PostgreSQL's `serializable`: it watches pages of indexes, so that sessions which have nothing in common are turned
 * away over and over.
 */
async function runInScope<T>(
  db: Kysely<Database>,
  scope: Scope,
  fn: (trx: Transaction<Database>) => Promise<T>,
  guarded: boolean,
  report: (fact: CommittedFact) => void,
): Promise<T> {
  const deadline = Date.now() + CONFLICT_PATIENCE_MS;
  // In the text, so that it travels with the beginning.
  const lock = sql`select pg_advisory_xact_lock(${sql.raw(lockKey(scope))})`.compile(db);
  BEGINS.add(lock);
  const locked = async (trx: Transaction<Database>) => {
    await trx.executeQuery(lock);
    return fn(trx);
  };
  const run = scope === 'rows' ? fn : locked;
  for (let round = 1; ; round++) {
    try {
      return await runOnce(db.transaction().setIsolationLevel('read committed'), run, guarded, report);
    } catch (error) {
      // A row that another transaction inserts concurrently can fail by its key first; run again, `fn` sees it.
      const again = isConflict(error) || (round === 1 && isUniqueViolation(error));
      if (!again) throw error;
      if (Date.now() >= deadline) throw new StorageUnavailableError('conflict');
      // Spread over about as long as a few transactions take, growing while conflicts last.
      await sleep(Math.random() * Math.min(5 * round, 100));
    }
  }
}

/** Two scopes with the same 64 bits only wait for each other. */
function lockKey(scope: Scope): string {
  return createHash('sha256').update(scope).digest().readBigInt64BE().toString();
}

/** Those of this process that wait for the same scope do so here, where it costs no connection. */
class Scopes {
  readonly #last = new Map<Scope, Promise<unknown>>();

  async alone<T>(scope: Scope, run: () => Promise<T>): Promise<T> {
    // Every transaction ends in bounded time, by the database's own limits.
    const before = this.#last.get(scope);
    const own = before ? before.then(run, run) : run();
    this.#last.set(scope, own);
    try {
      return await own;
    } finally {
      if (this.#last.get(scope) === own) this.#last.delete(scope);
    }
  }
}

async function readClock(db: Kysely<Database>): Promise<number> {
  const { now } = await db.selectNoFrom(databaseNow('postgres').as('now')).executeTakeFirstOrThrow();
  return now;
}
