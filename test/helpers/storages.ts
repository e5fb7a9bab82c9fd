import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { openStorage, type Storage, type StorageOptions } from '../../server/storage/open.ts';
import { migratedDatabase } from './migrated-database.ts';
import { patient } from './patience.mjs';
import { type OwnPostgres, postgresMissing, sharedPostgres, startPostgres, type TestPostgres } from './postgres.ts';

/** One empty database, for as many instances as a test wants to open on it. */
export interface TestDatabase {
  options: StorageOptions;
  open(more?: Partial<StorageOptions>): Promise<Storage>;
}

export interface StorageKind {
  /** Makes an empty database. It goes, and everything opened on it is closed, after the test. */
  database(): Promise<TestDatabase>;
  /** Opens a database of its own that has its tables and no rows, closed after the test. */
  open(): Promise<Storage>;
}

/**
 * Runs one suite against both databases; the one on PostgreSQL is skipped, with the reason in its name, where there is
 * none.
 */
export function forEachStorage(suite: (name: 'sqlite' | 'postgres', kind: StorageKind) => void): void {
  describe('on SQLite', () => {
    suite(
      'sqlite',
      kind(temporaryFolder, async () => ({ dataDir: await migratedDatabase() })),
    );
  });
  withPostgres('on PostgreSQL', (server) => {
    suite(
      'postgres',
      kind(
        async () => ({ databaseUrl: await server().createDatabase(), dataDir: '/nonexistent' }),
        async () => ({ databaseUrl: await migratedOn(server()), dataDir: '/nonexistent' }),
      ),
    );
  });
}

const templates = new WeakMap<TestPostgres, Promise<string>>();

/** Makes a database that has its tables and no rows, as a copy: to make them again takes three times as long. */
export async function migratedOn(server: TestPostgres): Promise<string> {
  return server.createDatabase(await templateOf(server));
}

function templateOf(server: TestPostgres): Promise<string> {
  const known = templates.get(server) ?? makeTemplate(server);
  templates.set(server, known);
  return known;
}

async function makeTemplate(server: TestPostgres): Promise<string> {
  const databaseUrl = await server.createDatabase();
  await (await openStorage({ databaseUrl, dataDir: '/nonexistent' })).close();
  return databaseUrl;
}

/** Runs a suite with a PostgreSQL that it may use with other suites of its process, one after the other. */
export function withPostgres(name: string, suite: (server: () => TestPostgres) => void): void {
  ifPostgres(name, () => suite(borrowPostgres()));
}

/**
 * Lends a PostgreSQL to the suite that is being described, or to the whole file. The databases that it makes go with
 * its last test. Where there is none, no test of the suite passes.
 * @returns gives the server while tests run
 */
export function borrowPostgres(): () => TestPostgres {
  let lent: LentPostgres | undefined;
  beforeAll(async () => {
    lent = lendPostgres(expectStarted(await sharedPostgres()));
  }, STARTS_WITHIN_MS);
  afterAll(() => lent?.giveBack());
  return () => whileTestsRun(lent);
}

/** Runs a suite with a PostgreSQL that it may also restart and set up. */
export function withOwnPostgres(name: string, suite: (server: () => OwnPostgres) => void): void {
  ifPostgres(name, () => {
    let server: OwnPostgres | undefined;
    beforeAll(async () => {
      server = expectStarted(await startPostgres());
    }, STARTS_WITHIN_MS);
    afterAll(() => server?.stop());
    suite(() => whileTestsRun(server));
  });
}

const STARTS_WITHIN_MS = patient(90_000);

function ifPostgres(name: string, suite: () => void): void {
  const missing = postgresMissing();
  if (missing) console.warn(`skipped: ${name}: ${missing}`);
  describe.skipIf(missing)(missing ? `${name} (skipped: ${missing})` : name, suite);
}

function expectStarted(started: OwnPostgres | { skipped: string }): OwnPostgres {
  if ('skipped' in started) throw new Error(started.skipped);
  return started;
}

function whileTestsRun<T>(server: T | undefined): T {
  if (!server) throw new Error('The server is there only while tests run.');
  return server;
}

interface LentPostgres extends TestPostgres {
  giveBack(): Promise<void>;
}

function lendPostgres(server: OwnPostgres): LentPostgres {
  const made: string[] = [];
  const lent: LentPostgres = {
    ...server,
    createDatabase: async (template) => {
      const database = await server.createDatabase(template);
      made.push(database);
      return database;
    },
    giveBack: async () => {
      for (const database of made.splice(0)) await server.dropDatabase(database);
      if (server.canRestart) return;
      // One that is not ours does not end with this process: nothing is left in it, the template included.
      templates.delete(server);
      await server.stop();
    },
  };
  templates.set(lent, templateOf(server));
  return lent;
}

async function temporaryFolder(): Promise<StorageOptions> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fbc-storage-'));
  return { dataDir };
}

function kind(make: () => Promise<StorageOptions>, makeMigrated: () => Promise<StorageOptions>): StorageKind {
  const opened: Storage[] = [];
  const folders: string[] = [];
  afterEach(async () => {
    for (const storage of opened.splice(0)) await storage.close();
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  const open = async (options: StorageOptions): Promise<Storage> => {
    const storage = await openStorage(options);
    opened.push(storage);
    return storage;
  };
  const removedLater = (options: StorageOptions): StorageOptions => {
    if (!options.databaseUrl) folders.push(options.dataDir);
    return options;
  };
  return {
    database: async () => {
      const options = removedLater(await make());
      return { options, open: (more) => open({ ...options, ...more }) };
    },
    open: async () => open(removedLater(await makeMigrated())),
  };
}
