import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { openStorage, type Storage, type StorageOptions } from '../../../server/storage/open.ts';
import type { Database } from '../../../server/storage/tables.ts';
import { startPostgres } from '../../helpers/postgres.ts';
import { percentile } from '../statistics.ts';
import { generate } from './generator.ts';
import type { LoadOptions, Subject } from './measure-load.ts';
import { type Process, startServer, startUpstreamProcess } from './processes.ts';

/** What takes too long to be measured each time: run by hand, the results are kept in CONTRIBUTING. */

type Store = Exclude<Subject, 'plain'>;

interface LongOptions extends Pick<LoadOptions, 'child' | 'server'> {
  store: Store;
  /** Called with each result as it is known. */
  report: (line: string) => void;
}

/** So many that the server is busy all the time, with an upstream that answers at once. */
const IN_FLIGHT = 32;
/** Of each measurement of rows: long enough for some hundred sessions. */
const SECONDS = 20;

/** The server's memory after every twentieth of so many sessions. */
export async function measureMemory({ store, report, child, server }: LongOptions, sessions: number): Promise<void> {
  await withDatabase(store, async (settings) => {
    const upstream = await startUpstreamProcess(child('upstream'));
    const key = randomBytes(24).toString('hex');
    const started = await startServer([server], upstream.url, key, settings);
    let done = 0;
    let next = sessions / 20;
    while (done < sessions) {
      done += (await generate(started.url, key, IN_FLIGHT, 5)).sessions.length;
      if (done < next) continue;
      report(`${store}: ${done} sessions, ${started.used().rssMb.toFixed(0)} MB`);
      next += sessions / 20;
    }
    await started.stop();
    await upstream.stop();
  });
}

/** What a session costs on an empty database, and next to so many others. */
export async function measureRows({ store, report, child, server }: LongOptions, rows: number): Promise<void> {
  await withDatabase(store, async (settings, storageOptions) => {
    const upstream = await startUpstreamProcess(child('upstream'));
    const key = randomBytes(24).toString('hex');
    const measure = async (stored: number, started: Process) => {
      await generate(started.url, key, IN_FLIGHT, 5);
      const before = started.used().cpuMs;
      const { sessions } = await generate(started.url, key, IN_FLIGHT, SECONDS);
      const cpu = (started.used().cpuMs - before) / sessions.length;
      const cells = [
        `${(sessions.length / SECONDS).toFixed(1)} sessions/s`,
        `p50 ${percentile(sessions, 0.5).toFixed(0)} ms`,
        `p99 ${percentile(sessions, 0.99).toFixed(0)} ms`,
        `${cpu.toFixed(1)} ms of processor each`,
      ];
      report(`${store}, next to ${stored} stored sessions: ${cells.join(', ')}`);
    };
    // A session begins in the middle of the others by its random id, wherever they are.
    const environment = { ...settings, ENCRYPTION_KEY: randomBytes(32).toString('base64') };
    const first = await startServer([server], upstream.url, key, environment);
    await measure(0, first);
    await first.stop();
    const storage = await openStorage(storageOptions);
    await multiply(storage, rows, report);
    report(`${((await bytesOf(storage)) / rows / 1000).toFixed(1)} kB on the disk for each`);
    await storage.close();
    const second = await startServer([server], upstream.url, key, environment);
    await measure(rows, second);
    await second.stop();
    await upstream.stop();
  });
}

async function bytesOf(storage: Storage): Promise<number> {
  const query =
    storage.dialect === 'sqlite'
      ? sql<{ bytes: number }>`select page_count * page_size as bytes from pragma_page_count, pragma_page_size`
      : sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`;
  const { rows } = await query.execute(storage.db);
  return rows[0]?.bytes ?? 0;
}

/** Columns whose values name a row or another table's row: each copy has its own. */
const NAMES: Partial<Record<keyof Database, string[]>> = {
  sessions: ['id', 'customer_id', 'item_id'],
  items: ['id', 'session_id', 'public_token_hash', 'plaid_item_id'],
  connections: ['id', 'session_id', 'customer_id', 'item_id', 'payment_instrument', 'fingerprint'],
  customers: ['customer_id', 'identity_tag', 'finix_identity'],
  audit: ['id', 'session_id', 'connection_id'],
  link_tokens: ['hash', 'session_id'],
};
/** Within a transaction of a second or two. */
const CHUNK = 50_000;

/** Copies everything that one completed session has left, so many times. */
async function multiply(storage: Storage, times: number, report: (line: string) => void): Promise<void> {
  const model = await storage.db
    .selectFrom('sessions')
    .select(['id', 'customer_id'])
    .where('status', '=', 'completed')
    .executeTakeFirstOrThrow();
  for (const [table, names] of Object.entries(NAMES)) {
    const own = table === 'sessions' ? sql`id` : table === 'customers' ? sql`customer_id` : sql`session_id`;
    const value = table === 'customers' ? model.customer_id : model.id;
    const found = await sql<Record<string, unknown>>`select * from ${sql.table(table)} where ${own} = ${value}`.execute(
      storage.db,
    );
    const columns = Object.keys(found.rows[0] ?? {});
    const values = columns.map((column) =>
      names.includes(column) ? sql`t.${sql.ref(column)} || '-' || n.i` : sql`t.${sql.ref(column)}`,
    );
    for (let from = 0; from < times; from += CHUNK) {
      const to = Math.min(times, from + CHUNK) - 1;
      await sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
        with recursive n(i) as (select ${sql.lit(from)} union all select i + 1 from n where i < ${sql.lit(to)})
        select ${sql.join(values)} from ${sql.table(table)} t, n where t.${own} = ${value}`.execute(storage.db);
    }
    report(`${found.rows.length * times} rows in ${table}`);
  }
  if (storage.dialect === 'postgres') await sql`analyze`.execute(storage.db);
}

async function withDatabase(
  store: Store,
  use: (settings: Record<string, string>, options: StorageOptions) => Promise<void>,
): Promise<void> {
  if (store === 'sqlite') {
    const dataDir = await mkdtemp(join(tmpdir(), 'fbc-long-'));
    await use({ DATA_DIR: dataDir }, { dataDir });
    await rm(dataDir, { recursive: true, force: true });
    return;
  }
  const postgres = await startPostgres();
  if ('skipped' in postgres) throw new Error(postgres.skipped);
  const databaseUrl = await postgres.createDatabase();
  await use({ DATABASE_URL: databaseUrl }, { databaseUrl, dataDir: '/nonexistent' });
  await postgres.stop();
}
