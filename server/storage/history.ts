import { type Kysely, type RawBuilder, sql } from 'kysely';
import { readMarker, writeMarker } from './marker.ts';
import type { Database } from './tables.ts';

/**
 * Detects that the database lost its latest commits: an older copy was restored, or a replica took over that was
 * behind.
 */
export interface History {
  /** Looks once more. @returns when it last lost some, in milliseconds since 1970; 0: never, as far as can be known */
  check(now: () => Promise<number>): Promise<number>;
}

const COUNT = 'history_count';
const ORIGIN = 'history_origin';
/** The transaction that wrote the row of this key. A dump brings it along, and not the transaction. */
const WRITER = 'history_writer';
const WENT_BACK = 'went_back_at';
/** In a backup, so that it is noticed as one in any folder, and however soon it takes the database's place. */
export const IS_COPY = 'is_copy';

/** More processes do not start at once on an empty folder, nor do as many starts end before they have written it. */
const COUNTED_BEFORE_A_MARKER = 10;

/**
 * The embedded database and the marker next to it count together, a file that has left its marker behind is a copy, and
 * a backup records that it is one.
 * @param warn called when the marker can't be written, as on a full disk
 */
export function sqliteHistory(
  db: Kysely<Database>,
  dataDir: string,
  warn: (message: string, fields: object) => void,
): History {
  // The file stays the one that this process has open: a marker that can't be written is not one that was left behind.
  let hasLooked = false;
  return {
    async check(now) {
      // Read first: another process on this folder counts in the database first.
      const marked = await readMarker(dataDir);
      // In one commit: a process that ends in the middle leaves nothing that looks as if the database had gone on.
      const count = await db.transaction().execute(async (trx) => {
        const counted = await countUp(trx);
        const isBehind = marked !== undefined && counted <= marked;
        const isWithoutMarker = !hasLooked && marked === undefined && counted > COUNTED_BEFORE_A_MARKER;
        const count = isBehind ? marked + 1 : counted;
        const isCopy = await trx.selectFrom('meta').select('value').where('key', '=', IS_COPY).executeTakeFirst();
        if (isBehind || isWithoutMarker || isCopy) {
          await put(trx, { [COUNT]: String(count), [WENT_BACK]: String(await now()) });
        }
        if (isCopy) await trx.deleteFrom('meta').where('key', '=', IS_COPY).execute();
        return count;
      });
      hasLooked = true;
      await writeMarker(dataDir, count).catch((error: unknown) =>
        warn('The marker of the database could not be written', { reason: (error as NodeJS.ErrnoException).code }),
      );
      return wentBackAt(db);
    },
  };
}

/** What goes back by less under a process that runs is noticed by other signs, or not at all. */
const COUNT_EVERY_MS = 10_000;
/** More do not share a database: once one has noticed that it is behind, none remembers a higher count. */
const MOST_PROCESSES = 1_000;

/**
 * A promoted standby begins another time line, a dump is restored in another cluster or another database, or its rows
 * are written there by another transaction than the one that they name. A snapshot of a volume brings all of that
 * along: a process that runs remembers how far the database had counted.
 */
export function postgresHistory(db: Kysely<Database>): History {
  let hasOrigin = true;
  let counted = { count: 0, at: Number.NEGATIVE_INFINITY };
  const look = async () => {
    const seen = hasOrigin ? await seenWith(db, ORIGIN_NOW).catch(unlessNotReturned) : undefined;
    hasOrigin = seen !== undefined;
    return seen ?? seenWith(db, sql`null`);
  };
  return {
    async check(now) {
      // Before the query: another check may count while it is on its way.
      const { count: least } = counted;
      const { origin, known, is_original, count, went_back } = await look();
      const isElsewhere = origin !== null && known !== null && origin !== known;
      const isBehind = Number(count ?? 0) < least;
      const isRestored = isElsewhere || isBehind || is_original === false;
      const isRecorded = is_original !== null && (origin === null || known !== null);
      const last = Number(went_back ?? 0);
      const wentBack = isRestored ? await now() : last;
      if (isRestored || !isRecorded) {
        await put(db, {
          ...(origin !== null && { [ORIGIN]: origin }),
          ...(isRestored && { [WENT_BACK]: String(wentBack) }),
          ...(isBehind && { [COUNT]: String(least + MOST_PROCESSES) }),
          [WRITER]: THIS_TRANSACTION,
        });
      }
      if (performance.now() - counted.at >= COUNT_EVERY_MS) {
        counted = { count: Math.max(await countUp(db), counted.count), at: performance.now() };
      }
      return wentBack;
    },
  };
}

/** Cluster, time line and database. */
const ORIGIN_NOW = sql`(select system_identifier from pg_control_system())::text || '/' ||
  substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '/' ||
  (select oid from pg_database where datname = current_database())::text`;
/** As `xmin` has it, without the epoch. */
const THIS_TRANSACTION = sql<string>`(txid_current() % ${sql.lit(2 ** 32)})::text`;

interface Seen {
  /** Null where the server does not return it, as some that are run by cloud providers. */
  origin: string | null;
  /** As it was the last time. */
  known: string | null;
  /** Whether the row was written where it is; null: there is none yet. Freezing and moving a row leave it so. */
  is_original: boolean | null;
  count: string | null;
  went_back: string | null;
}

/** One query, because it is asked each second. */
async function seenWith(db: Kysely<Database>, origin: RawBuilder<unknown>): Promise<Seen> {
  const stored = (key: string) => sql`(select value from meta where key = ${key})`;
  const isOriginal = sql`(select value = xmin::text from meta where key = ${WRITER})`;
  const { rows } = await sql<Seen>`
    select ${origin} as origin, ${stored(ORIGIN)} as known, ${isOriginal} as is_original,
      ${stored(COUNT)} as count, ${stored(WENT_BACK)} as went_back`.execute(db);
  const [seen] = rows;
  if (!seen) throw new Error('A query without a table returned no row.');
  return seen;
}

/** Insufficient privilege, undefined function, feature not supported. */
const NOT_RETURNED = new Set(['42501', '42883', '0A000']);

function unlessNotReturned(error: unknown): undefined {
  if (!NOT_RETURNED.has(String((error as { code?: unknown }).code))) throw error;
}

/** @returns the count, this time included */
async function countUp(db: Kysely<Database>): Promise<number> {
  const { value } = await db
    .insertInto('meta')
    .values({ key: COUNT, value: '1' })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({ value: sql<string>`cast(cast(meta.value as bigint) + 1 as text)` }),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  return Number(value);
}

async function wentBackAt(db: Kysely<Database>): Promise<number> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', WENT_BACK).executeTakeFirst();
  return Number(row?.value ?? 0);
}

/** Together or not at all. */
async function put(db: Kysely<Database>, values: Record<string, string | RawBuilder<string>>): Promise<void> {
  await db
    .insertInto('meta')
    .values(Object.entries(values).map(([key, value]) => ({ key, value })))
    .onConflict((conflict) => conflict.column('key').doUpdateSet(({ ref }) => ({ value: ref('excluded.value') })))
    .execute();
}
