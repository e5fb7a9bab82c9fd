import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Dialect } from './clock.ts';
import { SchemaTooNewError, StorageSetupError, StorageUnavailableError } from './errors.ts';
import { up as first } from './migrations/0001-first.ts';
import { up as lifecycle } from './migrations/0002-afterlife.ts';
import { up as hosted } from './migrations/0003-hosted.ts';
import { up as scripts } from './migrations/0004-scripts.ts';
import { up as oneAtATime } from './migrations/0005-one-at-a-time.ts';
import { up as recognized } from './migrations/0006-recognized.ts';
import { up as webhookAddress } from './migrations/0007-webhook-address.ts';
import { up as createCalls } from './migrations/0008-create-calls.ts';
import { up as waited } from './migrations/0009-waited.ts';
import { up as verification } from './migrations/0010-verification.ts';
import { up as transfers } from './migrations/0011-transfers.ts';
import { up as checks } from './migrations/0012-checks.ts';
import { up as links } from './migrations/0013-links.ts';
import { up as providerCalls } from './migrations/0020-provider-calls.ts';
import { up as consentAndMerchant } from './migrations/0022-consent-and-merchant.ts';
import { up as signalPreparation } from './migrations/0023-signal-preparation.ts';
import { up as repairLinks } from './migrations/0024-repair-links.ts';
import { up as instrumentFingerprints } from './migrations/0030-instrument-fingerprints.ts';
import { up as fillFingerprints } from './migrations/0031-fill-fingerprints.ts';
import { up as merchantIndexes } from './migrations/0041-merchant-indexes.ts';
import { up as removedConnections } from './migrations/0042-removed-connections.ts';
import { up as dueTasks } from './migrations/0043-due-tasks.ts';
import { isConflict } from './postgres.ts';

export interface Migration {
  /** Kept in the database once run; never renamed. */
  name: string;
  up(db: Kysely<never>): Promise<void>;
}

/** In the order of running. A list, not a folder that is read: the server is bundled into few files. */
export const migrations: readonly Migration[] = [
  { name: '0001-first', up: first },
  { name: '0002-afterlife', up: lifecycle },
  { name: '0003-hosted', up: hosted },
  { name: '0004-scripts', up: scripts },
  { name: '0005-one-at-a-time', up: oneAtATime },
  { name: '0006-recognized', up: recognized },
  { name: '0007-webhook-address', up: webhookAddress },
  { name: '0008-create-calls', up: createCalls },
  { name: '0009-waited', up: waited },
  { name: '0010-verification', up: verification },
  { name: '0011-transfers', up: transfers },
  { name: '0012-checks', up: checks },
  { name: '0013-links', up: links },
  { name: '0020-provider-calls', up: providerCalls },
  { name: '0022-consent-and-merchant', up: consentAndMerchant },
  { name: '0023-signal-preparation', up: signalPreparation },
  { name: '0024-repair-links', up: repairLinks },
  { name: '0030-instrument-fingerprints', up: instrumentFingerprints },
  { name: '0031-fill-fingerprints', up: fillFingerprints },
  { name: '0041-merchant-indexes', up: merchantIndexes },
  { name: '0042-removed-connections', up: removedConnections },
  { name: '0043-due-tasks', up: dueTasks },
];

interface MigrationTables {
  schema_migrations: { name: string; applied_at: number };
}

/** Any number will do, as long as nothing else uses it in this database ("fbc" in ASCII). */
const ADVISORY_LOCK = 0x66_62_63;

/**
 * How long one statement waits for a table that the application uses: its transactions take milliseconds. Queued behind
 * a longer one, a change of the schema would hold up every query that comes after it.
 */
const LOCK_TIMEOUT_MS = 2_000;
/** Longer than any transaction of the application and any other instance's migration. */
const PATIENCE_MS = 5 * 60_000;
/** Apart from each other, and longer than what was in the way takes to end. */
const RETRY_MS = 250;

/**
 * Brings the database to the newest schema, one transaction for each migration, and each once, however many instances
 * start together. Servers of an earlier version may work at the same time: where a lock of theirs is in the way, the
 * migration is tried again.
 * @throws {SchemaTooNewError} the database is ahead of this code
 * @throws {StorageSetupError} a table stayed locked for minutes
 */
export async function migrate<DB>(
  database: Kysely<DB>,
  dialect: Dialect,
  list: readonly Migration[] = migrations,
  lockTimeoutMs = LOCK_TIMEOUT_MS,
): Promise<void> {
  const db = database as unknown as Kysely<MigrationTables>;
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      if (!(await applyNext(db, dialect, list, lockTimeoutMs))) return;
    } catch (error) {
      if (!isInTheWay(error)) throw error;
      if (Date.now() > deadline) {
        throw new StorageSetupError(
          'The schema could not be upgraded: another transaction has kept a table locked for minutes. End it, then start the server again.',
        );
      }
      await sleep(RETRY_MS * (0.5 + Math.random()));
    }
  }
}

/** @returns whether a migration was run: there may be more */
async function applyNext(
  db: Kysely<MigrationTables>,
  dialect: Dialect,
  list: readonly Migration[],
  lockTimeoutMs: number,
): Promise<boolean> {
  // On PostgreSQL each statement must see what was committed while it waited for the lock, under any default of the
  // server.
  return db
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (trx) => {
      if (dialect === 'postgres') {
        // A change of a large table may take longer than a query may, once it has its lock.
        await sql`set local statement_timeout = 0`.execute(trx);
        await sql`set local lock_timeout = ${sql.lit(lockTimeoutMs)}`.execute(trx);
        await sql`select pg_advisory_xact_lock(${sql.lit(ADVISORY_LOCK)})`.execute(trx);
      }
      // Looked for first: PostgreSQL asks for the right to create also where `if not exists` creates nothing, and the
      // role that serves may lack it.
      if (dialect === 'sqlite' || !(await isThere(trx))) {
        await trx.schema
          .createTable('schema_migrations')
          .ifNotExists()
          .addColumn('name', 'text', (c) => c.primaryKey())
          .addColumn('applied_at', 'bigint', (c) => c.notNull())
          .execute();
      }
      return runNext(trx, list);
    });
}

async function isThere(trx: Transaction<MigrationTables>): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select to_regclass('schema_migrations') is not null as found`.execute(trx);
  return rows[0]?.found === true;
}

async function runNext(trx: Transaction<MigrationTables>, list: readonly Migration[]): Promise<boolean> {
  const rows = await trx.selectFrom('schema_migrations').select('name').orderBy('name').execute();
  const applied = new Set(rows.map((row) => row.name));
  const unknown = [...applied].filter((name) => !list.some((migration) => migration.name === name));
  if (unknown.length > 0) throw new SchemaTooNewError(unknown);
  const next = list.find(({ name }) => !applied.has(name));
  if (!next) return false;
  await next.up(trx as unknown as Kysely<never>);
  await trx.insertInto('schema_migrations').values({ name: next.name, applied_at: Date.now() }).execute();
  return true;
}

/** A deadlock, a lock that was not had in time (55P03): each is rolled back whole, and can succeed a moment later. */
function isInTheWay(error: unknown): boolean {
  return isConflict(error) || (error instanceof StorageUnavailableError && error.reason === '55P03');
}
