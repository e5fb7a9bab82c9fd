import { type Kysely, sql } from 'kysely';
import { readMarker, writeMarker } from './marker.ts';
import type { Database } from './tables.ts';

/** Notices that the database went back in time: an older copy was put back, or a replica took over that was behind. */
export interface History {
  /** Looks once more. @returns when it last went back, in milliseconds since 1970; 0: never, as far as can be known */
  check(now: number): Promise<number>;
}

const COUNT = 'history_count';
const ORIGIN = 'history_origin';
const WENT_BACK = 'went_back_at';

/**
 * The embedded database and the marker next to it count together. @param warn called when the marker can't be written,
 * as on a full disk
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
      const { value } = await db
        .insertInto('meta')
        .values({ key: COUNT, value: '1' })
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet({ value: sql<string>`cast(cast(meta.value as integer) + 1 as text)` }),
        )
        .returning('value')
        .executeTakeFirstOrThrow();
      const isBehind = marked !== undefined && Number(value) <= marked;
      const count = isBehind ? marked + 1 : Number(value);
      if (isBehind) await put(db, { [COUNT]: String(count), [WENT_BACK]: String(now) });
      await writeMarker(dataDir, count).catch((error: unknown) =>
        warn('The marker of the database could not be written', { reason: (error as NodeJS.ErrnoException).code }),
      );
      return wentBackAt(db);
    },
  };
}

/** A promoted standby begins another time line, and a restored dump lies in another cluster. */
export function postgresHistory(db: Kysely<Database>): History {
  let isKnowable = true;
  return {
    async check(now) {
      const origin = isKnowable ? await originOf(db) : undefined;
      isKnowable = origin !== undefined;
      const known = await db.selectFrom('meta').selectAll().where('key', '=', ORIGIN).executeTakeFirst();
      if (origin !== undefined && known?.value !== origin) {
        const hasMoved = known !== undefined;
        await put(db, { [ORIGIN]: origin, ...(hasMoved ? { [WENT_BACK]: String(now) } : {}) });
      }
      return wentBackAt(db);
    },
  };
}

/** @returns undefined where the server does not return it, as some that are run by cloud providers */
async function originOf(db: Kysely<Database>): Promise<string | undefined> {
  try {
    const { rows } = await sql<{ origin: string }>`
      select (select system_identifier from pg_control_system())::text || '/' ||
        substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as origin`.execute(db);
    return rows[0]?.origin;
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

async function put(db: Kysely<Database>, values: Record<string, string>): Promise<void> {
  for (const [key, value] of Object.entries(values)) {
    await db
      .insertInto('meta')
      .values({ key, value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute();
  }
}
