import { type Kysely, sql } from 'kysely';
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
const WENT_BACK = 'went_back_at';
/** In a backup, so that it is noticed as one in any folder, and however soon it takes the database's place. */
export const IS_COPY = 'is_copy';

/**
 * The embedded database and the marker next to it count together, and a backup records that it is one.
 * @param warn called when the marker can't be written, as on a full disk
 */
export function sqliteHistory(
  db: Kysely<Database>,
  dataDir: string,
  warn: (message: string, fields: object) => void,
): History {
  return {
    async check(now) {
      // Read first: another process on this folder counts in the database first.
      const marked = await readMarker(dataDir);
      // In one commit: a process that ends in the middle leaves nothing that looks as if the database had gone on.
      const count = await db.transaction().execute(async (trx) => {
        const { value } = await trx
          .insertInto('meta')
          .values({ key: COUNT, value: '1' })
          .onConflict((conflict) =>
            conflict.column('key').doUpdateSet({ value: sql<string>`cast(cast(meta.value as integer) + 1 as text)` }),
          )
          .returning('value')
          .executeTakeFirstOrThrow();
        const isBehind = marked !== undefined && Number(value) <= marked;
        const count = isBehind ? marked + 1 : Number(value);
        const isCopy = await trx.selectFrom('meta').select('value').where('key', '=', IS_COPY).executeTakeFirst();
        if (isBehind || isCopy) await put(trx, { [COUNT]: String(count), [WENT_BACK]: String(await now()) });
        if (isCopy) await trx.deleteFrom('meta').where('key', '=', IS_COPY).execute();
        return count;
      });
      await writeMarker(dataDir, count).catch((error: unknown) =>
        warn('The marker of the database could not be written', { reason: (error as NodeJS.ErrnoException).code }),
      );
      return wentBackAt(db);
    },
  };
}

/** A promoted standby begins another time line, and a restored dump is in another cluster or another database. */
export function postgresHistory(db: Kysely<Database>): History {
  let isKnowable = true;
  return {
    async check(now) {
      const seen = isKnowable ? await originOf(db) : undefined;
      isKnowable = seen !== undefined;
      if (!seen) return wentBackAt(db);
      const { origin, known, went_back } = seen;
      if (origin === known) return Number(went_back ?? 0);
      const wentBack = known === null ? Number(went_back ?? 0) : await now();
      await put(db, { [ORIGIN]: origin, ...(known === null ? {} : { [WENT_BACK]: String(wentBack) }) });
      return wentBack;
    },
  };
}

interface Origin {
  origin: string;
  /** As it was the last time. */
  known: string | null;
  went_back: string | null;
}

/** @returns undefined where the server does not return it, as some that are run by cloud providers */
async function originOf(db: Kysely<Database>): Promise<Origin | undefined> {
  const stored = (key: string) => sql`(select value from meta where key = ${key})`;
  try {
    // One query, because it is asked each second.
    const { rows } = await sql<Origin>`
      select (select system_identifier from pg_control_system())::text || '/' ||
        substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '/' ||
        (select oid from pg_database where datname = current_database())::text as origin,
        ${stored(ORIGIN)} as known, ${stored(WENT_BACK)} as went_back`.execute(db);
    return rows[0];
  } catch (error) {
    const { code } = error as { code?: unknown };
    // Insufficient privilege, undefined function, feature not supported.
    if (code === '42501' || code === '42883' || code === '0A000') return undefined;
    throw error;
  }
}

async function wentBackAt(db: Kysely<Database>): Promise<number> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', WENT_BACK).executeTakeFirst();
  return Number(row?.value ?? 0);
}

/** Together or not at all. */
async function put(db: Kysely<Database>, values: Record<string, string>): Promise<void> {
  await db
    .insertInto('meta')
    .values(Object.entries(values).map(([key, value]) => ({ key, value })))
    .onConflict((conflict) => conflict.column('key').doUpdateSet(({ ref }) => ({ value: ref('excluded.value') })))
    .execute();
}
