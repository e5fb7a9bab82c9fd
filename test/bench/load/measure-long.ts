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
import { startServer, startUpstreamProcess } from './processes.ts';

/** What takes too long to be measured each time: run by hand, the results are kept in CONTRIBUTING. */

type Store = Exclude<Subject, 'plain'>;

interface LongOptions extends Pick<LoadOptions, 'child' | 'server' | 'serverArgs'> {
  store: Store;
  /** Called with each result as it is known. */
  report: (line: string) => void;
}

/** So many that the server is busy all the time, with an upstream that answers at once. */
const IN_FLIGHT = 32;
/** Of each round of rows: long enough for some hundred sessions. */
const SECONDS = 6;
/** Until the code is compiled: a server's first thousand sessions cost up to twice the later ones. */
const WARM_UP_SECONDS = 12;
/** In turns, so that a machine that is busy for a while is so for both; the median of each counts. */
const ROUNDS = 7;

/** The server's memory after every twentieth of so many sessions. */
export async function measureMemory(
  { store, report, child, server, serverArgs = [] }: LongOptions,
  sessions: number,
): Promise<void> {
  await withDatabase(store, async (settings) => {
    const upstream = await startUpstreamProcess(child('upstream'));
    const key = randomBytes(24).toString('hex');
    const started = await startServer([...serverArgs, server], upstream.url, key, settings);
    report(`${store}: started, ${started.used().rssMb.toFixed(0)} MB`);
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

/** What a session costs on an empty database, and next to so many others: two servers, measured in turns. */
export async function measureRows(
  { store, report, child, server, serverArgs = [] }: LongOptions,
  rows: number,
): Promise<void> {
  await withDatabase(store, (emptySettings) =>
    withDatabase(store, async (fullSettings, storageOptions) => {
      const upstream = await startUpstreamProcess(child('upstream'));
      const key = randomBytes(24).toString('hex');
      const environment = { ENCRYPTION_KEY: randomBytes(32).toString('base64') };
      const start = (settings: Record<string, string>) =>
        startServer([...serverArgs, server], upstream.url, key, { ...settings, ...environment });
      const first = await start(fullSettings);
      await generate(first.url, key, 1, 1);
      await first.stop();
      const storage = await openStorage(storageOptions);
      await multiply(storage, rows, report);
      report(`${((await bytesOf(storage)) / rows / 1000).toFixed(1)} kB on the disk for each`);
      await storage.close();
      const subjects = [
        { stored: 0, process: await start(emptySettings), rounds: [] as Round[] },
        { stored: rows, process: await start(fullSettings), rounds: [] as Round[] },
      ];
      for (const { process } of subjects) await generate(process.url, key, IN_FLIGHT, WARM_UP_SECONDS);
      for (let round = 0; round < ROUNDS; round++) {
        for (const { process, rounds } of subjects) {
          const before = process.used().cpuMs;
          const { sessions } = await generate(process.url, key, IN_FLIGHT, SECONDS);
          rounds.push({
            sessions_per_second: sessions.length / SECONDS,
            p50_ms: percentile(sessions, 0.5),
            cpu_ms: (process.used().cpuMs - before) / sessions.length,
          });
        }
      }
      const medians = subjects.map(({ stored, rounds }) => {
        const median = (name: keyof Round) =>
          percentile(
            rounds.map((round) => round[name]),
            0.5,
          );
        report(
          `${store}, next to ${stored} stored sessions: ${median('sessions_per_second').toFixed(1)} sessions/s, ` +
            `p50 ${median('p50_ms').toFixed(0)} ms, ${median('cpu_ms').toFixed(2)} ms of processor each ` +
            `(${rounds.map(({ cpu_ms }) => cpu_ms.toFixed(1)).join(', ')})`,
        );
        return median('cpu_ms');
      });
      const [empty = Number.NaN, full = Number.NaN] = medians;
      report(`${store}: ${(full / empty).toFixed(2)} times the processor`);
      for (const { process } of subjects) await process.stop();
      await upstream.stop();
    }),
  );
}

interface Round {
  sessions_per_second: number;
  p50_ms: number;
  cpu_ms: number;
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
